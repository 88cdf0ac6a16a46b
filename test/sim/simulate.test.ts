import { describe, expect, test } from 'vitest';
import { makeEntry, NO_BYTES } from '../../src/core/types.ts';
import type { Machine } from '../../src/state/state-machine.ts';
import { TypedMachine } from '../../src/state/typed-machine.ts';
import { objectsMachine, type Plan, planOf, shrink, simulate } from '../../src/testing/sim/index.ts';

const seeds = (from: number, count: number): string[] => Array.from({ length: count }, (_, i) => String(from + i));

describe('the simulated cluster', () => {
  test('keeps every promise over a few seeds, and is really tested by them', async () => {
    const evaluated = new Set<string>();
    for (const seed of seeds(100, 12)) {
      const report = await simulate(planOf(seed));
      expect(report.violations, `seed ${seed}`).toEqual([]);
      expect(report.void, `seed ${seed}`).toBeUndefined();
      for (const id of report.evaluated.keys()) evaluated.add(id);
    }
    for (const id of ['I1', 'I2', 'I3', 'I5', 'I7', 'I8', 'I9', 'I12', 'I20', 'I25', 'I27', 'I29', 'I31', 'I35'])
      expect(evaluated).toContain(id);
  });

  test('the same seed comes to the same trace', async () => {
    const [one, two] = [await simulate(planOf('7')), await simulate(planOf('7'))];
    expect(two.hash).toBe(one.hash);
    expect(two.events).toBe(one.events);
    expect((await simulate(planOf('8'))).hash).not.toBe(one.hash);
  });

  test('a leader that contradicts what a node has committed is found, though the node goes on', async () => {
    const plan: Plan = { ...planOf('3'), voters: 3, learners: 0, strikes: [] };
    const report = await simulate(plan, {
      onCluster: (cluster) =>
        cluster.scheduler.at(2_000, '', () => {
          const follower = cluster.nodes.find(({ isLeader }) => !isLeader)?.engine;
          const from = cluster.leader?.id ?? '';
          if (follower?.member === undefined) throw new Error('no follower');
          const term = follower.term + 1;
          const entries = [makeEntry(1, term, 'normal', 0, NO_BYTES, undefined)];
          const forged = { from, to: follower.id, term, prevIndex: 0, prevTerm: 0, commit: 1, entries };
          follower.member.step({ type: 'append-request', ...forged });
        }),
    });
    expect(report.violations).toMatchObject([{ id: 'I6', timeMs: 2_000, text: expect.stringContaining('committed') }]);
  });

  test('a copy of a node that is alive ends at once, and the node goes on', async () => {
    const strikes: Plan['strikes'] = [
      { kind: 'copy', target: 'leader', atMs: 3_000 },
      { kind: 'copy', target: 1, atMs: 4_000 },
    ];
    const report = await simulate({ ...planOf('3'), voters: 3, learners: 0, strikes });
    expect(report.violations).toEqual([]);
    expect([report.marks.get('fault:copy'), report.evaluated.get('I41')]).toEqual([2, 2]);
  });

  test('a machine that is not deterministic is found, and the plan is made smaller', async () => {
    let lives = 0;
    const machine = (): Machine => {
      lives += 1;
      const bias = lives;
      return new TypedMachine({
        ...objectsMachine,
        commands: {
          ...objectsMachine.commands,
          add: (state, { key, amount }: { readonly key: string; readonly amount: number }) => {
            state.counters[key] = (state.counters[key] ?? 0) + amount + (bias % 2);
            return state.counters[key];
          },
        },
      });
    };
    const plan: Plan = { ...planOf('3'), voters: 3, keys: ['counter:a', 'a', 'b'] };
    const report = await simulate(plan, { machine });
    expect(report.violations[0]?.id).toMatch(/I7|I20|I25|I29/);
    const small = await shrink(plan, { machine }, 30);
    expect(small.report.violations[0]?.id).toBe(report.violations[0]?.id);
    expect(small.plan.strikes.length).toBeLessThanOrEqual(1);
  });
});
