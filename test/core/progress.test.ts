import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { Inflights } from '../../src/core/progress/inflights.ts';
import { type InflightLimits, Progress, WANTED } from '../../src/core/progress/progress.ts';
import { Tracker } from '../../src/core/progress/tracker.ts';

const limits: InflightLimits = { maxInflightMessages: 2, maxInflightBytes: 100 };

function replicating(match: number): Progress {
  const progress = new Progress('b', 1, limits);
  progress.update(match);
  progress.becomeReplicate();
  return progress;
}

function view({ state, match, next, pendingSnapshot, sentCommit, flowPaused }: Progress): unknown {
  return { state, match, next, pendingSnapshot, sentCommit, flowPaused };
}

describe('what a leader knows of a follower', () => {
  test('starts with nothing known, and nothing promised', () => {
    const { inflights, ...fields } = new Progress('b', 8, limits);
    expect({ ...fields, inflight: [inflights.count, inflights.bytes, inflights.full] }).toEqual({
      id: 'b',
      state: 'probe',
      match: 0,
      next: 8,
      pendingSnapshot: 0,
      sentCommit: 0,
      commit: 0,
      recentActive: false,
      flowPaused: false,
      learner: false,
      witness: false,
      snapshotTicks: 0,
      fetching: false,
      wanted: WANTED.nothing,
      leaseTick: -1,
      inflight: [0, 0, false],
    });
  });

  test('probes after what it has, or after the snapshot that arrived, or after what it has when that was lost', () => {
    const progress = replicating(5);
    progress.sentEntries(3, 10);
    progress.sentCommitTo(8);
    progress.becomeProbe();
    expect(view(progress)).toMatchObject({ state: 'probe', next: 6, sentCommit: 5 });
    expect(progress.inflights.count).toBe(0);
    progress.becomeSnapshot(20);
    expect(view(progress)).toEqual({
      state: 'snapshot',
      match: 5,
      next: 21,
      pendingSnapshot: 20,
      sentCommit: 20,
      flowPaused: false,
    });
    progress.becomeProbe();
    expect(view(progress)).toMatchObject({ state: 'probe', next: 21, pendingSnapshot: 0, sentCommit: 20 });
    progress.becomeSnapshot(20);
    progress.forgetSnapshot();
    progress.becomeProbe();
    expect(view(progress)).toMatchObject({ next: 6, sentCommit: 5 });
    progress.becomeSnapshot(20);
    progress.update(30);
    progress.becomeProbe();
    expect(view(progress)).toMatchObject({ match: 30, next: 31 });
  });

  test('is paused while a snapshot is pending, and by its flow', () => {
    const progress = replicating(1);
    expect(progress.paused).toBe(false);
    progress.pause();
    expect(progress.paused).toBe(true);
    progress.resume();
    expect(progress.paused).toBe(false);
    progress.becomeSnapshot(9);
    expect(progress.paused).toBe(true);
    progress.becomeReplicate();
    expect([progress.paused, progress.next]).toEqual([false, 2]);
    progress.pause();
    progress.becomeProbe();
    expect(progress.paused).toBe(false);
  });

  test('keeps the greatest of what is wanted until it is taken', () => {
    const progress = replicating(1);
    progress.want(WANTED.commit);
    progress.want(WANTED.entries);
    expect(progress.takeWanted()).toBe(WANTED.commit);
    expect(progress.takeWanted()).toBe(WANTED.nothing);
  });

  test('a probe is one append with entries; empty ones are no probe', () => {
    const progress = new Progress('b', 4, limits);
    progress.sentEntries(0, 0);
    expect(view(progress)).toMatchObject({ next: 4, flowPaused: false });
    progress.sentEntries(2, 10);
    expect(view(progress)).toMatchObject({ next: 4, flowPaused: true });
    expect(progress.inflights.count).toBe(0);
    progress.becomeSnapshot(9);
    expect(() => progress.sentEntries(1, 1)).toThrow(/snapshot is pending/);
  });

  test('the flow goes on without answers until the window is full', () => {
    const progress = replicating(0);
    progress.sentEntries(2, 10);
    expect(view(progress)).toMatchObject({ next: 3, flowPaused: false });
    progress.sentEntries(0, 0);
    expect(progress.inflights.count).toBe(1);
    progress.sentEntries(1, 10);
    expect(view(progress)).toMatchObject({ next: 4, flowPaused: true });
    progress.inflights.freeTo(2);
    expect([progress.inflights.count, progress.inflights.bytes]).toEqual([1, 10]);
  });

  test('an answer is news only past what was known, and lets the flow go on', () => {
    const progress = replicating(5);
    progress.pause();
    expect([progress.update(5), progress.update(4)]).toEqual([false, false]);
    expect(view(progress)).toMatchObject({ match: 5, next: 6, flowPaused: true });
    progress.sentEntries(3, 1);
    progress.pause();
    expect(progress.update(7)).toBe(true);
    expect(view(progress)).toMatchObject({ match: 7, next: 9, flowPaused: false });
    expect(progress.update(9)).toBe(true);
    expect(view(progress)).toMatchObject({ match: 9, next: 10 });
  });

  test('a refusal while replicating counts only past what it has', () => {
    const progress = replicating(5);
    progress.sentEntries(4, 10);
    progress.sentCommitTo(8);
    expect(progress.decrease(5, 1)).toBe(false);
    expect(view(progress)).toMatchObject({ next: 10, sentCommit: 8 });
    expect(progress.decrease(6, 1)).toBe(true);
    expect(view(progress)).toMatchObject({ next: 6, sentCommit: 5 });
    progress.sentCommitTo(2);
    progress.sentEntries(1, 1);
    expect(progress.decrease(6, 1)).toBe(true);
    expect(progress.sentCommit).toBe(2);
  });

  test('a refused probe goes back to the hint, never past what was refused, never before what it has', () => {
    const probe = (rejected: number, hint: number, match = 0): [boolean, number, boolean] => {
      const progress = new Progress('b', 10, limits);
      progress.update(match);
      progress.pause();
      progress.sentCommitTo(8);
      const news = progress.decrease(rejected, hint);
      expect(progress.sentCommit).toBe(Math.min(8, progress.next - 1));
      return [news, progress.next, progress.flowPaused];
    };
    expect(probe(8, 3)).toEqual([false, 10, true]);
    expect(probe(10, 3)).toEqual([false, 10, true]);
    expect(probe(9, 3)).toEqual([true, 4, false]);
    expect(probe(9, 9)).toEqual([true, 9, false]);
    expect(probe(9, 0)).toEqual([true, 1, false]);
    expect(probe(9, 2, 5)).toEqual([true, 6, false]);
    expect(probe(9, 3, 9)).toEqual([false, 10, true]);
    expect(probe(9, 3, 8)).toEqual([true, 9, false]);
    const empty = new Progress('b', 1, limits);
    expect([empty.decrease(0, 0), empty.next]).toEqual([true, 1]);
  });

  test('a commit index is told again only when more of it can be taken over', () => {
    const progress = replicating(5);
    expect(progress.canBumpCommit(1)).toBe(true);
    progress.sentCommitTo(4);
    expect([progress.canBumpCommit(4), progress.canBumpCommit(5)]).toEqual([false, true]);
    progress.sentCommitTo(5);
    expect(progress.canBumpCommit(6)).toBe(false);
  });

  test('what it committed and when it was leased never fall', () => {
    const progress = replicating(5);
    progress.heardCommit(4);
    progress.heardCommit(3);
    progress.leasedAt(7);
    progress.leasedAt(6);
    expect([progress.commit, progress.leaseTick]).toEqual([4, 7]);
    progress.voidLease();
    expect(progress.leaseTick).toBe(-1);
    progress.leasedAt(0);
    expect(progress.leaseTick).toBe(0);
  });

  test('a snapshot is overdue after its ticks; each snapshot has them anew, and nothing else is ever overdue', () => {
    const progress = replicating(5);
    expect([progress.snapshotOverdue(1), progress.snapshotTicks]).toEqual([false, 0]);
    progress.becomeSnapshot(9);
    expect([1, 2, 3].map(() => progress.snapshotOverdue(3))).toEqual([false, false, true]);
    progress.becomeSnapshot(12);
    expect(progress.snapshotOverdue(3)).toBe(false);
  });

  test('entries being fetched are asked for once', () => {
    const progress = replicating(5);
    expect(progress.entriesFetched()).toBe(false);
    progress.waitForEntries();
    expect([progress.entriesFetched(), progress.entriesFetched()]).toEqual([true, false]);
    progress.heard();
    expect(progress.recentActive).toBe(true);
    progress.forgetActivity();
    expect(progress.recentActive).toBe(false);
  });
});

describe('appends in flight', () => {
  test('fill their window by number or by bytes', () => {
    const byNumber = new Inflights(2, 1000);
    byNumber.add(1, 10);
    expect(byNumber.full).toBe(false);
    byNumber.add(2, 10);
    expect(byNumber.full).toBe(true);
    const byBytes = new Inflights(10, 20);
    byBytes.add(1, 19);
    expect(byBytes.full).toBe(false);
    byBytes.add(2, 1);
    expect(byBytes.full).toBe(true);
    byBytes.reset();
    expect([byBytes.full, byBytes.count, byBytes.bytes]).toEqual([false, 0, 0]);
  });

  test('are freed in their order, however often the ring goes round and grows', () => {
    const inflights = new Inflights(1000, 100_000);
    let last = 0;
    let freed = 0;
    for (const [add, free] of [
      [5, 3],
      [7, 6],
      [4, 0],
      [20, 10],
      [30, 40],
      [40, 44],
    ] as const) {
      for (let i = 0; i < add; i++) inflights.add(++last, last);
      freed += free;
      inflights.freeTo(freed);
      let bytes = 0;
      for (let index = freed + 1; index <= last; index++) bytes += index;
      expect([inflights.count, inflights.bytes]).toEqual([last - freed, bytes]);
    }
    inflights.freeTo(last + 5);
    expect([inflights.count, inflights.bytes]).toEqual([0, 0]);
  });
});

describe('the members as their leader sees them', () => {
  const conf = { ...EMPTY_CONF, voters: ['a', 'b', 'c'], learners: ['l'] };
  const tracker = (): Tracker => new Tracker('a', conf, 4, limits);

  function reach(members: Tracker, reached: Readonly<Record<string, number>>): void {
    for (const [id, match] of Object.entries(reached)) members.get(id)?.update(match);
  }

  test('are the voters of both halves and the learners, sorted, each marked as what it is', () => {
    const members = tracker();
    expect(members.all.map(({ id, next, recentActive }) => [id, next, recentActive])).toEqual([
      ['a', 4, false],
      ['b', 4, false],
      ['c', 4, false],
      ['l', 4, false],
    ]);
    members.reconfigure({ ...conf, voters: ['b', 'aa'], votersOutgoing: ['c'], witnesses: ['aa'] }, [], 9, true);
    expect(members.all.map(({ id, next, recentActive, learner, witness }) => [id, next, recentActive, learner, witness])).toEqual(
      [
        ['aa', 9, true, false, true],
        ['b', 4, false, false, false],
        ['c', 4, false, false, false],
        ['l', 4, false, true, false],
      ],
    );
    expect(members.get('a')).toBeUndefined();
    members.reconfigure({ ...conf, voters: ['b', 'l'], learners: ['aa'] }, [], 9, true);
    expect(members.all.map(({ id, learner, witness }) => [id, learner, witness])).toEqual([
      ['aa', true, false],
      ['b', false, false],
      ['l', false, false],
    ]);
  });

  test('are the leader and the others, as long as it is a member', () => {
    const members = tracker();
    const others = (): string[] => members.others.map(({ id }) => id);
    expect([members.own?.id, others()]).toEqual(['a', ['b', 'c', 'l']]);
    members.reconfigure({ ...conf, voters: ['b', 'd'] }, [], 9, true);
    expect([members.own, others()]).toEqual([undefined, ['b', 'd', 'l']]);
  });

  test('who is renewed starts anew, the others go on', () => {
    const members = tracker();
    reach(members, { b: 3, c: 3 });
    members.reconfigure(conf, ['c'], 9, true);
    expect(members.all.map(({ match }) => match)).toEqual([0, 3, 0, 0]);
    expect(members.get('c')?.next).toBe(9);
  });

  test('commit what a majority of each half has; learners do not count', () => {
    const members = tracker();
    reach(members, { a: 9, l: 9 });
    expect(members.committedIndex()).toBe(0);
    reach(members, { b: 5 });
    expect(members.committedIndex()).toBe(5);
    members.reconfigure({ ...conf, voters: ['a', 'b'], votersOutgoing: ['b', 'c', 'd'] }, [], 4, false);
    expect(members.committedIndex()).toBe(0);
    reach(members, { d: 3 });
    expect(members.committedIndex()).toBe(3);
    reach(members, { c: 7 });
    expect(members.committedIndex()).toBe(5);
  });

  test('are active when a majority of each half was heard, the leader itself counted', () => {
    const members = tracker();
    expect(members.quorumActive('a')).toBe(false);
    members.get('l')?.heard();
    expect(members.quorumActive('a')).toBe(false);
    members.get('b')?.heard();
    expect(members.quorumActive('a')).toBe(true);
    expect(members.quorumActive('x')).toBe(false);
    members.reconfigure({ ...conf, votersOutgoing: ['b', 'c', 'd'] }, [], 4, false);
    expect(members.quorumActive('a')).toBe(false);
    members.get('d')?.heard();
    expect(members.quorumActive('a')).toBe(true);
    members.get('b')?.forgetActivity();
    expect(members.quorumActive('a')).toBe(false);
  });

  test('are leased since the tick that a majority of each half reached, the leader itself now', () => {
    const members = tracker();
    expect(members.leaseTick('a', 10)).toBe(-1);
    members.get('b')?.leasedAt(6);
    members.get('c')?.leasedAt(4);
    expect(members.leaseTick('a', 10)).toBe(6);
    members.reconfigure({ ...conf, votersOutgoing: ['c', 'd', 'e'] }, [], 4, false);
    expect(members.leaseTick('a', 10)).toBe(-1);
    members.get('e')?.leasedAt(9);
    expect(members.leaseTick('a', 10)).toBe(4);
  });
});
