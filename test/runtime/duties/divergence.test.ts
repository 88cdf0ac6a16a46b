/** What a member may ask about digests, and what it costs (finding A12). */
import { expect, test } from 'vitest';
import { decodeAnswer, encodeQuestion, type Question } from '../../../src/wire/digest-bodies.ts';
import { Cluster, type Opened } from '../cluster.ts';

async function ask({ engine }: Opened, question: Question): Promise<unknown> {
  return decodeAnswer(await engine.application.divergence.onQuestion('asker', encodeQuestion(question)));
}

test('A12: entries are run again only between points that the leader itself has told of, and one question at a time', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { tune: { digestEveryEntries: 5 } });
  const leader = cluster.leader();
  for (let i = 0; i < 12; i++) await leader.node.propose({ type: 'add', amount: 1 });
  const applied = await leader.node.barrier();
  const told = applied - (applied % 5);
  expect(await ask(leader, ['rerun', told - 5, told - 1])).toEqual([]);
  expect(await ask(leader, ['rerun', 1, told])).toEqual([]);
  const [first, second] = await Promise.all([ask(leader, ['rerun', told - 5, told]), ask(leader, ['rerun', told - 5, told])]);
  expect(first).toHaveLength(5);
  expect(second).toEqual([]);
});

test('P3: verify names who differs, who is the same, and who was not compared', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const [same, gone] = cluster.followers();
  if (same === undefined || gone === undefined) throw new Error('no followers');
  await leader.node.propose({ type: 'add', amount: 1 });
  const both = [same.node.id, gone.node.id].sort();
  await leader.node.until(({ peers, lastIndex }) => peers.every(({ appliedIndex }) => appliedIndex === lastIndex));
  const all = await leader.node.admin.verify();
  expect({ ...all, same: [...all.same].sort() }).toMatchObject({ ok: true, same: both, diverged: [], notCompared: [] });
  cluster.crash(gone);
  const report = await leader.node.admin.verify({ timeoutMs: 300 });
  expect(report).toMatchObject({ ok: false, same: [same.node.id], diverged: [], notCompared: [gone.node.id] });
});
