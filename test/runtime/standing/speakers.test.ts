/** What a node was told of a configuration that it lags behind, and for how long it counts. */
import { expect, test } from 'vitest';
import { Cluster } from '../cluster.ts';

test('who was only told of is forgotten once the leader is of the configuration in force, however new it was said to be', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const { engine, node } = cluster.followers()[0] ?? cluster.leader();
  await node.barrier();
  engine.speakers.introduce({ version: Number.MAX_SAFE_INTEGER, term: 1, voters: ['stranger'], others: ['other'] });
  expect([engine.speakers.knows('stranger'), engine.speakers.knows('other')]).toEqual([true, true]);
  await node.until(() => !engine.speakers.knows('stranger'));
  expect(engine.speakers.knows('other')).toBe(false);
  expect(engine.speakers.knows(cluster.leader().node.id)).toBe(true);
});
