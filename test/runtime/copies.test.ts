/** `minCopies`: no change is acknowledged that fewer devices hold. */
import { expect, test } from 'vitest';
import { mayGoAlone, tooFewCopies } from '../../src/runtime/duties/copies.ts';
import { decodeSettings, encodeSettings, SETTINGS_DEFAULTS } from '../../src/runtime/member/configuration.ts';
import { Cluster, type Opened } from './cluster.ts';
import { facts, learner } from './duties/facts.ts';

const add = (opened: Opened): Promise<number> => opened.node.propose({ type: 'add', amount: 1 });
const two = { votersTarget: 3, minCopies: 2 };

test('alone nothing is taken, and it says why at once; with a second voter it is; reads go on', async () => {
  await using cluster = new Cluster();
  const first = await cluster.open(two);
  await first.node.ready;
  await expect(add(first)).rejects.toMatchObject({ code: 'no-quorum', retryable: true, mayHaveApplied: false });
  expect(await first.node.read((state) => state.balance)).toBe(0);
  const second = await cluster.open(two);
  await second.node.until((status) => status.copies === 2);
  expect(await add(second)).toBe(1);
  expect(first.node.status.copies).toBe(2);
});

test('of two the follower closes: the leader does not go on alone, nor with what it could not keep twice', async () => {
  await using cluster = new Cluster();
  await cluster.of(2, two);
  const leader = cluster.leader();
  expect(await add(leader)).toBe(1);
  for (const { node } of cluster.followers()) await node.stop({ transfer: false });
  await leader.node.until(() => leader.node.forecast().missing.length === 1);
  const waits = leader.node.propose({ type: 'add', amount: 1 }, { timeoutMs: 5_000 }).catch((error: unknown) => error);
  expect(await waits).toMatchObject({ code: 'timeout' });
  expect(leader.node.config.voters).toHaveLength(2);
});

test('beside a learner that holds all it goes on, and the learner votes before anything is taken', async () => {
  await using cluster = new Cluster();
  // A target of two keeps the third a standby.
  const options = { ...two, votersTarget: 2 };
  await cluster.of(2, options);
  const standby = await cluster.open(options);
  await standby.node.ready;
  const leader = cluster.leader();
  const [gone] = cluster.followers().filter(({ node }) => node.status.suffrage === 'voter');
  if (gone === undefined) throw new Error('nobody');
  cluster.crash(gone);
  await standby.node.until((status) => status.suffrage === 'voter' && status.copies === 2);
  expect(await add(leader)).toBe(1);
  expect(standby.node.status.commitIndex).toBeGreaterThan(0);
});

test('the rules: one copy goes alone, two beside a learner that holds all and wants to vote, more never', () => {
  const all = [facts('a'), learner('c')];
  expect(mayGoAlone(1, [])).toBe(true);
  expect(mayGoAlone(2, all)).toBe(true);
  expect(mayGoAlone(3, all)).toBe(false);
  for (const given of [{ holdsAll: false }, { wantsVote: false }, { heardForMs: 0 }])
    expect(mayGoAlone(2, [facts('a'), learner('c', given)])).toBe(false);
});

test('the setting is in the configuration, and where nobody has chosen it is written as it always was', () => {
  expect(encodeSettings(SETTINGS_DEFAULTS)).toEqual(encodeSettings({ ...SETTINGS_DEFAULTS, minCopies: 1 }));
  expect(decodeSettings(encodeSettings({ ...SETTINGS_DEFAULTS, minCopies: 2 })).minCopies).toBe(2);
  expect(decodeSettings(encodeSettings(SETTINGS_DEFAULTS)).minCopies).toBe(1);
  const conf = { voters: ['a', 'b', 'c'], context: encodeSettings({ ...SETTINGS_DEFAULTS, minCopies: 3 }) };
  const empty = { learners: [], witnesses: [], votersOutgoing: [], learnersNext: [], autoLeave: false, members: [] };
  expect(tooFewCopies({ ...empty, ...conf } as never)?.code).toBe('no-quorum');
  expect(tooFewCopies({ ...empty, ...conf, voters: ['a', 'b', 'c', 'd', 'e'] } as never)).toBeUndefined();
});

test('more copies than there are voters to make them, and numbers that are none, are refused', async () => {
  await using cluster = new Cluster();
  const refused = { code: 'invalid-argument' };
  await expect(cluster.open({ votersTarget: 3, minCopies: 3 })).rejects.toMatchObject(refused);
  await expect(cluster.open({ votersTarget: 1, minCopies: 2 })).rejects.toMatchObject(refused);
  await expect(cluster.open({ minCopies: 0 })).rejects.toMatchObject(refused);
  await expect(cluster.open({ minCopies: 1.5 })).rejects.toMatchObject(refused);
  await expect(cluster.open({ votersTarget: 10 })).rejects.toMatchObject(refused);
  await expect(cluster.open({ device: 'x'.repeat(65) })).rejects.toMatchObject(refused);
});
