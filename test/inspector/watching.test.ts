/** What is counted and what is drawn; a minute of figures; nothing heard while nobody looks. */
import { afterEach, expect, test, vi } from 'vitest';
import { pathOf } from '../../src/inspector/charts.ts';
import type { Inspected } from '../../src/inspector/inspected.ts';
import { kindOf, MARKS_WAITING_MAX, MessageSampler } from '../../src/inspector/messages.ts';
import { Metrics, quantile, SECONDS } from '../../src/inspector/metrics.ts';
import { Watch } from '../../src/inspector/watch.ts';
import { rowTexts, verdictOf } from '../../src/inspector/words.ts';
import { FakeNode, peer, status } from '../demo/fake-node.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('every message is counted, alike ones are drawn once, and what waits is bounded', () => {
  const sampler = new MessageSampler();
  for (let i = 0; i < 1_000; i++) sampler.note({ peer: 'b', direction: 'sent', kind: 'append-request' });
  sampler.note({ peer: 'b', direction: 'received', kind: 'append-response' });
  sampler.note({ peer: 'b', direction: 'received', kind: 'vote-request' });
  expect(sampler.count).toBe(1_002);
  expect(sampler.take().map(({ kind }) => kind)).toEqual(['vote', 'append', 'answer']);
  expect(sampler.take()).toEqual([]);
  for (let i = 0; i < 1_000; i++) sampler.note({ peer: `p${i}`, direction: 'sent', kind: 'heartbeat-request' });
  expect(sampler.take()).toHaveLength(MARKS_WAITING_MAX);
});

test('a kind that nobody knows is drawn as such, whatever it is called', () => {
  expect(['heartbeat-response', 'snapshot-chunk', 'reply', 'of tomorrow', 'constructor'].map(kindOf)).toEqual([
    'heartbeat',
    'snapshot',
    'call',
    'other',
    'other',
  ]);
});

test('figures by the second: the one under way is left out, one without writes has no latency', () => {
  let now = 1_000_000;
  const metrics = new Metrics(() => now);
  for (const ms of [1, 2, 3, 4, 100]) metrics.onWrite({ ms, code: undefined });
  metrics.onWrite({ ms: 9_000, code: 'timeout' });
  metrics.onElection();
  metrics.onCounts(10, 1_000);
  metrics.onCounts(25, 900);
  expect(metrics.series().writes.at(-1)).toBe(0);
  now += 1_000;
  metrics.onCounts(30, 1_500);
  now += 1_000;
  const series = metrics.series();
  expect(series.writes).toHaveLength(SECONDS);
  expect([series.writes.at(-2), series.failed.at(-2), series.elections.at(-2), series.messages.at(-2)]).toEqual([5, 1, 1, 15]);
  expect([series.p50.at(-2), series.p99.at(-2), series.p50.at(-1)]).toEqual([3, 100, undefined]);
  // A link that closed took its count with it: that is no negative traffic.
  expect([series.bytes.at(-2), series.bytes.at(-1)]).toEqual([0, 600]);
  expect(series.totals).toEqual({ writes: 5, failed: 1, elections: 1 });
  now += 2 * SECONDS * 1_000;
  expect(metrics.series().writes.every((count) => count === 0)).toBe(true);
  expect(metrics.series().totals.writes).toBe(5);
});

test('a busy second keeps a bounded sample', () => {
  const metrics = new Metrics(() => 5_000);
  for (let i = 0; i < 20_000; i++) metrics.onWrite({ ms: i % 100, code: undefined });
  expect(metrics.series().totals.writes).toBe(20_000);
  expect(quantile([1, 2, 3], 0.99)).toBe(3);
  expect(quantile([], 0.5)).toBeUndefined();
});

test('a line is broken where there is nothing to show', () => {
  expect(pathOf([1, undefined, 1, 1], 1).match(/M/g)).toHaveLength(2);
  expect(pathOf([], 1)).toBe('');
});

test('messages are followed only while somebody can see them; after the end nothing is heard at all', () => {
  vi.useFakeTimers();
  const fake = new FakeNode();
  fake.status = status({ peers: [peer('b', { sentBytes: 5 })] });
  let tracing = 0;
  const node = Object.assign(fake, {
    trace: (_listener: unknown, { signal }: { signal: AbortSignal }) => {
      tracing += 1;
      signal.addEventListener('abort', () => {
        tracing -= 1;
      });
    },
  });
  let shown = 0;
  const watch = new Watch(node as unknown as Inspected, () => {
    shown += 1;
  });
  vi.advanceTimersByTime(5_000);
  expect([tracing, shown]).toEqual([0, 0]);
  watch.isSeen = true;
  watch.isSeen = true;
  vi.advanceTimersByTime(1_000);
  expect([tracing, shown]).toEqual([1, 11]);
  watch.isSeen = false;
  vi.advanceTimersByTime(1_000);
  expect([tracing, shown, vi.getTimerCount()]).toEqual([0, 11, 0]);
  fake.emit('write', { ms: 1, code: undefined, index: 1 });
  expect(watch.metrics.series().totals.writes).toBe(1);
  watch.stop();
  watch.isSeen = true;
  fake.emit('write', { ms: 1, code: undefined, index: 2 });
  expect([tracing, vi.getTimerCount(), watch.metrics.series().totals.writes]).toEqual([0, 0, 1]);
});

test('a busy node is shown once a second and its messages are not drawn; when it is quiet again, as before', () => {
  vi.useFakeTimers();
  const fake = new FakeNode();
  let commitIndex = 0;
  const node = {
    on: fake.on.bind(fake),
    trace: () => undefined,
    get status() {
      return status({ commitIndex });
    },
  };
  let shown = 0;
  const watch = new Watch(
    node as unknown as Inspected,
    () => {
      shown += 1;
    },
    () => Date.now(),
  );
  const during = (ms: number, perSecond: number): number => {
    const before = shown;
    for (let i = 0; i < ms / 50; i++) {
      commitIndex += perSecond / 20;
      vi.advanceTimersByTime(50);
    }
    return shown - before;
  };
  watch.isSeen = true;
  during(1_000, 400);
  expect(watch.isBusy).toBe(false);
  during(2_000, 4_000);
  expect(watch.isBusy).toBe(true);
  expect(during(5_000, 4_000)).toBeLessThanOrEqual(6);
  during(2_000, 0);
  expect(watch.isBusy).toBe(false);
  expect(during(1_000, 0)).toBeGreaterThanOrEqual(9);
  watch.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test('the autopilot gives a reason for each vote', () => {
  const row = {
    id: 'a',
    suffrage: 'voter',
    wantsVote: true,
    caughtUp: true,
    heardForMs: 5,
    silentForMs: 0,
    hasLeft: false,
    device: '',
    burden: 0,
    shortOfSpace: false,
    lasting: false,
  } as const;
  expect(verdictOf(row, { silentAfterMs: 6_000 })).toContain('all is well');
  // Of itself a leader has always heard: that is no number to show.
  expect(rowTexts(row, undefined, row.id)[3]).toBe('this node');
  expect(rowTexts(row, undefined, 'another')[3]).toMatch(/^[\d.]+ m?s$/);
  expect(verdictOf({ ...row, silentForMs: 7_000 }, { silentAfterMs: 6_000 })).toContain('too long');
  expect(verdictOf({ ...row, silentForMs: 10 }, undefined)).toContain('for now');
  expect(verdictOf({ ...row, burden: 1 }, undefined)).toContain('slowed down');
  expect(verdictOf({ ...row, shortOfSpace: true }, undefined)).toContain('disk is full');
  expect(verdictOf({ ...row, hasLeft: true }, undefined)).toContain('goodbye');
  expect(verdictOf({ ...row, suffrage: 'learner', caughtUp: false }, undefined)).toContain('catching up');
});
