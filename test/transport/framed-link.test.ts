/** A link's own rules, over a channel that does only what the test says: windows, lanes, acknowledgement, the farewell. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Control, controlFrame, parseControl } from '../../src/transport/link/control.ts';
import { FramedLink } from '../../src/transport/link/framed-link.ts';
import {
  ACKNOWLEDGE_AFTER_MS,
  ACKNOWLEDGE_BYTES,
  BULK_IN_FLIGHT_MAX,
  URGENT_IN_FLIGHT_MAX,
} from '../../src/transport/link/limits.ts';
import type { RawLinkEvents } from '../../src/transport/link/raw-link.ts';

class End {
  readonly got: Uint8Array[] = [];
  readonly errors: string[] = [];
  /** Frames on their way to the other end, while nobody delivers them. */
  readonly sent: Uint8Array[] = [];
  buffered = 0;
  closed = false;
  other: End | undefined;
  /** Whether frames arrive at the other end by themselves. */
  flows = true;
  events: RawLinkEvents | undefined;
  readonly link: FramedLink;

  constructor() {
    this.link = new FramedLink(
      (events) => {
        this.events = events;
        return {
          send: (frame) => {
            this.sent.push(frame.slice());
            if (this.flows) this.deliver();
          },
          bufferedBytes: () => this.buffered,
          close: () => {
            this.closed = true;
          },
        };
      },
      {
        onOpen: () => undefined,
        onMessage: (message) => void this.got.push(message.slice()),
        onClose: (error) => void this.errors.push(error.message),
      },
    );
  }

  deliver(): void {
    for (let frame = this.sent.shift(); frame !== undefined; frame = this.sent.shift()) {
      if (this.other?.closed === false) this.other.events?.onFrame(frame);
    }
  }

  sentBytes(): number {
    return this.sent.reduce((sum, frame) => sum + frame.length, 0);
  }
}

function pair(): [End, End] {
  const ends: [End, End] = [new End(), new End()];
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  for (const end of ends) end.events?.onOpen();
  return ends;
}
const message = (size: number, fill = 1): Uint8Array => new Uint8Array(size).fill(fill);

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(1);
});
afterEach(() => void vi.useRealTimers());
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('in flight', () => {
  it('is bounded by what the peer has acknowledged, for bulk sooner; what is urgent never waits behind it', async () => {
    const [a] = pair();
    a.flows = false; // a page that is frozen: all leaves the channel, nothing is read
    for (let i = 0; i < 40; i++) a.link.send(message(256 * 1024), 'bulk');
    await settle();
    expect(a.sentBytes()).toBeGreaterThanOrEqual(BULK_IN_FLIGHT_MAX);
    expect(a.sentBytes()).toBeLessThan(BULK_IN_FLIGHT_MAX + 64 * 1024);
    const before = a.sent.length;
    expect(a.link.send(message(100, 9), 'urgent')).toBe(true);
    await settle();
    expect(a.sent.slice(before).some((frame) => frame.length < 200 && frame.at(-1) === 9)).toBe(true);
    for (let i = 0; i < 40; i++) a.link.send(message(256 * 1024), 'urgent');
    await settle();
    expect(a.sentBytes()).toBeLessThan(URGENT_IN_FLIGHT_MAX + 64 * 1024);
    expect(a.link.unacknowledgedBytes).toBeGreaterThan(a.sentBytes());
    await settle(60_000);
    expect(a.errors).toEqual([]); // frozen is not dead
  });

  it('goes on when the peer reads, to the last byte, and nothing is counted as on its way in the end', async () => {
    const [a, b] = pair();
    a.flows = false;
    let taken = 0;
    while (a.link.send(message(100_000, taken), 'bulk')) taken++;
    await settle();
    a.flows = true;
    a.deliver();
    await settle(ACKNOWLEDGE_AFTER_MS + 1);
    expect(b.got.length).toBe(taken);
    expect(a.link.unacknowledgedBytes).toBe(0);
  });

  it('costs a peer of small messages one frame in a while, and one of large ones a frame for so many bytes, at once', async () => {
    const [a] = pair();
    let acknowledgements = 0;
    const { events } = a;
    if (events === undefined) throw new Error('not made');
    a.events = {
      ...events,
      onFrame: (frame) => {
        if (parseControl(frame)?.type === Control.acknowledge) acknowledgements++;
        events.onFrame(frame);
      },
    };
    for (let i = 0; i < 10; i++) {
      a.link.send(message(100), 'urgent');
      await settle((ACKNOWLEDGE_AFTER_MS - 10) / 10);
    }
    expect(acknowledgements).toBe(0);
    await settle(20);
    expect(acknowledgements).toBe(1);
    expect(a.link.unacknowledgedBytes).toBe(0);
    a.link.send(message(4 * ACKNOWLEDGE_BYTES), 'bulk');
    await settle();
    expect(acknowledgements).toBeGreaterThanOrEqual(4);
  });

  it('is not widened by a peer that acknowledges what it never got', async () => {
    const [a, b] = pair();
    a.flows = false;
    for (let i = 0; i < 40; i++) a.link.send(message(256 * 1024), 'bulk');
    await settle();
    const before = a.sentBytes();
    for (const value of [2 ** 47, before + 1_000_000]) {
      b.flows = true;
      a.events?.onFrame(controlFrame(Control.acknowledge, value));
    }
    await settle();
    expect(a.sentBytes()).toBe(before);
  });

  it('waits inside the link while the channel is full, and a channel that never drains is given up', async () => {
    const [a] = pair();
    a.buffered = 1e6;
    a.link.send(message(1_000), 'urgent');
    await settle(1_000);
    expect(a.link.queuedBytes('urgent')).toBe(1_000);
    await settle(15_000);
    expect(a.errors).toEqual([expect.stringContaining('no longer drains')]);
  });
});

describe('a measurement', () => {
  it('tells the round trip, and no second answer changes it', async () => {
    const [a, b] = pair();
    b.flows = false;
    a.link.send(message(10), 'urgent');
    await settle(80);
    b.deliver();
    expect(a.link.measure.rttMs).toBeCloseTo(80, 0);
    for (let i = 0; i < 10; i++) a.events?.onFrame(controlFrame(Control.echo, i));
    expect(a.link.measure.rttMs).toBeCloseTo(80, 0);
  });
});

describe('a control frame', () => {
  it('is read as it was written, and nothing else is one', () => {
    for (const type of [Control.acknowledge, Control.probe, Control.echo]) {
      for (const value of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1])
        expect(parseControl(controlFrame(type, value))).toEqual({ type, value });
    }
    for (const type of [Control.farewell, Control.farewellHeard])
      expect(parseControl(controlFrame(type))).toEqual({ type, value: 0 });
    for (const bytes of [[], [0], [7, 0, 0], [0xfd], [0xff, 0], [0xfa], [0xfc, 1, 2, 3, 4, 5, 6, 7]])
      expect(parseControl(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('that is none ends the link, and only that', async () => {
    const [a] = pair();
    a.events?.onFrame(Uint8Array.of(0xfa, 1));
    expect(a.errors).toEqual([expect.stringContaining('no frame')]);
    expect(a.closed).toBe(true);
  });
});

describe('the end', () => {
  it('comes when the peer has all, whatever the windows say', async () => {
    const [a, b] = pair();
    a.flows = false;
    let taken = 0;
    while (a.link.send(message(256 * 1024), 'bulk')) taken++;
    await settle();
    const left = a.link.leave();
    a.flows = true;
    a.deliver();
    await left;
    expect([b.got.length, b.errors]).toEqual([taken, ['the peer closed the link']]);
  });

  it('comes after a while when the peer says nothing', async () => {
    const [a] = pair();
    a.flows = false;
    const left = a.link.leave();
    await settle(1_000);
    await left;
    expect(a.closed).toBe(true);
  });
});
