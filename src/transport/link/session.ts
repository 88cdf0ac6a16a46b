/**
 * One peer over a medium: the two ends agree that both are there, anew after every start of either, and then a framed link runs
 * between them. Each end names its session; a link stands when an end has heard its own name back. All on one ordered
 * medium, so what is said after a name belongs to it.
 *
 *   greeting = 0xf0, then JSON { mine, yours }    end = 0xf1, then the name of the sender's session
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Lane, LinkState, LinkStatus } from '../transport.ts';
import { FramedLink } from './framed-link.ts';
import type { Medium } from './medium.ts';
import type { RawLinkEvents } from './raw-link.ts';
import { randomToken } from './token.ts';

const GREETING = 0xf0;
const END = 0xf1;
const GREETING_BYTES_MAX = 256;
/** How often a greeting is repeated, for how long, and how long nothing is said after that: ms. */
const GREET_EVERY_MS = 1_000;
const GREETINGS_MAX = 10;
const SILENCE_MS = 5_000;
/** From the end of a link to greeting again: ms. */
const AGAIN_MS = 200;

export interface SessionContext {
  readonly self: NodeId;
  readonly medium: Medium;
  onMessage(peer: NodeId, message: Uint8Array): void;
  onLink(peer: NodeId, state: LinkState): void;
  onLeaving(leaving: Promise<void>): void;
}

export class Session {
  readonly id: NodeId;
  readonly #context: SessionContext;
  #present = false;
  #wanted = true;
  #state: LinkState = 'closed';
  #error: RaftError | undefined;
  #mine = '';
  #theirs = '';
  #link: FramedLink | undefined;
  #raw: RawLinkEvents | undefined;
  #greetings = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: NodeId, context: SessionContext) {
    this.id = id;
    this.#context = context;
  }

  get isPresent(): boolean {
    return this.#present;
  }

  setPresent(present: boolean): void {
    this.#present = present;
    if (!present) this.#rest();
    else if (this.#state === 'closed' && this.#timer === undefined) this.#greetAnew();
  }

  setWanted(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted) this.#rest();
    else if (this.#state === 'closed' && this.#timer === undefined) this.#greetAnew();
  }

  /** No pause is worth while. */
  hurry(): void {
    if (this.#state !== 'closed') return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#greetAnew();
  }

  hear(frame: Uint8Array): void {
    if (frame[0] === GREETING) this.#hearGreeting(frame);
    else if (frame[0] === END) this.#hearEnd(new TextDecoder().decode(frame.subarray(1, GREETING_BYTES_MAX)));
    else this.#raw?.onFrame(frame);
  }

  /** Frames were lost, or the peer is gone. */
  gone(why: string): void {
    this.#theirs = '';
    this.#raw?.onClose(new Error(why));
  }

  drained(): void {
    this.#raw?.onDrain();
  }

  send(message: Uint8Array, lane: Lane): boolean {
    return this.#state === 'open' && this.#link?.send(message, lane) === true;
  }

  queuedBytes(lane: Lane): number {
    return this.#link?.queuedBytes(lane) ?? 0;
  }

  status(): LinkStatus {
    const link = this.#link;
    return {
      peer: this.id,
      state: this.#state,
      kind: this.#context.medium.kind,
      queuedBytes: this.queuedBytes('urgent') + this.queuedBytes('bulk'),
      sentBytes: link?.sentBytes ?? 0,
      receivedBytes: link?.receivedBytes ?? 0,
      unacknowledgedBytes: link?.unacknowledgedBytes ?? 0,
      rttMs: link?.measure.rttMs,
      error: this.#error,
    };
  }

  disconnect(error: RaftError): void {
    if (this.#state === 'closed') return;
    this.#leave(error);
    this.#greetLater(AGAIN_MS);
  }

  stop(): void {
    this.#present = false;
    this.#leave(new RaftError('stopped', 'the transport has stopped'));
    clearTimeout(this.#timer);
  }

  #leave(error: RaftError): void {
    this.#error = error;
    const leaving = this.#link?.leave();
    this.#link = undefined; // `raw` stays: it hears the answer to the farewell
    if (leaving !== undefined) this.#context.onLeaving(leaving);
    this.#changeState('closed');
  }

  /** Not to be greeted any more by ourselves; a link that stands goes on. */
  #rest(): void {
    if (this.#state === 'open') return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changeState('closed');
  }

  #greetAnew(): void {
    if (!this.#present || !this.#wanted || this.#state !== 'closed') return;
    this.#mine = randomToken();
    this.#greetings = 0;
    this.#changeState('connecting');
    this.#greet();
  }

  #greet(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state !== 'connecting') return;
    if (this.#greetings++ >= GREETINGS_MAX) {
      this.#error = new RaftError('link-failed', 'the peer does not answer');
      this.#changeState('closed');
      this.#greetLater(SILENCE_MS);
      return;
    }
    this.#sayGreeting();
    this.#timer = setTimeout(() => this.#greet(), GREET_EVERY_MS);
  }

  #greetLater(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#greetAnew();
    }, delayMs);
  }

  #sayGreeting(): void {
    const text = JSON.stringify({ mine: this.#mine, yours: this.#theirs });
    const bytes = new TextEncoder().encode(`-${text}`);
    bytes[0] = GREETING;
    this.#context.medium.send(this.id, bytes);
  }

  #hearGreeting(frame: Uint8Array): void {
    const greeting = parseGreeting(frame);
    if (greeting === undefined) return;
    const isNew = greeting.mine !== this.#theirs;
    if (isNew) {
      this.#raw?.onClose(new Error('the peer started anew')); // before its name is taken over: what was open belongs to the old one
      this.#theirs = greeting.mine;
    }
    if (this.#state === 'closed') {
      // Whoever greets is answered, also when we would not have greeted it.
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#mine = randomToken();
      this.#greetings = 0;
      this.#changeState('connecting');
      this.#greet();
      return;
    }
    const isHeard = greeting.yours === this.#mine;
    if (isNew || !isHeard) this.#sayGreeting();
    if (isHeard && this.#state === 'connecting') this.#opened();
  }

  #hearEnd(name: string): void {
    if (name === this.#theirs) this.gone('the peer closed the link');
  }

  #opened(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const mine = this.#mine;
    let raw: RawLinkEvents | undefined;
    this.#link = new FramedLink(
      (events) => {
        raw = events;
        return {
          send: (frame) => {
            if (!this.#context.medium.send(this.id, frame)) throw new Error('the medium is closed');
          },
          bufferedBytes: () => this.#context.medium.bufferedBytes(),
          close: () => this.#closeRaw(raw, mine),
        };
      },
      {
        onOpen: () => {
          this.#error = undefined;
          this.#changeState('open');
        },
        onMessage: (message) => this.#context.onMessage(this.id, message),
        onClose: (error) => this.#ended(error),
      },
    );
    this.#raw = raw;
    raw?.onOpen();
  }

  #closeRaw(raw: RawLinkEvents | undefined, mine: string): void {
    if (this.#raw === raw) this.#raw = undefined;
    const bytes = new TextEncoder().encode(`-${mine}`);
    bytes[0] = END;
    this.#context.medium.send(this.id, bytes);
  }

  #ended(error: RaftError): void {
    this.#link = undefined;
    this.#error = error;
    this.#changeState('closed');
    this.#greetLater(AGAIN_MS);
  }

  #changeState(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#context.onLink(this.id, state);
  }
}

function parseGreeting(frame: Uint8Array): { readonly mine: string; readonly yours: string } | undefined {
  if (frame.length > GREETING_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(frame.subarray(1)));
    const { mine, yours } = Object(value) as { readonly mine?: unknown; readonly yours?: unknown };
    if (typeof mine !== 'string' || !/^\w{8,64}$/.test(mine) || typeof yours !== 'string' || yours.length > 64) return undefined;
    return { mine, yours };
  } catch {
    return undefined;
  }
}
