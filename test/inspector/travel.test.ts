/** Time travel over a real node's recording: every call, the state on both sides of it, and where things happened. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ready } from '../../src/core/types.ts';
import { stateRows } from '../../src/inspector/travel/state-rows.ts';
import { MomentFinder, momentFrom, SLOW_COMMIT_MS, Timeline } from '../../src/inspector/travel/timeline.ts';
import { type PlayedStep, replay } from '../../src/runtime/record/replay.ts';
import { Cluster } from '../runtime/cluster.ts';

describe('a recording of three nodes', () => {
  const cluster = new Cluster();
  let trace: Uint8Array;
  let timeline: Timeline;
  beforeAll(async () => {
    await cluster.of(3, { record: {} });
    const { node } = cluster.leader();
    for (let i = 0; i < 5; i++) await node.propose({ type: 'add', amount: 1 });
    trace = node.record().copy();
    timeline = await Timeline.of(trace);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('a copy is a whole trace, and the recording goes on', async () => {
    const { node } = cluster.leader();
    expect(node.record().ended).toBe(false);
    await node.propose({ type: 'add', amount: 1 });
    const later = node.record().stop();
    expect(later.length).toBeGreaterThan(trace.length);
    expect(node.record().copy()).toEqual(later);
    for (const each of [trace, later]) expect(replay(each)).toMatchObject({ ok: true, ending: 'stopped' });
  });

  test('each call with the core before and after; forwards and backwards are the same', () => {
    expect(timeline.report).toMatchObject({ ok: true, inputs: timeline.length });
    expect(timeline.look(1)).toMatchObject({
      step: 1,
      call: 'open',
      before: undefined,
      after: { commitIndex: expect.any(Number) },
    });
    const forward = Array.from({ length: 40 }, (_, i) => timeline.look(i + 1));
    for (const look of [...forward].reverse()) expect(timeline.look(look.step)).toEqual(look);
    for (const [i, look] of forward.slice(1).entries()) expect(look.before).toEqual(forward[i]?.after);
    const last = timeline.look(Number.MAX_SAFE_INTEGER);
    expect(last.step).toBe(timeline.length);
    expect(last.after).toMatchObject({ role: 'leader', progress: expect.any(Array) });
  });

  test('jumps: to the election, to who led, to each change of the members', () => {
    const leads = momentFrom(timeline.moments, 'leader', 0, true);
    expect(timeline.look((leads?.step ?? 0) - 1).before?.role).not.toBe('learner');
    expect(timeline.look(leads?.step ?? 0).after?.role).toBe('leader');
    expect(timeline.look(leads?.step ?? 0).ready).toContain('leader');
    expect(timeline.moments.filter(({ kind }) => kind === 'members').length).toBeGreaterThanOrEqual(2);
    expect(momentFrom(timeline.moments, 'leader', leads?.step ?? 0, false)).toBeUndefined();
    const last = timeline.moments.at(-1);
    expect(momentFrom(timeline.moments, last?.kind ?? 'leader', timeline.length, false)).toEqual(last);
  });

  test('the state in rows: what changed is seen, each follower has one', () => {
    const { before, after } = timeline.look(momentFrom(timeline.moments, 'leader', 0, true)?.step ?? 1);
    const rows = stateRows(before, after);
    expect(rows.find(({ field }) => field === 'Commit')?.after).toBe(String(after?.commitIndex));
    const last = timeline.look(timeline.length);
    expect(stateRows(last.before, last.after)).toHaveLength(12);
    expect(stateRows(undefined, after)[0]).toMatchObject({ field: 'Role', before: '–' });
  });

  test('a trace that was cut or changed is played as far as it goes; what is none is refused', async () => {
    const cut = await Timeline.of(trace.slice(0, trace.length - 40));
    expect(cut.report.ok).toBe(false);
    expect(cut.length).toBeGreaterThan(10);
    expect(cut.look(cut.length).after).toBeDefined();
    await expect(Timeline.of(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(Timeline.of(new Uint8Array(0))).rejects.toMatchObject({ code: 'corrupt' });
    const giveUp = new AbortController();
    giveUp.abort(new Error('closed'));
    await expect(Timeline.of(trace, giveUp.signal)).rejects.toThrow('closed');
  });
});

test('an uncommitted tail that gives way is found', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, { record: {}, tune: { callTimeoutMs: 1_000 } });
  // What is waited for may take as long as an election does on a busy machine; only the lost write shall end soon.
  const patient = { timeoutMs: 30_000 };
  const old = cluster.leader();
  const others = cluster.followers().map(({ node }) => node.id);
  cluster.hub.partition([old.node.id], others);
  const lost = old.node.propose({ type: 'note', text: 'never committed' }).catch(() => undefined);
  await old.node.until(({ lastIndex, commitIndex }) => lastIndex > commitIndex, patient);
  const rest = cluster.opened.filter(({ node }) => others.includes(node.id));
  for (const { node } of rest) await node.until(({ leaderId }) => leaderId !== undefined && leaderId !== old.node.id, patient);
  const { index } = await (rest[0] ?? old).node.proposeDetailed({ type: 'note', text: 'instead' }, patient);
  cluster.hub.heal();
  await old.node.until(({ appliedIndex }) => appliedIndex >= index, patient);
  await lost;
  const { moments } = await Timeline.of(old.node.record().copy());
  expect(moments.some(({ kind }) => kind === 'replaced entries')).toBe(true);
});

test('a commit is slow when the leader waited long for it; refusals are found by what was said', () => {
  const finder = new MomentFinder();
  const ready = (fields: object): Ready =>
    ({ softState: undefined, snapshot: undefined, entries: [], commitIndex: 0, ...fields }) as unknown as Ready;
  const step = (input: number, atMs: number, given: Partial<PlayedStep>): void =>
    finder.note({ input, name: 'ready', call: 'ready', atMs, ready: undefined, ...given });
  step(1, 0, { ready: ready({ softState: { role: 'leader' } }) });
  step(2, 0, {
    ready: ready({
      entries: [
        { index: 1, term: 1 },
        { index: 2, term: 1 },
      ],
    }),
  });
  step(3, SLOW_COMMIT_MS, { ready: ready({ commitIndex: 1 }) });
  step(4, SLOW_COMMIT_MS + 1, { ready: ready({ commitIndex: 2 }) });
  step(5, 900, { name: 'step', call: 'step b->a append refused @1 9 hint=1/4' });
  step(6, 900, { ready: ready({ snapshot: { index: 90 } }) });
  expect(finder.moments.map(({ step: at, kind, text }) => [at, kind, text])).toEqual([
    [1, 'leader', 'this node leads'],
    [4, 'slow commit', `entry 2 after ${SLOW_COMMIT_MS + 1} ms`],
    [5, 'rejection', 'b->a append refused @1 9 hint=1/4'],
    [6, 'snapshot', 'up to entry 90'],
  ]);
});
