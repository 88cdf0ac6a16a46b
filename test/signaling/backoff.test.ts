import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/signaling/backoff.ts';

/** How long after a server is back its client tries it, at worst: the longest pause at each moment of an outage. */
function pauses(random: () => number, outageMs: number): { readonly atMs: number; readonly pauseMs: number }[] {
  const backoff = new Backoff(random);
  const all = [];
  for (let atMs = 0; atMs < outageMs; atMs += all.at(-1)?.pauseMs ?? 0)
    all.push({ atMs, pauseMs: backoff.pauseMs(atMs, false, 0) });
  return all;
}

describe('pauses between tries', () => {
  it('T9: are never longer than a second while an outage is young, however long it has been', () => {
    for (const random of [() => 0, () => 0.999]) {
      const all = pauses(random, 119_000);
      expect(Math.max(...all.map(({ pauseMs }) => pauseMs))).toBeLessThanOrEqual(1_000);
      expect(Math.min(...all.map(({ pauseMs }) => pauseMs))).toBeGreaterThanOrEqual(125);
    }
  });

  it('grow to 15 s in a long outage, and start small again after it', () => {
    const all = pauses(() => 0.999, 600_000);
    expect(all.at(-1)?.pauseMs).toBeGreaterThan(14_000);
    const backoff = new Backoff(() => 0.999);
    for (let i = 0; i < 100; i++) backoff.pauseMs(i * 10_000, false, 0);
    backoff.reset();
    expect(backoff.pauseMs(2_000_000, false, 0)).toBeLessThanOrEqual(250);
  });

  it('are as long as the server asks for, and long after a refusal', () => {
    const backoff = new Backoff(() => 0);
    expect(backoff.pauseMs(0, false, 5_000)).toBe(5_000);
    expect(backoff.pauseMs(0, true, 0)).toBe(10_000);
  });
});
