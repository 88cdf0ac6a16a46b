/** Metrics of a real node, and their text as OpenMetrics wants it. */
import { expect, test, vi } from 'vitest';
import { measure } from '../../src/metrics/index.ts';
import { openMetrics, Registry, SERIES_MAX } from '../../src/metrics/registry.ts';
import { Cluster } from '../runtime/cluster.ts';

/** Every line of the text that is a sample: name, labels, number. */
const SAMPLE = /^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? [-+\d.eE]+$/;

test('what a node does is counted, and what it is can be read at any time', async () => {
  await using cluster = new Cluster();
  const [a, b] = await cluster.of(2);
  const { node } = cluster.leader();
  const metrics = measure(node, { room: 'test "room"\n' });
  const numberOf = (name: string, labels: object = {}): number | undefined =>
    metrics
      .points()
      .find((point) => point.name === name && Object.entries(labels).every(([key, value]) => point.labels[key] === value))?.value;
  await node.propose({ type: 'add', amount: 1 });
  await node.propose({ type: 'add', amount: 1 });
  await node.propose({ type: 'refuse' }).catch(() => undefined);
  const writes = metrics.points().find(({ name }) => name === 'tabraft_write_seconds');
  expect(writes).toMatchObject({ count: 2, kind: 'histogram' });
  expect(writes?.buckets?.at(-1)?.[1]).toBe(2);
  expect(numberOf('tabraft_writes_failed', { code: 'handler-failed' })).toBe(1);
  await vi.waitFor(() => expect(numberOf('tabraft_entries_applied')).toBeGreaterThanOrEqual(3));
  expect(numberOf('tabraft_role', { role: 'leader' })).toBe(1);
  expect(numberOf('tabraft_role', { role: 'follower' })).toBe(0);
  expect(numberOf('tabraft_commit_index')).toBe(node.status.commitIndex);
  expect(numberOf('tabraft_peers_linked')).toBe(1);
  expect(numberOf('tabraft_quorum_alive')).toBe(1);
  const text = metrics.text();
  expect(text.endsWith('# EOF\n')).toBe(true);
  for (const line of text
    .trimEnd()
    .split('\n')
    .filter((one) => !one.startsWith('#')))
    expect(line).toMatch(SAMPLE);
  expect(text).toContain('tabraft_writes_failed_total{room="test \\"room\\"\\n",code="handler-failed"} 1');
  expect(text).toContain('le="+Inf"} 2');
  // One description per metric, before its samples.
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  expect(new Set(types).size).toBe(types.length);
  metrics.stop();
  const other = [a, b].find((one) => one?.node !== node);
  await other?.node.propose({ type: 'add', amount: 1 });
  await node.propose({ type: 'add', amount: 1 });
  expect(metrics.points().find(({ name }) => name === 'tabraft_write_seconds')?.count).toBe(2);
});

test('counters never go back, histograms count up to each bound, and labels are bounded', () => {
  const registry = new Registry();
  const count = registry.counter({ name: 'c', help: 'A "count"\nof things.' });
  count();
  count({}, -5);
  count({}, 2);
  const observe = registry.histogram({ name: 'h', help: 'h', unit: 'seconds' }, [1, 2.5]);
  for (const value of [0.5, 1, 2, 9]) observe(value);
  expect(openMetrics(registry.points())).toBe(
    [
      '# TYPE c counter',
      '# HELP c A \\"count\\"\\nof things.',
      'c_total 3',
      '# TYPE h histogram',
      '# UNIT h seconds',
      '# HELP h h',
      'h_bucket{le="1.0"} 2',
      'h_bucket{le="2.5"} 3',
      'h_bucket{le="+Inf"} 4',
      'h_count 4',
      'h_sum 12.5',
      '# EOF',
      '',
    ].join('\n'),
  );
  for (let i = 0; i < SERIES_MAX + 50; i++) count({ code: `code ${i}` });
  expect(registry.points().filter(({ name }) => name === 'c').length).toBe(SERIES_MAX);
});
