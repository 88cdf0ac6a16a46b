/**
 * One link, from dialling to its end: messages over a raw link, in two lanes, paced; and a farewell, so that the last messages
 * arrive: closing a connection drops what is buffered in it, so the end waits until the peer has said that it has all.
 */
import { RaftError } from '../../core/errors.ts';
import { FrameReader, FrameWriter } from '../../wire/frames.ts';
import type { Lane } from '../transport.ts';
import { BUFFERED_BYTES_MAX, FAREWELL_TIMEOUT_MS, NUDGE_AFTER_MS, STALL_TIMEOUT_MS } from './limits.ts';
import type { LinkSignal, MakeRawLink, RawLink, RawLinkOptions } from './raw-link.ts';

/** Frames of one byte that are no pieces: no more will come; and the answer, all has arrived. */
const FAREWELL = 0xff;
const FAREWELL_HEARD = 0xfe;
/** A frame without pieces. */
const NOTHING: Uint8Array = new Uint8Array(0);

export interface FramedLinkEvents {
  onSignal(signal: LinkSignal): void;
  onProgress(): void;
  onGathered(): void;
  onOpen(): void;
  onMessage(message: Uint8Array): void;
  /** Once, unless it was us who ended it. */
  onClose(error: RaftError): void;
}

export class FramedLink {
  sentBytes = 0;
  receivedBytes = 0;
  private readonly raw: RawLink;
  private readonly events: FramedLinkEvents;
  private readonly writer = new FrameWriter();
  private readonly reader = new FrameReader((message) => this.events.onMessage(message));
  private open = false;
  private flushing = false;
  /** We have ended it: nothing more is told, what is queued still leaves. */
  private leaving = false;
  private ended = false;
  private farewellSaid = false;
  private onEnded: (() => void) | undefined;
  private nudge: ReturnType<typeof setTimeout> | undefined;
  /** Since when the channel shows the same fullBytes while messages wait; 0: none wait. */
  private fullSinceMs = 0;
  private fullBytes = 0;
  private nudgedMs = 0;

  constructor(make: MakeRawLink, options: RawLinkOptions, events: FramedLinkEvents) {
    this.events = events;
    this.raw = make(options, {
      onSignal: (signal) => {
        if (!this.leaving) events.onSignal(signal);
      },
      onProgress: () => events.onProgress(),
      onGathered: () => events.onGathered(),
      onOpen: () => {
        this.open = true;
        if (!this.leaving) events.onOpen();
      },
      onFrame: (frame) => this.hear(frame),
      onDrain: () => this.flush(),
      onClose: (cause) => this.end(new RaftError('link-failed', 'the link closed', { cause })),
    });
  }

  signal(signal: LinkSignal): void {
    this.raw.signal(signal);
  }

  /** False when the lane is full or the link not open. */
  send(message: Uint8Array, lane: Lane): boolean {
    if (!this.open || this.leaving || !this.writer.push(lane, message)) return false;
    if (!this.flushing) {
      this.flushing = true; // what is sent in one task leaves together
      queueMicrotask(() => {
        this.flushing = false;
        this.flush();
      });
    }
    return true;
  }

  queuedBytes(lane: Lane): number {
    return this.writer.queuedBytes(lane);
  }

  /** Ends it without a word to the owner. Resolves when the peer has all that was sent, or cannot be reached. */
  leave(): Promise<void> {
    if (this.ended || this.leaving) return Promise.resolve();
    this.leaving = true;
    if (!this.open) {
      this.end(undefined);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end(undefined), FAREWELL_TIMEOUT_MS);
      this.onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      this.flush();
    });
  }

  /** Hands over what fits; when nothing is left of a link that ends, the farewell. */
  private flush(): void {
    if (!this.open || this.ended) return;
    try {
      // A page that is going away has no second chance: then all of it is handed over now.
      while (this.leaving || this.raw.bufferedBytes() <= BUFFERED_BYTES_MAX) {
        const frame = this.writer.take();
        if (frame === undefined) break;
        this.sentBytes += frame.length;
        this.raw.send(frame);
      }
      this.watchDrain();
      if (this.leaving && !this.farewellSaid) {
        this.farewellSaid = true;
        this.raw.send(Uint8Array.of(FAREWELL));
      }
    } catch (cause) {
      this.end(new RaftError('link-failed', 'the link takes no more', { cause }));
    }
  }

  /** While messages wait for room, time runs against the channel. */
  private watchDrain(): void {
    const nowMs = performance.now();
    if (this.writer.queuedBytes('urgent') + this.writer.queuedBytes('bulk') === 0) {
      clearTimeout(this.nudge);
      this.nudge = undefined;
      this.fullSinceMs = 0;
      return;
    }
    if (this.fullSinceMs === 0) this.nudgedMs = nowMs;
    if (this.fullSinceMs === 0 || this.raw.bufferedBytes() !== this.fullBytes) {
      this.fullSinceMs = nowMs;
      this.fullBytes = this.raw.bufferedBytes();
    }
    this.nudge ??= setTimeout(() => {
      this.nudge = undefined;
      this.nudgeChannel();
    }, NUDGE_AFTER_MS);
  }

  /**
   * Chromium sometimes does not tell that a channel has drained, and keeps showing it full; sending anything makes it look
   * again. A channel that never drains is broken: that of a peer that is merely frozen does.
   */
  private nudgeChannel(): void {
    if (this.ended || !this.open || this.fullSinceMs === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.fullSinceMs > STALL_TIMEOUT_MS) {
      this.end(new RaftError('link-failed', 'the link no longer drains'));
      return;
    }
    try {
      if (this.raw.bufferedBytes() > BUFFERED_BYTES_MAX && nowMs - this.nudgedMs >= NUDGE_AFTER_MS) {
        this.nudgedMs = nowMs;
        this.raw.send(NOTHING);
      }
    } catch (cause) {
      this.end(new RaftError('link-failed', 'the link takes no more', { cause }));
    }
    this.flush();
  }

  private hear(frame: Uint8Array): void {
    if (this.ended) return;
    this.receivedBytes += frame.length;
    if (frame.length === 1 && frame[0] === FAREWELL_HEARD) this.end(new RaftError('link-failed', 'the peer closed the link'));
    else if (frame.length === 1 && frame[0] === FAREWELL) this.hearFarewell();
    else if (!this.leaving) this.read(frame);
    if (this.fullSinceMs > 0 && frame.length > 0) this.nudgeChannel(); // timers of a hidden page are slow, messages are not
  }

  /** The peer will close when it has our answer; should it not, we do. */
  private hearFarewell(): void {
    try {
      this.raw.send(Uint8Array.of(FAREWELL_HEARD));
    } catch {
      // It is gone already.
    }
    const told = this.leaving;
    this.leaving = true;
    setTimeout(() => this.end(undefined), FAREWELL_TIMEOUT_MS);
    if (!told) this.events.onClose(new RaftError('link-failed', 'the peer closed the link'));
  }

  private read(frame: Uint8Array): void {
    try {
      this.reader.read(frame);
    } catch (cause) {
      this.end(new RaftError('link-failed', 'the peer sent what is no frame', { cause }));
    }
  }

  private end(error: RaftError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.open = false;
    clearTimeout(this.nudge);
    this.raw.close();
    this.onEnded?.();
    if (!this.leaving && error !== undefined) this.events.onClose(error);
  }
}
