import { describe, expect, test } from 'vitest';
import { countBoundaries, crashScenarios, searchCrashes, simulateWithCrashes } from '../../src/testing/sim/index.ts';

const scenarios = crashScenarios();

describe('crashes at the writes of a scenario', () => {
  test('there are at least twelve scenarios, each with writes of every voter', async () => {
    expect(Object.keys(scenarios).length).toBeGreaterThanOrEqual(12);
    const plan = scenarios['three nodes write'];
    if (plan === undefined) throw new Error('the scenario is gone');
    const counts = await countBoundaries(plan);
    expect([...counts.keys()].sort()).toEqual(['n1', 'n2', 'n3']);
    for (const count of counts.values()) expect(count).toBeGreaterThan(10);
  });

  test('a machine really dies at the write asked for, and comes back', async () => {
    const plan = scenarios['one node writes'];
    if (plan === undefined) throw new Error('the scenario is gone');
    const report = await simulateWithCrashes(plan, [{ node: 'n1', boundary: 6, keeps: 'none' }]);
    expect(report.marks.get('fault:crash-point')).toBe(1);
    expect(report.violations).toEqual([]);
  });

  test.each([
    'one node writes',
    'a conflicting end is cut off',
    'snapshots every three entries',
    'a voter is replaced in one joint change',
  ])('a sample of the crash points of: %s', async (name) => {
    const { runs, failed } = await searchCrashes(name, { every: 13 });
    expect(runs).toBeGreaterThan(5);
    expect(failed.map(({ points, report }) => [points, report.violations[0]?.text])).toEqual([]);
  });
});
