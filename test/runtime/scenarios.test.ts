/** What a core must survive, where the driver has to see to it; numbers as in the list of scenarios. */
import { expect, test } from 'vitest';
import { makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { holdsLease } from '../../src/runtime/standing/freshness.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { Cluster } from './cluster.ts';
import { append, emptyEntry, LoneReplica, snapshot } from './lone-replica.ts';

test('S12: entries that wait to be applied when a snapshot comes are skipped, and the changes among them too', async () => {
  const lone = new LoneReplica();
  const entry = (index: number) =>
    index === 5
      ? makeEntry(5, 1, 'conf', 0, NO_BYTES, {
          transition: 'auto',
          steps: [{ op: 'voter', id: 'z', context: undefined }],
          context: undefined,
        })
      : emptyEntry(index);
  await lone.receive(snapshot(3));
  // The machine is still being restored: these wait.
  await lone.receive(append(4, 6, entry));
  expect(lone.core.status()).toMatchObject({ commitIndex: 6, appliedIndex: 3 });
  await lone.receive(snapshot(9));
  for (let i = 0; i < 4; i++) await lone.restored();
  expect(lone.replica.appliedIndex).toBe(9);
  expect(lone.core.status().conf.voters).toEqual(['a', 'b', 'c']);
  await lone.receive(append(10, 10));
  expect(lone.done).toEqual(['restore', 'restore', 'apply 10']);
  expect(lone.confs).toEqual([['a', 'b', 'c']]);
  expect(lone.faults).toEqual([]);
});

/** A clock that can be made to have slept, without a tick telling of it. */
function sleepyClock(): Clock & { sleep(ms: number): void } {
  const real = nodeClock();
  let sleptMs = 0;
  return {
    ...real,
    monotonicMs: () => real.monotonicMs() + sleptMs,
    sleep: (ms) => {
      sleptMs += ms;
    },
  };
}

test('S73: a lease is void after a freeze, though no tick has told of it; and after many ticks that were a little late', async () => {
  await using cluster = new Cluster();
  const clock = sleepyClock();
  const tune = { leaseReads: true };
  const first = await cluster.open({ clock, tune });
  await cluster.open({ tune });
  await cluster.open({ tune });
  await cluster.voters(3);
  await cluster.transferTo(first);
  await first.node.until(() => first.node.role === 'leader');
  await first.node.propose({ type: 'add', amount: 1 });
  await first.node.until(() => holdsLease(first.engine.standing));
  clock.sleep(100);
  expect(holdsLease(first.engine.standing)).toBe(false);
  const before = first.engine.application.reads.rounds;
  expect(await first.node.read((state) => state.balance, { consistency: 'lease' })).toBe(1);
  expect(first.engine.application.reads.rounds).toBe(before + 1);
  await first.node.until(() => holdsLease(first.engine.standing));
  for (let i = 0; i < 3; i++) first.engine.member?.tick(10);
  expect(holdsLease(first.engine.standing)).toBe(false);
});

test('S74: a wake-up is one tick, not all that were missed, and what waits to be received comes before any election', async () => {
  await using cluster = new Cluster();
  const clock = sleepyClock();
  const leader = await cluster.open();
  const follower = await cluster.open({ clock });
  await cluster.open();
  await cluster.voters(3);
  await cluster.transferTo(leader);
  await follower.node.until((status) => status.leaderId === leader.node.id);
  const { core } = follower.engine.member ?? {};
  if (core === undefined) throw new Error('no member');
  cluster.hub.partition(
    [follower.node.id],
    cluster.running().flatMap(({ node }) => (node === follower.node ? [] : [node.id])),
  );
  const ticks: (readonly [elapsedTicks: number, atMs: number])[] = [];
  let slept = false;
  const { tick } = core;
  await new Promise<void>((resolve) => {
    core.tick = () => {
      tick.call(core);
      const { electionElapsedTicks } = core.status();
      if (slept) ticks.push([electionElapsedTicks, follower.engine.standing.lastTickMs]);
      else if (electionElapsedTicks === 4) {
        slept = true;
        clock.sleep(3_600_000);
      }
      if (ticks.length === 2) resolve();
    };
  });
  // Its timer starts anew, and the second tick is one of its own time.
  expect(ticks.map(([elapsedTicks]) => elapsedTicks)).toEqual([1, 2]);
  expect(ticks[1]?.[1]).toBeGreaterThan(ticks[0]?.[1] ?? 0);
});

test('S76: S77: who has lost its storage votes no more under its old name and is sent nothing under it', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const [gone] = cluster.followers();
  if (gone === undefined) throw new Error('no follower');
  await gone.node.propose({ type: 'add', amount: 1 });
  cluster.crash(gone);
  const back = await cluster.open({ disk: new MemoryDisk(), preferred: gone.node.id });
  expect(back.node.id).not.toBe(gone.node.id);
  await back.node.until((status) => status.suffrage === 'voter');
  expect(await back.node.read((state) => state.balance)).toBe(1);
  expect(cluster.leader().node.config.voters).toContain(back.node.id);
});
