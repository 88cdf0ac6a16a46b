/** A crowd at the door: taken in together, and each is told what became of it. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import type { RaftError } from '../../../src/core/errors.ts';
import type { ConfState } from '../../../src/core/types.ts';
import { resolveAutopilot } from '../../../src/runtime/api/options.ts';
import { ChangePace } from '../../../src/runtime/duties/change-pace.ts';
import { JOIN_WAIT_MS, JoinBatch, MEMBERS_MAX, NEWCOMERS_AT_ONCE } from '../../../src/runtime/duties/join-batch.ts';
import { Linking } from '../../../src/runtime/duties/linking.ts';
import type { QueuedChange } from '../../../src/runtime/member/change-queue.ts';
import { Cluster } from '../cluster.ts';

/** A leader whose changes are carried out when the test says so. */
function door(everyMs = 1_000) {
  let now = 0;
  let isLeader = true;
  const revoked = new Set<string>();
  const submitted: QueuedChange[] = [];
  const member = {
    get isLeader() {
      return isLeader;
    },
    changes: { submit: (change: QueuedChange) => submitted.push(change) },
  };
  const told: string[] = [];
  const trust = { isRevoked: (id: string) => revoked.has(id) };
  const batch = new JoinBatch({ member, clock: { monotonicMs: () => now } } as never, trust, new ChangePace(everyMs), () => {});
  return {
    told,
    revoked,
    submitted,
    ask: (nodeId: string, context = new Uint8Array(1)) =>
      batch.add({ nodeId, context }, (error: RaftError | undefined) => told.push(`${nodeId} ${error?.code ?? 'in'}`)),
    pass: (ms: number) => {
      now += ms;
      batch.tick();
    },
    depose: () => {
      isLeader = false;
      batch.tick();
    },
    /** The oldest change is made in this configuration; whom it takes in. */
    make: (conf: ConfState = { ...EMPTY_CONF, voters: ['a'] }, error?: RaftError): string[] => {
      const change = submitted.shift();
      const planned = change?.plan(conf)?.steps.map(({ id }) => id) ?? [];
      change?.done(1, error);
      return planned;
    },
  };
}

test('who asks first waits for nobody; those who ask while it is taken in, and within the interval, come in together', () => {
  const { ask, pass, make, told, submitted } = door();
  ask('b');
  expect(submitted).toHaveLength(1);
  expect(make()).toEqual(['b']);
  for (const id of ['c', 'd', 'e']) ask(id);
  pass(999);
  expect(submitted).toHaveLength(0);
  pass(1);
  ask('f');
  expect(submitted).toHaveLength(1);
  expect(make()).toEqual(['c', 'd', 'e', 'f']);
  expect(told).toEqual(['b in', 'c in', 'd in', 'e in', 'f in']);
});

test('one that asks twice is taken in once and told twice; one that is a member already changes nothing', () => {
  const { ask, make, told } = door();
  ask('b');
  ask('b');
  ask('a');
  expect(make()).toEqual(['b']);
  expect(told).toEqual(['b in', 'b in', 'a in']);
});

test('no more at once than one change takes, and none beyond the room there is', () => {
  const { ask, make, pass, told } = door();
  for (let i = 0; i <= NEWCOMERS_AT_ONCE; i++) ask(`n${i}`);
  expect(make()).toHaveLength(NEWCOMERS_AT_ONCE);
  pass(1_000);
  expect(make()).toEqual([`n${NEWCOMERS_AT_ONCE}`]);
  const full = { ...EMPTY_CONF, voters: ['a'], learners: Array.from({ length: MEMBERS_MAX - 2 }, (_, i) => `m${i}`) };
  pass(1_000);
  ask('fits');
  ask('does not');
  expect(make(full)).toEqual(['fits']);
  expect(told.slice(-2)).toEqual(['does not config-invalid', 'fits in']);
  pass(1_000);
  const big = new Uint8Array(20 * 1024);
  for (const id of ['x', 'y']) ask(id, big);
  expect(make()).toEqual(['x']);
  pass(1_000);
  expect(make()).toEqual(['y']);
});

test('everybody is told how it ended: a change that failed, leadership that was lost, a wait that was too long', () => {
  const { ask, make, pass, depose, told } = door();
  ask('b');
  make(undefined, { code: 'leadership-lost' } as RaftError);
  ask('c');
  pass(JOIN_WAIT_MS);
  expect(told).toEqual(['b leadership-lost', 'c timeout']);
  ask('d');
  ask('e');
  depose();
  expect(told.slice(2)).toEqual(['d no-leader', 'e no-leader']);
});

test('T4: a room of 20 is complete after at most three changes that take somebody in, and one a second where that takes longer', async () => {
  await using cluster = new Cluster();
  const options = { votersTarget: 3, autopilot: resolveAutopilot({ settleMs: 200, intervalMs: 1_000 }) };
  const founder = await cluster.open(options);
  await founder.node.ready;
  let sizes = new Set<number>();
  founder.node.on('config', ({ members }) => sizes.add(members.length));
  sizes = new Set([founder.node.config.members.length]);
  const began = performance.now();
  await Promise.all(Array.from({ length: 19 }, () => cluster.open(options)));
  await founder.node.until(() => founder.node.config.members.length === 20, { timeoutMs: 40_000 });
  const seconds = Math.ceil((performance.now() - began) / 1_000);
  expect(sizes.size - 1).toBeLessThanOrEqual(Math.max(3, 1 + seconds));
  await Promise.all(cluster.running().map(({ node }) => node.ready));
  expect(await founder.node.propose({ type: 'add', amount: 1 })).toBe(1);
});

test('the leader and those that vote are linked before the others, and told to the links when that changes', () => {
  const told: (readonly [peers: readonly string[], others: string])[] = [];
  const standing = { id: 'd', leaderId: '' };
  const speakers = { votersKnown: [] as string[] };
  const linking = new Linking(standing as never, speakers as never, { prefer: (peers, others) => told.push([peers, others]) });
  linking.tick();
  expect(told).toEqual([]);
  speakers.votersKnown = ['a', 'b', 'd'];
  standing.leaderId = 'b';
  linking.tick();
  linking.tick();
  expect(told).toEqual([[['b', 'a'], 'later']]);
  expect(() => new Linking(standing as never, speakers as never, {}).tick()).not.toThrow();
});

test('who was put out while it waited is told so, and takes nobody with it', () => {
  const { ask, make, told, revoked } = door();
  ask('b');
  ask('c');
  revoked.add('b');
  expect(make()).toEqual(['c']);
  expect(told).toEqual(['b member-revoked', 'c in']);
});
