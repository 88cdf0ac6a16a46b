/** A link's two lanes over sealed frames: each has counts of its own, because what is urgent overtakes bulk. */
import type { Lane } from '../../transport/transport.ts';
import { SEALING_MAX } from '../limits.ts';
import { SealedFrames, type SealKeys } from '../sealed-frames.ts';

/** The position is part of the format. */
const LANES: readonly Lane[] = ['urgent', 'bulk'];

export interface SealedLanesEvents {
  /** A sealed message to be sent now. */
  onSealed(bytes: Uint8Array, lane: Lane): void;
  /** A message that was opened. */
  onOpened(bytes: Uint8Array): void;
  /** The link is over: something did not open, or could not be sealed. */
  onBroken(error: unknown): void;
}

class SealedLane {
  readonly name: Lane;
  readonly frames: SealedFrames;
  readonly queue: Uint8Array[] = [];
  waitingBytes = 0;
  sealing = 0;

  constructor(name: Lane, frames: SealedFrames) {
    this.name = name;
    this.frames = frames;
  }
}

export class SealedLanes {
  readonly #urgent: SealedLane;
  readonly #bulk: SealedLane;
  readonly #events: SealedLanesEvents;
  readonly #onSent: (() => void)[] = [];
  readonly #onRead: (() => void)[] = [];
  #opening = 0;

  constructor(keys: SealKeys, events: SealedLanesEvents) {
    const lane = (name: Lane): SealedLane => new SealedLane(name, new SealedFrames(keys, LANES.indexOf(name)));
    this.#urgent = lane('urgent');
    this.#bulk = lane('bulk');
    this.#events = events;
  }

  /** Bytes that are not sealed yet. */
  waitingBytes(lane: Lane): number {
    return this.#lane(lane).waitingBytes;
  }

  get isIdle(): boolean {
    return this.#urgent.waitingBytes + this.#bulk.waitingBytes === 0;
  }

  /** Whoever calls bounds what waits. */
  seal(bytes: Uint8Array, name: Lane): void {
    const lane = this.#lane(name);
    lane.waitingBytes += bytes.length;
    lane.queue.push(bytes);
    this.#sealNext(lane);
  }

  open(sealed: Uint8Array): void {
    const { frames } = this.#bulk.frames.isOwn(sealed) ? this.#bulk : this.#urgent;
    this.#opening++;
    frames
      .openFrame(sealed)
      .then(
        (bytes) => this.#events.onOpened(bytes),
        (error: unknown) => this.#events.onBroken(error),
      )
      .finally(() => {
        if (--this.#opening === 0) for (const run of this.#onRead.splice(0)) run();
      });
  }

  /** Runs once when all that has come is opened; at once when it is. */
  whenRead(run: () => void): void {
    if (this.#opening === 0) run();
    else this.#onRead.push(run);
  }

  /** When all that was to be sealed has been handed over. */
  async drained(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => this.#onSent.push(resolve));
  }

  #lane(name: Lane): SealedLane {
    return name === 'bulk' ? this.#bulk : this.#urgent;
  }

  #sealNext(lane: SealedLane): void {
    if (lane.sealing >= SEALING_MAX[lane.name] || (lane.sealing > 0 && !lane.frames.hasRoomFor(lane.queue[0]?.length ?? 0)))
      return;
    const bytes = lane.queue.shift();
    if (bytes === undefined) return;
    lane.sealing++;
    lane.frames.sealFrame(bytes).then(
      (sealed) => {
        lane.sealing--;
        lane.waitingBytes -= bytes.length;
        this.#events.onSealed(sealed, lane.name);
        this.#sealNext(lane);
        if (this.isIdle) for (const run of this.#onSent.splice(0)) run();
      },
      (error: unknown) => this.#events.onBroken(error),
    );
  }
}
