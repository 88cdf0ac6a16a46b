/** Who is reluctant stores and votes, and leads two at the most. */
import { expect, test } from 'vitest';
import { resolveAutopilot } from '../../../src/runtime/api/options.ts';
import { Cluster } from '../cluster.ts';

const autopilot = resolveAutopilot({ settleMs: 0, intervalMs: 0, moveMs: 100 });

test('of two it leads, of three it hands the office over, and is not elected again while another can be', async () => {
  await using cluster = new Cluster();
  const first = await cluster.open({ autopilot });
  const kept = await cluster.open({ autopilot, reluctant: true, lasting: true });
  await cluster.voters(2);
  await first.node.until(({ leaderId }) => leaderId === kept.node.id);
  const second = await cluster.open({ autopilot });
  await cluster.voters(3);
  await kept.node.until(({ leaderId }) => leaderId === first.node.id || leaderId === second.node.id);
  const others = [first.node.id, second.node.id];
  // Whatever it tries, the others would rather lead themselves.
  for (let i = 0; i < 3; i++) expect(await kept.node.admin.campaign({ timeoutMs: 1_000 }).catch(() => false)).toBe(false);
  expect(kept.engine.member?.core.status().priority).toBe(-1);
  expect(others).toContain((await cluster.newLeader()).node.id);
});

test('a leader that goes leaves its vote to one that likes to lead, whatever their ids', async () => {
  const quiet = { autopilot: resolveAutopilot({ settleMs: 0, intervalMs: 0, moveMs: 3_600_000 }) };
  for (let isFirst = false; !isFirst; ) {
    await using cluster = new Cluster();
    const leader = await cluster.open(quiet);
    const other = await cluster.open(quiet);
    const kept = await cluster.open({ ...quiet, reluctant: true, lasting: true });
    // By its id it would be the first.
    isFirst = kept.node.id < other.node.id;
    await cluster.voters(3);
    await leader.node.until(() => leader.engine.reports.surroundingsOf(kept.node.id)?.reluctant === true);
    await other.node.until(() => other.engine.reports.surroundingsOf(kept.node.id)?.reluctant === true);
    await leader.node.stop({ transfer: false });
    expect((await cluster.newLeader(leader.node.id)).node.id).toBe(other.node.id);
  }
});
