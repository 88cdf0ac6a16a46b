import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { FrameReader, FrameWriter } from '../../src/wire/frames.ts';
import { BULK_QUEUE_BYTES_MAX, FRAME_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../src/wire/limits.ts';

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

/** All frames of a writer, copied as a link copies them. */
function drain(writer: FrameWriter): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = writer.take(); frame !== undefined; frame = writer.take()) frames.push(frame.slice());
  return frames;
}

function readAll(frames: readonly Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const reader = new FrameReader((message) => messages.push(message));
  for (const frame of frames) reader.read(frame);
  return messages;
}

describe('frames', () => {
  it('carry any messages whole and in the order of their lane', () => {
    const sizes = fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 3 * FRAME_BYTES_MAX }));
    const sends = fc.array(fc.tuple(fc.constantFrom('urgent' as const, 'bulk' as const), sizes), { maxLength: 40 });
    fc.assert(
      fc.property(sends, fc.nat({ max: 5 }), (messages, takenBetween) => {
        const writer = new FrameWriter();
        const frames: Uint8Array[] = [];
        messages.forEach(([lane, size], i) => {
          expect(writer.push(lane, filled(size, i))).toBe(true);
          for (let n = 0; n < takenBetween; n++) {
            const frame = writer.take();
            if (frame !== undefined) frames.push(frame.slice());
          }
        });
        frames.push(...drain(writer));
        expect(writer.queuedBytes('urgent') + writer.queuedBytes('bulk')).toBe(0);
        for (const frame of frames) expect(frame.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
        const received = readAll(frames);
        expect(received.length).toBe(messages.length);
        for (const lane of ['urgent', 'bulk']) {
          const sent = messages.map((message, i) => [...message, i] as const).filter(([of, size]) => of === lane && size > 0);
          const numbers = new Set(sent.map(([, , i]) => i));
          const got = received.filter((message) => message.length > 0 && numbers.has(message[0] ?? -1));
          expect(got.map((message) => [message.length, message[0]])).toEqual(sent.map(([, size, i]) => [size, i]));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('share small messages: a hundred of them are one frame', () => {
    const writer = new FrameWriter();
    for (let i = 0; i < 100; i++) writer.push('urgent', filled(100, i));
    const frames = drain(writer);
    expect(frames.length).toBe(1);
    expect(readAll(frames)).toEqual(Array.from({ length: 100 }, (_, i) => filled(100, i)));
  });

  it('let what is urgent overtake bulk that has begun', () => {
    const writer = new FrameWriter();
    writer.push('bulk', filled(1_000_000, 1));
    const frames = [writer.take()?.slice() ?? filled(0, 0)];
    writer.push('urgent', filled(10, 2));
    frames.push(...drain(writer));
    const order = readAll(frames).map((message) => message.length);
    expect(order).toEqual([10, 1_000_000]);
    expect(readAll(frames.slice(0, 2)).map((message) => message.length)).toEqual([10]);
  });

  it('are bounded: a full lane takes nothing in, the other lane does', () => {
    const writer = new FrameWriter();
    expect(writer.push('bulk', filled(BULK_QUEUE_BYTES_MAX, 1))).toBe(true);
    expect(writer.push('bulk', filled(1, 1))).toBe(false);
    expect(writer.push('urgent', filled(1, 1))).toBe(true);
    expect(writer.queuedBytes('bulk')).toBe(BULK_QUEUE_BYTES_MAX);
    expect(new FrameWriter().push('urgent', filled(MESSAGE_BYTES_MAX + 1, 1))).toBe(false);
  });

  const [first, last, whole] = [2, 4, 6];
  const piece = (flags: number, length: number): number[] => [
    flags,
    length >> 8,
    length & 0xff,
    ...new Array<number>(length).fill(7),
  ];
  it.each<readonly [string, readonly number[]]>([
    ['unknown flags', piece(8 | whole, 1)],
    ['a header that ends early', [whole, 0]],
    ['a piece that ends early', [whole, 0, 5, 1]],
    ['a middle without a beginning', piece(last, 1)],
    ['a beginning inside a message', [...piece(first, 2_000), ...piece(first, 2_000)]],
    ['a whole message inside a message of its lane', [...piece(first, 2_000), ...piece(whole, 1)]],
    ['crumbs', piece(first, 1)],
  ])('refuse %s', (_what, bytes) => {
    expect(codeOf(() => readAll([Uint8Array.from(bytes)]))).toBe('message-invalid');
  });

  it('refuse a frame and a message longer than allowed', () => {
    expect(codeOf(() => readAll([filled(FRAME_BYTES_MAX + 1, 0)]))).toBe('message-invalid');
    const begin = Uint8Array.from(piece(first, 16_000));
    const middle = Uint8Array.from(piece(0, 16_000));
    const reader = new FrameReader(() => undefined);
    reader.read(begin);
    const failedAfter = (): number => {
      for (let total = 16_000; ; total += 16_000) if (codeOf(() => reader.read(middle)) === 'message-invalid') return total;
    };
    expect(failedAfter()).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
  });

  it('survive anything: a message or message-invalid', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (frames) => {
        expect(['no error', 'message-invalid']).toContain(codeOf(() => readAll(frames)));
      }),
      { numRuns: 2_000 },
    );
  });
});
