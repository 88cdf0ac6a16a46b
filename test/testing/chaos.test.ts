/** The chaos run's own parts: the plan comes from the seed, and the judge finds each kind of broken promise. */
import { describe, expect, test } from 'vitest';
import { type FaultReport, judge, longestPause } from '../chaos/judge.ts';
import type { Store } from '../chaos/machine.ts';
import type { Note } from '../chaos/notes.ts';
import { FAULT_KINDS, planOf } from '../chaos/plan.ts';
import { Record } from '../chaos/record.ts';
import { pageOf, pictureOf, type Report, summaryOf } from '../chaos/report.ts';

const BOUNDS = { writtenWithinMs: 1_000, healthyWithinMs: 2_000, acknowledgedMin: 1, lastAskedMs: Number.POSITIVE_INFINITY };
const EMPTY: Store = { registers: {}, lists: {}, counters: {} };

class Told {
  readonly record = new Record();
  #calls = 0;

  note(note: Note, place = 'A1', node = 'node-a'): this {
    this.record.hear({ place, life: 1, node, note });
    return this;
  }

  call(
    kind: string,
    key: string,
    input: unknown,
    start: number,
    end: number,
    outcome: 'ok' | 'no' | 'unknown',
    result: unknown,
  ): this {
    this.#calls += 1;
    const id = this.#calls;
    return this.note({ t: 'call', id, key, kind, input, start }).note({ t: 'answer', id, end, outcome, result });
  }

  found(last: Store | undefined = EMPTY, faults: readonly FaultReport[] = []): readonly string[] {
    return judge(this.record, faults, last, BOUNDS).map(({ promise }) => promise);
  }
}

const fault = (more: Partial<FaultReport>): FaultReport => ({
  kind: 'frozen',
  places: ['A1'],
  from: 1_000,
  to: 2_000,
  written: 2_500,
  healthy: 3_000,
  pauseMs: 10,
  ...more,
});

describe('the plan', () => {
  test('is the same for the same seed, another for another, and tries each kind before any twice', () => {
    expect(planOf('17', 40)).toEqual(planOf('17', 40));
    expect(planOf('17', 40)).not.toEqual(planOf('18', 40));
    const kinds = planOf('17', FAULT_KINDS.length).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(FAULT_KINDS));
    expect(planOf('17', 5, ['frozen']).map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'frozen'));
    expect(planOf('17', 3, [])).toEqual([]);
  });
});

describe('the judge', () => {
  const good = (): Told =>
    new Told()
      .call('append', 'list:1', 'a', 10, 20, 'ok', 1)
      .call('add', 'counter:1', 2, 30, 40, 'ok', 2)
      .call('read', 'list:1', null, 50, 60, 'ok', ['a']);
  const kept: Store = { registers: {}, lists: { 'list:1': ['a'] }, counters: { 'counter:1': 2 } };

  test('finds nothing where nothing is broken', () => {
    expect(good().found(kept, [fault({})])).toEqual([]);
  });

  test('does not miss what was acknowledged after the last state was asked for, and counts it when it is there', () => {
    const late = good().call('append', 'list:1', 'b', 90, 100, 'ok', 2).call('add', 'counter:1', 3, 90, 100, 'ok', 5);
    const found = (last: Store, lastAskedMs: number): readonly string[] =>
      judge(late.record, [], last, { ...BOUNDS, lastAskedMs }).map(({ promise }) => promise);
    const full: Store = { registers: {}, lists: { 'list:1': ['a', 'b'] }, counters: { 'counter:1': 5 } };
    expect(found(kept, 95)).toEqual([]);
    expect(found(full, 95)).toEqual([]);
    expect(found(kept, 110)).toEqual(['acknowledged-kept', 'acknowledged-kept']);
  });

  test('misses what was acknowledged', () => {
    expect(good().found({ ...kept, lists: {} })).toEqual(['acknowledged-kept']);
    expect(good().found({ ...kept, lists: { 'list:1': ['a', 'a'] } })).toEqual(['acknowledged-kept']);
    expect(good().found({ ...kept, counters: { 'counter:1': 1 } })).toEqual(['acknowledged-kept']);
  });

  test('finds what was denied and is there', () => {
    expect(
      good()
        .call('append', 'list:1', 'b', 70, 80, 'no', 'timeout')
        .found({ ...kept, lists: { 'list:1': ['a', 'b'] } }),
    ).toEqual(['acknowledged-kept']);
  });

  test('lets what nobody knows be there or not', () => {
    const told = (): Told =>
      good().call('append', 'list:1', 'b', 70, 80, 'unknown', 'timeout').call('add', 'counter:1', 5, 70, 80, 'unknown', 0);
    expect(told().found(kept)).toEqual([]);
    expect(told().found({ ...kept, lists: { 'list:1': ['a', 'b'] }, counters: { 'counter:1': 7 } })).toEqual([]);
    expect(told().found({ ...kept, counters: { 'counter:1': 8 } })).toEqual(['acknowledged-kept']);
  });

  test('finds a stale read, but not one that a clock of whole milliseconds may have made stale', () => {
    const late = good().call('append', 'list:1', 'b', 70, 80, 'ok', 2);
    const both: Store = { ...kept, lists: { 'list:1': ['a', 'b'] } };
    expect(late.call('read', 'list:1', null, 90, 95, 'ok', ['a']).found(both)).toEqual(['linearizable']);
    const close = good().call('append', 'list:1', 'b', 70, 80, 'ok', 2);
    expect(close.call('read', 'list:1', null, 81, 95, 'ok', ['a']).found(both)).toEqual([]);
  });

  test('a call without an answer may have happened', () => {
    const told = good().note({ t: 'call', id: 99, key: 'list:1', kind: 'append', input: 'z', start: 70 });
    expect(told.found(kept)).toEqual([]);
    expect(told.found({ ...kept, lists: { 'list:1': ['a', 'z'] } })).toEqual([]);
  });

  test('finds two leaders of one term, and two clusters', () => {
    const status = {
      t: 'status',
      at: 5,
      role: 'leader',
      suffrage: 'voter',
      voters: [],
      members: 1,
      tolerance: 0,
      leader: undefined,
    } as const;
    expect(good().note({ t: 'leads', at: 1, term: 3 }).note({ t: 'leads', at: 2, term: 3 }, 'B1', 'node-b').found(kept)).toEqual([
      'one-leader-per-term',
    ]);
    expect(good().note({ t: 'leads', at: 1, term: 3 }).note({ t: 'leads', at: 2, term: 4 }, 'B1', 'node-b').found(kept)).toEqual(
      [],
    );
    const other = good()
      .note({ ...status, cluster: 'one', term: 3 })
      .note({ ...status, cluster: 'two', term: 4 }, 'B1', 'node-b');
    expect(other.found(kept)).toEqual(['one-cluster']);
  });

  test('finds what does not come back in time, an end that nobody can read, and a run in which nothing happened', () => {
    expect(good().found(kept, [fault({ written: 3_001 })])).toEqual(['recovery']);
    expect(good().found(kept, [fault({ healthy: undefined })])).toEqual(['recovery']);
    expect(good().found(kept, [fault({ written: undefined, healthy: undefined })])).toEqual(['recovery', 'recovery']);
    expect(judge(good().record, [], undefined, BOUNDS).map(({ promise }) => promise)).toEqual(['recovery']);
    expect(new Told().found()).toEqual(['enough-happened']);
  });

  test('measures the longest pause, the ends included', () => {
    expect(longestPause([50, 400, 450], 100, 1_000)).toBe(550);
    expect(longestPause([], 100, 1_000)).toBe(900);
  });
});

test('the report shows every place, fault and finding, and names nothing as markup', () => {
  const told = new Told().call('write', 'x', '<b>', 1_100, 1_200, 'ok', null).note({ t: 'leads', at: 1_000, term: 3 });
  const report: Report = {
    seed: '<17>',
    commit: 'abc',
    from: 1_000,
    to: 9_000,
    places: ['A1', 'edge'],
    faults: [fault({}), fault({ kind: 'signaling-down', places: [], healthy: undefined })],
    findings: [{ promise: 'linearizable', text: '<i>' }],
    record: told.record,
  };
  const page = pageOf(report);
  for (const text of ['frozen', 'signaling-down', 'edge', 'never', '&lt;i&gt;', 'chaos &lt;17&gt;']) expect(page).toContain(text);
  expect(page).not.toContain('<i>');
  expect(pictureOf(report).match(/<circle/g)).toHaveLength(1);
  expect(summaryOf(report)).toMatchObject({ calls: { ok: 1 }, faults: [{ writtenAfterMs: 500 }, { healthyAfterMs: null }] });
});
