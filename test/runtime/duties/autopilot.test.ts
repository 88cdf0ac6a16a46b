/** Who votes: the plan as a table of what is known and what is decided, and rooms that live through their visitors. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { AUTOPILOT_DEFAULTS, resolveAutopilot } from '../../../src/runtime/api/options.ts';
import { type Decision, nextDecision, type PlanInput, partnerGone } from '../../../src/runtime/duties/autopilot-plan.ts';
import type { MemberFacts } from '../../../src/runtime/duties/member-facts.ts';
import { Cluster } from '../cluster.ts';
import { facts, LONG, learner, left, silent } from './facts.ts';

/** The leader is `a`. */
function decide(members: readonly MemberFacts[], given: Partial<PlanInput> = {}): Decision | undefined {
  const of = (suffrage: string): string[] => members.filter((m) => m.suffrage === suffrage).map(({ id }) => id);
  return nextDecision({
    conf: { ...EMPTY_CONF, voters: [...of('voter'), ...of('witness')], learners: of('learner'), witnesses: of('witness') },
    self: 'a',
    votersTarget: 3,
    minCopies: 1,
    members,
    options: AUTOPILOT_DEFAULTS,
    silentAfterMs: AUTOPILOT_DEFAULTS.silentMs,
    ...given,
  });
}

const stepsOf = (decision: Decision | undefined): string[] => (decision?.steps ?? []).map(({ op, id }) => `${op} ${id}`);

describe('plan', () => {
  test('all is well: nothing', () => {
    expect(decide([facts('a'), facts('b'), facts('c'), learner('d')])).toBeUndefined();
  });

  test('a fourth is a standby; fewer than the target and a learner that has settled: it votes', () => {
    expect(stepsOf(decide([facts('a'), facts('b'), learner('c')]))).toEqual(['voter c']);
    expect(decide([facts('a'), facts('b'), learner('c', { heardForMs: AUTOPILOT_DEFAULTS.settleMs - 1 })])).toBeUndefined();
    expect(decide([facts('a'), facts('b'), learner('c', { caughtUp: false })])).toBeUndefined();
    expect(decide([facts('a'), facts('b'), learner('c', { wantsVote: false })])).toBeUndefined();
  });

  test('a vote that makes the number even waits for longer', () => {
    const settled = { heardForMs: AUTOPILOT_DEFAULTS.settleMs };
    const members = [facts('a'), facts('b'), facts('c'), learner('d', settled)];
    expect(decide(members, { votersTarget: 5 })).toBeUndefined();
    members[3] = learner('d', { heardForMs: 2 * AUTOPILOT_DEFAULTS.settleMs });
    expect(stepsOf(decide(members, { votersTarget: 5 }))).toEqual(['voter d']);
  });

  test('who said goodbye is replaced at once, and stays as a learner', () => {
    expect(stepsOf(decide([facts('a'), facts('b'), left('c'), learner('d')]))).toEqual(['voter d', 'learner c']);
  });

  test('who is silent is replaced after a silence that is not normal, not before', () => {
    const members = [facts('a'), facts('b'), silent('c', 5_000), learner('d')];
    expect(decide(members)).toBeUndefined();
    expect(decide([facts('a'), facts('b'), silent('c', 7_000), learner('d')], { silentAfterMs: 20_000 })).toBeUndefined();
    expect(stepsOf(decide([facts('a'), facts('b'), silent('c', 7_000), learner('d')]))).toEqual(['voter d', 'learner c']);
  });

  test('the leader itself is never gone, whatever is known of it', () => {
    expect(decide([left('a'), facts('b'), facts('c'), learner('d')])).toBeUndefined();
  });

  test('a pair: the leader goes on alone once the other has been gone for so long, sooner after a goodbye, and never beside one that is heard', () => {
    const gone = (members: readonly MemberFacts[], voters = members.map(({ id }) => id)): string | undefined =>
      partnerGone(
        {
          conf: { ...EMPTY_CONF, voters },
          self: 'a',
          votersTarget: 3,
          minCopies: 1,
          members,
          options: AUTOPILOT_DEFAULTS,
          silentAfterMs: 6_000,
        },
        100,
        1_000,
      )?.id;
    const quiet = (forMs: number, hasLeft = false): MemberFacts[] => [facts('a'), silent('b', forMs, { hasLeft })];
    expect(gone(quiet(1_001))).toBe('b');
    expect(gone(quiet(1_000))).toBeUndefined();
    expect(gone(quiet(101, true))).toBe('b');
    expect(gone(quiet(100, true))).toBeUndefined();
    expect(gone([facts('a'), facts('b', { silentForMs: LONG })])).toBeUndefined();
    expect(gone([...quiet(LONG), silent('c')])).toBeUndefined();
    expect(gone(quiet(LONG), ['b', 'c'])).toBeUndefined();
  });

  test('without a standby the quorum shrinks only where that survives more', () => {
    expect(decide([facts('a'), silent('b')])).toBeUndefined();
    expect(stepsOf(decide([facts('a'), facts('b'), facts('c'), left('d')]))).toEqual(['learner d']);
    expect(stepsOf(decide([facts('a'), facts('b'), facts('c'), silent('d'), silent('e')]))).toEqual(['learner d', 'learner e']);
  });

  test('no fewer voters than make the copies that were asked for', () => {
    const five = [facts('a'), facts('b'), facts('c'), silent('d'), silent('e')];
    expect(stepsOf(decide(five, { minCopies: 2 }))).toEqual(['learner d', 'learner e']);
    expect(decide(five, { minCopies: 3 })).toBeUndefined();
    const x = { device: 'x' };
    expect(decide([facts('a', x), facts('b', x), facts('c'), facts('d')], { minCopies: 3, votersTarget: 4 })).toBeUndefined();
  });

  test('three become two early: of a pair the last may go on alone', () => {
    expect(stepsOf(decide([facts('a'), facts('b'), left('c')]))).toEqual(['learner c']);
    expect(stepsOf(decide([facts('a'), facts('b'), silent('c')]))).toEqual(['learner c']);
  });

  test('nothing that those who are heard cannot commit, before the change and after it', () => {
    expect(decide([facts('a'), silent('b'), silent('c'), learner('d')])).toBeUndefined();
    expect(decide([facts('a'), silent('b'), learner('c')])).toBeUndefined();
    expect(decide([facts('a'), facts('b'), silent('c'), silent('d'), learner('e')])).toBeUndefined();
  });

  test('nothing while a joint configuration is in force', () => {
    const conf = { ...EMPTY_CONF, voters: ['a', 'b', 'd'], votersOutgoing: ['a', 'b', 'c'] };
    expect(decide([facts('a'), facts('b'), left('c'), learner('d')], { conf })).toBeUndefined();
  });

  test('who comes in the place of an identity whose storage was lost takes its vote, once that is silent, and no other', () => {
    const heir = learner('d', { replaces: 'c', heardForMs: 1 });
    expect(stepsOf(decide([facts('a'), facts('b'), silent('c', 10), heir]))).toEqual(['voter d', 'remove c']);
    const shy = { ...heir, wantsVote: false };
    expect(decide([facts('a'), facts('b'), silent('c', 10), shy])).toBeUndefined();
    expect(stepsOf(decide([facts('a'), facts('b'), left('c'), shy]))).toEqual(['learner c']);
    const settled = learner('d', { replaces: 'c' });
    expect(decide([facts('a'), facts('b'), facts('c'), settled], { votersTarget: 5 })).toBeUndefined();
  });

  describe('one voter per device', () => {
    const x = { device: 'x' };
    const y = { device: 'y' };

    test('another device first, and of one that votes no second', () => {
      const members = [facts('a', x), learner('b', x), learner('c', { ...y, heardForMs: 5_000 })];
      expect(stepsOf(decide(members))).toEqual(['voter c']);
      expect(decide([facts('a', x), learner('b', x), facts('c', y)])).toBeUndefined();
      const options = { ...AUTOPILOT_DEFAULTS, oneVoterPerDevice: false };
      expect(stepsOf(decide([facts('a', x), learner('b', x), facts('c', y)], { options }))).toEqual(['voter b']);
    });

    test('as long as there is one device only, its tabs vote: the last of them has to be able to go on', () => {
      expect(stepsOf(decide([facts('a', x), learner('b', x)]))).toEqual(['voter b']);
      expect(decide([facts('a', x), facts('b', x), facts('c', x)])).toBeUndefined();
      expect(stepsOf(decide([facts('a', x), left('c', y), learner('b', x)]))).toEqual([]);
      expect(stepsOf(decide([facts('a', x), facts('d', x), left('c', y), learner('b', x)]))).toEqual(['voter b', 'learner c']);
    });

    test('members without a device are each one of its own', () => {
      expect(stepsOf(decide([facts('a'), learner('b'), facts('c')]))).toEqual(['voter b']);
      expect(decide([facts('a'), facts('b'), facts('c')])).toBeUndefined();
    });

    test('a device that votes twice gives a vote to another device, in one change; the leader keeps its own', () => {
      expect(stepsOf(decide([facts('a', x), facts('b', x), facts('d', x), learner('c', y)]))).toEqual(['voter c', 'learner d']);
      const hidden = { ...x, burden: 1 };
      expect(stepsOf(decide([facts('a', x), facts('b', hidden), facts('d', x), learner('c', y)]))).toEqual([
        'voter c',
        'learner b',
      ]);
    });

    test('and gives it up where another device votes already, unless a voter that is left is not heard', () => {
      expect(stepsOf(decide([facts('a', x), facts('b', x), facts('c', y)]))).toEqual(['learner b']);
      expect(decide([facts('a', x), facts('b', x), silent('c', 3_000, y)])).toBeUndefined();
      expect(stepsOf(decide([facts('a', { ...x, burden: 3 }), facts('b', x), facts('c', y)]))).toEqual(['learner b']);
      const options = { ...AUTOPILOT_DEFAULTS, oneVoterPerDevice: false };
      expect(decide([facts('a', x), facts('b', x), facts('c', y)], { options })).toBeUndefined();
    });

    test('who leaves is replaced from its own device', () => {
      expect(stepsOf(decide([facts('a', x), left('c', y), learner('b', x), learner('d', y)]))).toEqual([]);
      const three = [facts('a', x), facts('e', { device: 'z' }), left('c', y), learner('b', x), learner('d', y)];
      expect(stepsOf(decide(three))).toEqual(['voter d', 'learner c']);
    });
  });

  test('what lasts votes before what does not, what is free before what is slowed down, the stable before the others', () => {
    const next = (...learners: MemberFacts[]): string[] => stepsOf(decide([facts('a'), facts('b'), ...learners]));
    expect(next(learner('c'), learner('d', { lasting: true, burden: 1 }))).toEqual(['voter d']);
    expect(next(learner('c', { burden: 1 }), learner('d', { heardForMs: 9_000 }))).toEqual(['voter d']);
    expect(next(learner('c', { shortOfSpace: true }), learner('d', { burden: 2 }))).toEqual(['voter d']);
    expect(next(learner('c', { breaks: 1 }), learner('d', { heardForMs: 9_000 }))).toEqual(['voter d']);
    expect(next(learner('c', { priority: 1, burden: 3 }), learner('d'))).toEqual(['voter c']);
  });

  test('a voter without room, or that stays behind, gives its vote to one that does better, and to no other', () => {
    const full = facts('c', { shortOfSpace: true });
    const slow = facts('c', { caughtUp: false, laggingForMs: AUTOPILOT_DEFAULTS.silentMs + 1 });
    for (const bad of [full, slow]) {
      expect(stepsOf(decide([facts('a'), facts('b'), bad, learner('d')]))).toEqual(['voter d', 'learner c']);
      expect(decide([facts('a'), facts('b'), bad])).toBeUndefined();
      expect(decide([facts('a'), facts('b'), bad, learner('d', { shortOfSpace: true })])).toBeUndefined();
    }
    expect(decide([facts('a'), facts('b'), facts('c', { caughtUp: false, laggingForMs: 10 }), learner('d')])).toBeUndefined();
    expect(decide([facts('a', { shortOfSpace: true }), facts('b'), facts('c'), learner('d')])).toBeUndefined();
  });

  test('the higher priority first, then who has been here for longer', () => {
    expect(stepsOf(decide([facts('a'), facts('b'), learner('c', { heardForMs: 5_000 }), learner('d')]))).toEqual(['voter d']);
    expect(stepsOf(decide([facts('a'), facts('b'), learner('c', { priority: 1, heardForMs: 5_000 }), learner('d')]))).toEqual([
      'voter c',
    ]);
  });

  test('learners that stay away are forgotten, sooner where there are many', () => {
    const { forgetMs, forgetCrowdedMs, membersCrowded } = AUTOPILOT_DEFAULTS;
    const three = [facts('a'), facts('b'), facts('c')];
    const away = (id: string, forMs: number): MemberFacts => silent(id, forMs, { suffrage: 'learner' });
    expect(decide([...three, away('d', forgetMs)])).toBeUndefined();
    expect(stepsOf(decide([...three, away('d', forgetMs + 1)]))).toEqual(['remove d']);
    const many = Array.from({ length: membersCrowded }, (_, i) => away(`v${i}`, forgetCrowdedMs + 1));
    expect(decide([...three, ...many])?.steps).toHaveLength(16);
  });
});

test('options out of range, and such as there are not, are refused', () => {
  expect(() => resolveAutopilot({ silentMs: 1 })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => resolveAutopilot({ silentMs: 5_000, silentMsMax: 4_000 })).toThrow('autopilot.silentMsMax');
  expect(() => resolveAutopilot({ enabled: 'no' as never })).toThrow('autopilot.enabled');
  expect(() => resolveAutopilot({ silent: 1 } as never)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

describe('T1: a room lives through its visitors', () => {
  const autopilot = resolveAutopilot({ settleMs: 50, silentMs: 700, intervalMs: 50, forgetCrowdedMs: 1_000, membersCrowded: 6 });
  const options = { autopilot, votersTarget: 3 };

  test('two residents, and visitors that close or crash, one after the other: writes go on after each', async () => {
    await using cluster = new Cluster();
    const residents = await cluster.of(2, options);
    let balance = 0;
    for (let i = 0; i < 8; i++) {
      const visitor = await cluster.open(options);
      await visitor.node.until((status) => status.suffrage === 'voter');
      if (i % 2 === 0) await visitor.node.stop({ transfer: false });
      else cluster.crash(visitor);
      balance++;
      expect(await residents[0]?.node.propose({ type: 'add', amount: 1 })).toBe(balance);
    }
    const leader = cluster.leader();
    await leader.node.until(() => leader.node.config.members.length <= 7);
    expect(leader.node.admin.autopilot()?.decisions.length).toBeGreaterThan(0);
  });

  test('three residents and polite visitors: none of these ever votes', async () => {
    await using cluster = new Cluster();
    const residents = await cluster.of(3, options);
    for (let i = 0; i < 3; i++) {
      const visitor = await cluster.open(options);
      await visitor.node.ready;
      await visitor.node.stop({ transfer: false });
    }
    const ids = residents.map(({ node }) => node.id).sort();
    expect([...cluster.leader().node.config.voters].sort()).toEqual(ids);
    expect(await residents[0]?.node.propose({ type: 'add', amount: 1 })).toBe(1);
  });

  test('T5: a leader that closes is replaced by the next leader at once, however long a silence would be waited for', async () => {
    await using cluster = new Cluster();
    const patient = {
      ...options,
      autopilot: resolveAutopilot({ settleMs: 50, silentMs: 60_000, silentMsMax: 60_000, intervalMs: 50 }),
    };
    await cluster.of(3, patient);
    const standby = await cluster.open(patient);
    await standby.node.ready;
    const first = cluster.leader();
    await first.node.stop({ transfer: false });
    await standby.node.until((status) => status.suffrage === 'voter' || standby.node.config.voters.length === 2);
    await standby.node.until(() => !standby.node.config.voters.includes(first.node.id));
  });

  test('those that leave one right after the other are seen to one right after the other', async () => {
    await using cluster = new Cluster();
    const autopilot = { ...resolveAutopilot({ settleMs: 0, silentMs: 60_000, silentMsMax: 60_000, intervalMs: 0 }) };
    await cluster.of(3, { ...options, autopilot });
    const leader = cluster.leader();
    // One change in a minute from here on, but for those that said goodbye.
    (autopilot as { intervalMs: number }).intervalMs = 60_000;
    for (const { node } of cluster.followers()) {
      const left = leader.node.config.voters.length - 1;
      // A pair is settled a round trip after it has come about: before that nobody could go on alone.
      await leader.node.until(() => left > 1 || leader.engine.member?.core.status().settled === true);
      await node.stop({ transfer: false });
      await leader.node.until(() => leader.node.config.voters.length <= left);
    }
    expect(await leader.node.propose({ type: 'add', amount: 1 })).toBe(1);
  });

  test('a voter that crashed for good beside a waiting learner is replaced, and one that comes back waits as a standby', async () => {
    await using cluster = new Cluster();
    const [first, second, third] = await cluster.of(3, options);
    const standby = await cluster.open(options);
    await standby.node.ready;
    const gone = [first, second, third].find((opened) => opened?.node.role === 'follower');
    if (gone === undefined) throw new Error('no follower');
    cluster.crash(gone);
    await standby.node.until((status) => status.suffrage === 'voter');
    const leader = cluster.leader();
    await leader.node.until(
      () => !leader.node.config.voters.includes(gone.node.id) && leader.node.config.votersOutgoing.length === 0,
    );
    expect(leader.node.config.voters).toHaveLength(3);
    const back = await cluster.open({ ...options, disk: gone.disk });
    await back.node.ready;
    expect(back.node.id).toBe(gone.node.id);
    await back.node.until((status) => status.suffrage === 'learner');
  });
});
