/** P1: a committed priority changes who leads. */
import { expect, test } from 'vitest';
import { resolveAutopilot } from '../../../src/runtime/api/options.ts';
import { Cluster } from '../cluster.ts';

test('P1: leadership moves to a voter of higher priority when things are calm, and stays there', async () => {
  await using cluster = new Cluster();
  const autopilot = resolveAutopilot({ settleMs: 20, intervalMs: 0, moveMs: 200 });
  await cluster.of(3, { autopilot });
  const leader = cluster.leader();
  const chosen = cluster.followers()[1];
  if (chosen === undefined) throw new Error('no follower');
  await leader.node.membership.setPriority(chosen.node.id, 10);
  await leader.node.until((status) => status.leaderId === chosen.node.id);
  expect(chosen.engine.member?.core.status().priority).toBe(10);
  expect(await chosen.node.propose({ type: 'add', amount: 1 })).toBe(1);
});
