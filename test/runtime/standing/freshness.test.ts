/** What a leader must have applied before anybody trusts its state. */
import { expect, test } from 'vitest';
import { holdsLease, leaderReady } from '../../../src/runtime/standing/freshness.ts';
import type { Standing } from '../../../src/runtime/standing/standing.ts';

/** A leader since index 5 whose lease holds, and which has applied so far. */
function leaderAt(appliedIndex: number): Standing {
  const core = { inLease: () => true, status: () => ({ commitIndex: appliedIndex }) };
  return {
    member: { isLeader: true, appliedIndex, core },
    leadSince: 5,
    lastTickMs: 0,
    lastTickWallMs: 0,
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    tuning: { leaseReads: true, heartbeatMs: 150, electionTimeoutMs: [750, 1500] },
  } as unknown as Standing;
}

test('§6.4 a new leader is ready, and its lease counts, only once an entry of its own term is applied', () => {
  // All that it knows to be committed is applied; a leader before it may have committed more.
  expect([leaderReady(leaderAt(4)), holdsLease(leaderAt(4))]).toEqual([false, false]);
  expect([leaderReady(leaderAt(5)), holdsLease(leaderAt(5))]).toEqual([true, true]);
});
