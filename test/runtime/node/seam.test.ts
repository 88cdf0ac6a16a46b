/** A whole cluster with a structured clone at every crossing between consensus and application. */
import { expect, test } from 'vitest';
import type { Crossing } from '../../../src/runtime/ports/seam.ts';
import { Cluster } from '../cluster.ts';
import { SIDES_APART } from '../crossing/apart.ts';
import { clonedApplication, clonedConsensus } from './crossing.ts';

test.skipIf(SIDES_APART)(
  'nothing that crosses the seam needs more than a structured clone: writes, reads, snapshots, a change of leaders',
  async () => {
    await using cluster = new Cluster();
    let crossings = 0;
    const crossing: Crossing = {
      application: (inner) => counted(clonedApplication(inner)),
      consensus: (inner) => counted(clonedConsensus(inner)),
    };
    function counted<T extends object>(side: T): T {
      return new Proxy(side, {
        get: (target, key) => {
          crossings++;
          return Reflect.get(target, key);
        },
      });
    }
    const options = { crossing, tune: { snapshotEveryEntries: 20, keepEntries: 0 } };
    await cluster.of(3, options);
    const leader = cluster.leader();
    const follower = cluster.followers()[0];
    if (follower === undefined) throw new Error('no follower');
    for (let i = 1; i <= 40; i++) expect(await follower.node.propose({ type: 'add', amount: 1 })).toBe(i);
    await expect(follower.node.propose({ type: 'refuse' })).rejects.toMatchObject({ code: 'handler-failed' });
    expect(await follower.node.read((state) => state.balance)).toBe(40);
    await expect(follower.node.propose({ type: 'add', amount: 1 }, { expectedTerm: 999 })).rejects.toMatchObject({
      code: 'term-mismatch',
    });
    const late = await cluster.open(options);
    await late.node.ready;
    expect(await late.node.read((state) => state.balance)).toBe(40);
    cluster.crash(leader);
    await cluster.newLeader(leader.node.id);
    expect(await follower.node.propose({ type: 'add', amount: 1 })).toBe(41);
    expect(crossings).toBeGreaterThan(500);
  },
);
