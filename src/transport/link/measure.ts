/** How long a link takes to the peer and back, and how much gets lost on it. Measured now and then, while it is used. */
import { Control, controlFrame } from './control.ts';
import { MEASURE_EVERY_MS } from './limits.ts';
import type { RawLink } from './raw-link.ts';

/** Weight of what was known before, as TCP has it (RFC 6298). */
const OLD_WEIGHT = 7 / 8;

export class Measure {
  /** Smoothed; undefined before the first answer. */
  rttMs: number | undefined;
  loss: number | undefined;
  readonly #raw: RawLink;
  #probedMs = Number.NEGATIVE_INFINITY;
  #number = 0;

  constructor(raw: RawLink) {
    this.#raw = raw;
  }

  /** A frame to be sent before all others, when it is time. */
  probe(): Uint8Array | undefined {
    const nowMs = performance.now();
    if (nowMs - this.#probedMs < MEASURE_EVERY_MS) return undefined;
    this.#probedMs = nowMs;
    this.#raw.loss?.().then(
      (loss) => {
        this.loss = loss;
      },
      () => undefined, // the connection is closed: nobody asks any more
    );
    return controlFrame(Control.probe, ++this.#number);
  }

  /** Only the answer to the last probe counts: its time is known. */
  echoed(number: number): void {
    if (number !== this.#number) return;
    this.#number++; // a second answer to the same probe says nothing
    const rttMs = performance.now() - this.#probedMs;
    this.rttMs = this.rttMs === undefined ? rttMs : this.rttMs * OLD_WEIGHT + rttMs * (1 - OLD_WEIGHT);
  }
}
