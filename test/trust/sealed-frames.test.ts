import { describe, expect, test } from 'vitest';
import { SEALED_FRAMES_MAX, SEALING_BYTES_MAX } from '../../src/trust/limits.ts';
import { importSealKey } from '../../src/trust/primitives.ts';
import { SEALED_OVERHEAD_BYTES, SealedFrames } from '../../src/trust/sealed-frames.ts';
import { newCluster, wire } from './ends.ts';

async function pair(from = 0): Promise<readonly [SealedFrames, SealedFrames]> {
  const [one, two] = await Promise.all([1, 2].map((n) => importSealKey(new Uint8Array(32).fill(n))));
  if (one === undefined || two === undefined) throw new Error('no keys');
  return [new SealedFrames({ send: one, receive: two }, 0, from), new SealedFrames({ send: two, receive: one }, 0, from)];
}

const frame = (n: number): Uint8Array => new Uint8Array(100).fill(n);

describe('sealed frames', () => {
  test('open at the other end of a relay, in both directions, in the order sent', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const { dialler, answerer } = await wire(a, b, { bindings: { dialler: undefined, answerer: undefined } }).settled();
    if (dialler.proven?.sealKeys === undefined || answerer.proven?.sealKeys === undefined) throw new Error('no keys');
    const [left, right] = [new SealedFrames(dialler.proven.sealKeys), new SealedFrames(answerer.proven.sealKeys)];
    const frames = Array.from({ length: 50 }, (_, n) => new Uint8Array(n === 0 ? 16_384 : n % 7).fill(n));
    const order: number[] = [];
    const sealed = await Promise.all(
      frames.map(async (bytes, n) => {
        const result = await left.sealFrame(bytes);
        order.push(n);
        return result;
      }),
    );
    expect(order).toEqual(frames.map((_, n) => n));
    expect(sealed[0]?.length).toBe(16_384 + SEALED_OVERHEAD_BYTES);
    const opened: number[] = [];
    await Promise.all(
      sealed.map(async (bytes, n) => {
        expect(await right.openFrame(bytes)).toEqual(frames[n]);
        opened.push(n);
      }),
    );
    expect(opened).toEqual(frames.map((_, n) => n));
    expect(await left.openFrame(await right.sealFrame(frame(9)))).toEqual(frame(9));
    expect(sealed[1]).not.toEqual(sealed[8]);
  });

  test.each([
    ['repeated', (s: readonly Uint8Array[]) => [s[0], s[0]]],
    ['lost', (s: readonly Uint8Array[]) => [s[1]]],
    ['moved', (s: readonly Uint8Array[]) => [s[1], s[0]]],
    ['cut', (s: readonly Uint8Array[]) => [s[0]?.slice(0, -1)]],
    ['altered', (s: readonly Uint8Array[]) => [s[0]?.with(20, (s[0][20] as number) ^ 1)]],
    ['marked otherwise', (s: readonly Uint8Array[]) => [s[0]?.with(0, 0)]],
    ['empty', () => [new Uint8Array(0)]],
  ])('a frame that was %s does not open, and nothing does after it', async (_how, attack) => {
    const [left, right] = await pair();
    const sealed = [await left.sealFrame(frame(1)), await left.sealFrame(frame(2)), await left.sealFrame(frame(3))];
    const results = await Promise.allSettled(attack(sealed).map((bytes) => right.openFrame(bytes ?? new Uint8Array(0))));
    expect(results.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'message-invalid' } });
    for (const bytes of sealed) await expect(right.openFrame(bytes)).rejects.toMatchObject({ code: 'message-invalid' });
  });

  test('its own frame, reflected, does not open', async () => {
    const [left] = await pair();
    await expect(left.openFrame(await left.sealFrame(frame(1)))).rejects.toMatchObject({ code: 'message-invalid' });
  });

  test('frames behind one that does not open are not given out, also when they were on their way', async () => {
    const [left, right] = await pair();
    const sealed = [await left.sealFrame(frame(1)), await left.sealFrame(frame(2))];
    const results = await Promise.allSettled([
      right.openFrame(sealed[0]?.with(30, 0) ?? frame(0)),
      right.openFrame(sealed[1] ?? frame(0)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('too much at once is refused before it is counted; used-up keys end the link', async () => {
    const [left, right] = await pair();
    const large = new Uint8Array(SEALING_BYTES_MAX);
    const first = left.sealFrame(large);
    await expect(left.sealFrame(frame(1))).rejects.toMatchObject({ code: 'busy' });
    expect(await right.openFrame(await first)).toHaveLength(SEALING_BYTES_MAX);
    expect(await right.openFrame(await left.sealFrame(frame(2)))).toEqual(frame(2));
    const [late, lateRight] = await pair(SEALED_FRAMES_MAX - 1);
    expect(await lateRight.openFrame(await late.sealFrame(frame(3)))).toEqual(frame(3));
    await expect(late.sealFrame(frame(4))).rejects.toMatchObject({ code: 'link-failed' });
    await expect(lateRight.openFrame(await left.sealFrame(frame(4)))).rejects.toMatchObject({ code: 'message-invalid' });
  });
});
