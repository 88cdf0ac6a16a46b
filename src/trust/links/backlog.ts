/** What a link may say to a proven peer before that has said a word: little, as the peer may still be checking. The rest waits here. */
import type { Lane } from '../../transport/transport.ts';
import { LANE_BYTES_MAX, UNHEARD_BYTES_MAX, UNHEARD_MESSAGES_MAX } from '../limits.ts';

export class Backlog {
  readonly #pass: (bytes: Uint8Array, lane: Lane) => boolean;
  readonly #held: { readonly bytes: Uint8Array; readonly lane: Lane }[] = [];
  readonly #heldBytes: Record<Lane, number> = { urgent: 0, bulk: 0 };
  #open = false;
  #settle: () => void = () => undefined;
  /** Resolves when nothing waits here any more. */
  readonly released: Promise<void> = new Promise((resolve) => {
    this.#settle = resolve;
  });
  #messages = 0;
  #sentBytes = 0;

  /** @param pass hands a message to the channel; false when that does not take it */
  constructor(pass: (bytes: Uint8Array, lane: Lane) => boolean) {
    this.#pass = pass;
  }

  /** Bytes that wait here. */
  bytes(lane: Lane): number {
    return this.#heldBytes[lane];
  }

  /** False when it is not taken. */
  push(bytes: Uint8Array, lane: Lane): boolean {
    if (this.#open) return this.#pass(bytes, lane);
    const fits = this.#messages < UNHEARD_MESSAGES_MAX && this.#sentBytes + bytes.length <= UNHEARD_BYTES_MAX;
    if (this.#held.length === 0 && fits) {
      if (!this.#pass(bytes, lane)) return false;
      this.#messages++;
      this.#sentBytes += bytes.length;
      return true;
    }
    if (this.#heldBytes[lane] + bytes.length > LANE_BYTES_MAX[lane]) return false;
    // The channel copies what it is given; here it waits for a while, and its owner may write over it.
    this.#held.push({ bytes: bytes.slice(), lane });
    this.#heldBytes[lane] += bytes.length;
    return true;
  }

  /** The peer has said a word: all may leave. False when the channel does not take what waited here. */
  release(): boolean {
    if (this.#open) return true;
    this.#open = true;
    for (const { bytes, lane } of this.#held.splice(0)) {
      this.#heldBytes[lane] -= bytes.length;
      if (!this.#pass(bytes, lane)) return false;
    }
    this.#settle();
    return true;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }
}
