/** Relayed frames over their rate, in an object that cannot read more slowly. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Bucket } from '../../signaling/buckets.ts';
import { HELD_BYTES_MAX, HELD_TOTAL_BYTES_MAX, HeldFrames } from '../../signaling/cloudflare/held-frames.ts';
import type { ServerSocket } from '../../signaling/cloudflare/platform.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MIB = 1024 * 1024;
const socket = (): ServerSocket => ({}) as ServerSocket;
const bucket = (): Bucket => new Bucket({ burst: MIB, perSecond: MIB }, Date.now());

function setUp() {
  const got: { readonly from: ServerSocket; readonly first: number }[] = [];
  const held = new HeldFrames((from, frame) => void got.push({ from, first: frame[0] ?? -1 }));
  return { got, held, firsts: () => got.map(({ first }) => first) };
}

test('what is over the rate arrives at the rate, whole and in order', () => {
  const { held, firsts } = setUp();
  const [from, rate] = [socket(), bucket()];
  const send = (first: number): boolean => held.take(from, new Uint8Array(MIB / 4).fill(first), rate);
  for (let i = 0; i < 12; i++) expect(send(i)).toBe(true);
  expect(firsts()).toEqual([0, 1, 2, 3, 4]);
  vi.advanceTimersByTime(1_000);
  // A small one waits behind the others, though it would fit.
  expect(held.take(from, Uint8Array.of(99), rate)).toBe(true);
  expect(firsts().length).toBeLessThanOrEqual(9);
  vi.advanceTimersByTime(5_000);
  expect(firsts()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99]);
  expect(held.take(from, Uint8Array.of(100), rate)).toBe(true);
  expect(firsts().at(-1)).toBe(100);
});

test('far over it is lost; what others keep waiting is bounded too, and room is made by who goes', () => {
  const { held, firsts } = setUp();
  const rates = new Map<ServerSocket, Bucket>();
  const fill = (from: ServerSocket): number => {
    const rate = rates.get(from) ?? new Bucket({ burst: 1, perSecond: 1 }, Date.now());
    rates.set(from, rate);
    let taken = 0;
    while (held.take(from, new Uint8Array(MIB), rate)) taken++;
    return taken;
  };
  const all = Array.from({ length: HELD_TOTAL_BYTES_MAX / HELD_BYTES_MAX }, socket);
  // The first goes at once.
  for (const from of all) expect(fill(from)).toBe(HELD_BYTES_MAX / MIB + 1);
  const late = socket();
  expect(fill(late)).toBe(1);
  const before = firsts().length;
  held.forget(all[0] ?? late);
  held.forget(all[0] ?? late);
  expect(fill(late)).toBe(HELD_BYTES_MAX / MIB);
  vi.advanceTimersByTime(60_000);
  expect(firsts()).toHaveLength(before);
});
