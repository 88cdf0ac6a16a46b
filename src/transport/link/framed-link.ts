/**
 * Messages over a raw link, in two lanes, paced; and a farewell, so that the last messages arrive: closing a connection drops what is
 * buffered in it, so the end waits until the peer has said that it has all.
 *
 * What is urgent never waits behind bulk: bulk leaves only when nothing urgent waits, little of it waits inside the channel, and little is
 * on its way without the peer's acknowledgement. A peer that acknowledges nothing, because its page is frozen, keeps its link.
 */
import { RaftError } from '../../core/errors.ts';
import { FrameReader, FrameWriter } from '../../wire/frames.ts';
import type { Lane } from '../transport.ts';
import { Control, controlFrame, parseControl } from './control.ts';
import {
  ACKNOWLEDGE_AFTER_MS,
  ACKNOWLEDGE_BYTES,
  BUFFERED_BYTES_MAX,
  BULK_IN_FLIGHT_MAX,
  FAREWELL_TIMEOUT_MS,
  NUDGE_AFTER_MS,
  STALL_TIMEOUT_MS,
  URGENT_IN_FLIGHT_MAX,
} from './limits.ts';
import { Measure } from './measure.ts';
import type { MakeRawLink, RawLink } from './raw-link.ts';

/** A frame without pieces. */
const NOTHING: Uint8Array = new Uint8Array(0);

export interface FramedLinkEvents {
  onOpen(): void;
  onMessage(message: Uint8Array): void;
  /** Once, unless it was us who ended it. */
  onClose(error: RaftError): void;
}

export class FramedLink {
  sentBytes = 0;
  receivedBytes = 0;
  readonly measure: Measure;
  readonly #raw: RawLink;
  readonly #events: FramedLinkEvents;
  readonly #urgent = new FrameWriter();
  readonly #bulk = new FrameWriter();
  readonly #reader = new FrameReader((message) => this.#events.onMessage(message));
  #open = false;
  #flushing = false;
  /** We have ended it: nothing more is told, what is queued still leaves. */
  #leaving = false;
  #ended = false;
  #farewellSaid = false;
  #onEnded: (() => void) | undefined;
  #nudge: ReturnType<typeof setTimeout> | undefined;
  /** Since when the channel shows the same fullBytes while messages wait; 0: none wait. */
  #fullSinceMs = 0;
  #fullBytes = 0;
  #nudgedMs = 0;
  /** Bytes of frames with pieces: handed over, and of those acknowledged by the peer; come from the peer, and acknowledged by us. */
  #handedBytes = 0;
  #acknowledgedBytes = 0;
  #heardBytes = 0;
  #thankedBytes = 0;
  #acknowledging: ReturnType<typeof setTimeout> | undefined;

  constructor(make: MakeRawLink, events: FramedLinkEvents) {
    this.#events = events;
    this.#raw = make({
      onOpen: () => {
        this.#open = true;
        if (!this.#leaving) events.onOpen();
      },
      onFrame: (frame) => this.#hear(frame),
      onDrain: () => this.#flush(),
      onClose: (cause) => this.#end(new RaftError('link-failed', 'the link closed', { cause })),
    });
    this.measure = new Measure(this.#raw);
  }

  /** Bytes that the peer has not acknowledged, wherever they are. */
  get unacknowledgedBytes(): number {
    return this.#handedBytes - this.#acknowledgedBytes + this.queuedBytes('urgent') + this.queuedBytes('bulk');
  }

  /** False when the lane is full or the link not open. */
  send(message: Uint8Array, lane: Lane): boolean {
    if (!this.#open || this.#leaving || !this.#writer(lane).push(lane, message)) return false;
    if (!this.#flushing) {
      this.#flushing = true; // what is sent in one task leaves together
      queueMicrotask(() => {
        this.#flushing = false;
        this.#flush();
      });
    }
    return true;
  }

  queuedBytes(lane: Lane): number {
    return this.#writer(lane).queuedBytes(lane);
  }

  /** Ends it without a word to the owner. Resolves when the peer has all that was sent, or cannot be reached. */
  leave(): Promise<void> {
    if (this.#ended || this.#leaving) return Promise.resolve();
    this.#leaving = true;
    if (!this.#open) {
      this.#end(undefined);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(undefined), FAREWELL_TIMEOUT_MS);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#flush();
    });
  }

  #writer(lane: Lane): FrameWriter {
    return lane === 'bulk' ? this.#bulk : this.#urgent;
  }

  /** Hands over what fits; when nothing is left of a link that ends, the farewell. */
  #flush(): void {
    if (!this.#open || this.#ended) return;
    try {
      const probe = this.#leaving ? undefined : this.measure.probe();
      if (probe !== undefined) this.#raw.send(probe);
      for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
        this.sentBytes += frame.length;
        this.#handedBytes += frame.length;
        this.#raw.send(frame);
      }
      this.#watchDrain();
      if (this.#leaving && !this.#farewellSaid) {
        this.#farewellSaid = true;
        this.#raw.send(controlFrame(Control.farewell));
      }
    } catch (cause) {
      this.#end(new RaftError('link-failed', 'the link takes no more', { cause }));
    }
  }

  /** The next frame that may leave now. A page that is going away has no second chance: then all of it is handed over. */
  #next(): Uint8Array | undefined {
    if (this.#leaving) return this.#urgent.take() ?? this.#bulk.take();
    if (this.#raw.bufferedBytes() > BUFFERED_BYTES_MAX) return undefined;
    const inFlight = this.#handedBytes - this.#acknowledgedBytes;
    const urgent = inFlight < URGENT_IN_FLIGHT_MAX ? this.#urgent.take() : undefined;
    return urgent ?? (inFlight < BULK_IN_FLIGHT_MAX ? this.#bulk.take() : undefined);
  }

  /** While messages wait for room in the channel, time runs against it. What waits for the peer's acknowledgement may wait. */
  #watchDrain(): void {
    const nowMs = performance.now();
    const waits = this.queuedBytes('urgent') + this.queuedBytes('bulk') > 0;
    if (!waits || this.#raw.bufferedBytes() <= BUFFERED_BYTES_MAX) {
      clearTimeout(this.#nudge);
      this.#nudge = undefined;
      this.#fullSinceMs = 0;
      return;
    }
    if (this.#fullSinceMs === 0) this.#nudgedMs = nowMs;
    if (this.#fullSinceMs === 0 || this.#raw.bufferedBytes() !== this.#fullBytes) {
      this.#fullSinceMs = nowMs;
      this.#fullBytes = this.#raw.bufferedBytes();
    }
    this.#nudge ??= setTimeout(() => {
      this.#nudge = undefined;
      this.#nudgeChannel();
    }, NUDGE_AFTER_MS);
  }

  /**
   * Chromium sometimes does not tell that a channel has drained, and keeps showing it full; sending anything makes it look
   * again. A channel that never drains is broken: that of a peer that is merely frozen does.
   */
  #nudgeChannel(): void {
    if (this.#ended || !this.#open || this.#fullSinceMs === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#fullSinceMs > STALL_TIMEOUT_MS) {
      this.#end(new RaftError('link-failed', 'the link no longer drains'));
      return;
    }
    try {
      if (this.#raw.bufferedBytes() > BUFFERED_BYTES_MAX && nowMs - this.#nudgedMs >= NUDGE_AFTER_MS) {
        this.#nudgedMs = nowMs;
        this.#raw.send(NOTHING);
      }
    } catch (cause) {
      this.#end(new RaftError('link-failed', 'the link takes no more', { cause }));
    }
    this.#flush();
  }

  #hear(frame: Uint8Array): void {
    if (this.#ended) return;
    this.receivedBytes += frame.length;
    const control = parseControl(frame);
    if (control !== undefined) this.#hearControl(control.type, control.value);
    else {
      this.#heardBytes += frame.length;
      if (!this.#leaving) this.#read(frame);
      this.#acknowledge();
    }
    if (this.#fullSinceMs > 0 && frame.length > 0) this.#nudgeChannel(); // timers of a hidden page are slow, messages are not
  }

  #hearControl(type: Control, value: number): void {
    if (type === Control.farewellHeard) this.#end(new RaftError('link-failed', 'the peer closed the link'));
    else if (type === Control.farewell) this.#hearFarewell();
    else if (type === Control.probe) this.#say(controlFrame(Control.echo, value));
    else if (type === Control.echo) this.measure.echoed(value);
    // Never more than was handed over, never less than before: a peer cannot widen its own window.
    else if (value > this.#acknowledgedBytes && value <= this.#handedBytes) {
      this.#acknowledgedBytes = value;
      this.#flush();
    }
  }

  #acknowledge(): void {
    if (this.#ended) return;
    if (this.#heardBytes - this.#thankedBytes >= ACKNOWLEDGE_BYTES) this.#acknowledgeNow();
    else this.#acknowledging ??= setTimeout(() => this.#acknowledgeNow(), ACKNOWLEDGE_AFTER_MS);
  }

  #acknowledgeNow(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    if (this.#ended) return;
    this.#thankedBytes = this.#heardBytes;
    this.#say(controlFrame(Control.acknowledge, this.#heardBytes));
  }

  #say(frame: Uint8Array): void {
    try {
      this.#raw.send(frame);
    } catch {
      // It is going: its close tells the rest.
    }
  }

  /** The peer will close when it has our answer; should it not, we do. */
  #hearFarewell(): void {
    this.#say(controlFrame(Control.farewellHeard));
    const told = this.#leaving;
    this.#leaving = true;
    setTimeout(() => this.#end(undefined), FAREWELL_TIMEOUT_MS);
    if (!told) this.#events.onClose(new RaftError('link-failed', 'the peer closed the link'));
  }

  #read(frame: Uint8Array): void {
    try {
      this.#reader.read(frame);
    } catch (cause) {
      this.#end(new RaftError('link-failed', 'the peer sent what is no frame', { cause }));
    }
  }

  #end(error: RaftError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#open = false;
    clearTimeout(this.#nudge);
    clearTimeout(this.#acknowledging);
    this.#raw.close();
    this.#onEnded?.();
    if (!this.#leaving && error !== undefined) this.#events.onClose(error);
  }
}
