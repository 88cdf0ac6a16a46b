/** When a keeper asks for a state, and when it takes the one that came. */
import { expect, test } from 'vitest';
import { Emitter } from '../../../src/runtime/api/emitter.ts';
import { Renewal } from '../../../src/runtime/duties/renewal.ts';
import type { Standing } from '../../../src/runtime/standing/standing.ts';
import type { StagedSnapshot } from '../../../src/storage/storage.ts';

const staged = (index: number) => ({ meta: { index, term: 1 }, bytes: 1, digest: '' }) as StagedSnapshot;

function bench(how: { readonly leader: string; readonly machines: readonly string[] }) {
  const asked: string[] = [];
  const transfers: string[] = [];
  const adopted: number[] = [];
  const discarded: number[] = [];
  const member = {
    appliedIndex: 100,
    conf: { voters: ['me', 'a', 'b'] },
    maker: {
      snapshotIndex: 0,
      adopt: async (one: StagedSnapshot) => void adopted.push(one.meta.index),
      discard: (one: StagedSnapshot) => void discarded.push(one.meta.index),
    },
    transfers: { isReceiving: false, awaitResync: () => {}, giveUpResync: () => {} },
  };
  const state = { nowMs: 0 };
  const standing = {
    id: 'me',
    leaderId: how.leader,
    member,
    clock: { monotonicMs: () => state.nowMs },
    tuning: { snapshotEveryEntries: 100, electionTimeoutMs: [150, 300] },
    peers: {
      get: (id: string) => ({ hello: { machineVersion: how.machines.includes(id) ? 1 : 0 } }),
      call: (id: string) => void asked.push(id),
    },
  } as unknown as Standing;
  const renewal = new Renewal(standing, { transfer: (to) => void transfers.push(to) }, new Emitter(() => {}));
  return { renewal, member, state, asked, transfers, adopted, discarded };
}

test('it asks the leader when enough has been applied, once in a while', () => {
  const { renewal, member, state, asked } = bench({ leader: 'a', machines: ['a'] });
  member.appliedIndex = 99;
  renewal.tick();
  expect(asked).toEqual([]);
  member.appliedIndex = 100;
  renewal.tick();
  renewal.tick();
  expect(asked).toEqual(['a']);
  state.nowMs = 60_000;
  renewal.tick();
  expect(asked).toEqual(['a', 'a']);
});

test('it asks no keeper, and hands leadership to nobody but a voter with the machine', () => {
  const followed = bench({ leader: 'a', machines: ['b'] });
  followed.renewal.tick();
  expect([followed.asked, followed.transfers]).toEqual([[], []]);
  const leads = bench({ leader: 'me', machines: ['b'] });
  leads.renewal.tick();
  expect([leads.asked, leads.transfers]).toEqual([[], ['b']]);
  const alone = bench({ leader: 'me', machines: [] });
  alone.renewal.tick();
  expect([alone.asked, alone.transfers]).toEqual([[], []]);
});

test('a state that is ahead waits until its last entry is applied here; of two the newer is taken', () => {
  const { renewal, member, adopted, discarded } = bench({ leader: 'a', machines: [] });
  renewal.onSnapshot(staged(101));
  renewal.onSnapshot(staged(103));
  renewal.tick();
  member.appliedIndex = 102;
  renewal.tick();
  expect([adopted, discarded]).toEqual([[], [101]]);
  member.appliedIndex = 103;
  renewal.tick();
  renewal.tick();
  expect(adopted).toEqual([103]);
});
