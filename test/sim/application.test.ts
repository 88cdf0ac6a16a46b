/** What the simulator does beside faults: an intruder, callbacks that throw, writes that expire or stay, readers after a return. */
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS, type Plan, planOf } from '../../src/testing/sim/plan.ts';
import { type RunReport, simulate } from '../../src/testing/sim/simulate.ts';

const plain: Plan = {
  ...planOf('3'),
  voters: 3,
  learners: 0,
  strikes: [],
  intruder: false,
  throwing: false,
  unforwarded: 0,
  expiring: 0,
};
const counts = ({ marks }: RunReport, prefix: string): string[] => [...marks.keys()].filter((name) => name.startsWith(prefix));

describe('an intruder', () => {
  test('says nearly everything, as a stranger, a newcomer, a learner and one who was removed, and nobody suffers', async () => {
    const said = new Set<string>();
    for (const seed of ['1', '2']) {
      const report = await simulate({ ...plain, ...{ seed, intruder: true } });
      expect(report.violations).toEqual([]);
      expect(counts(report, 'intruder:').sort()).toEqual([
        'intruder:is learner',
        'intruder:is removed',
        'intruder:learner',
        'intruder:newcomer',
        'intruder:removed',
        'intruder:stranger',
      ]);
      for (const name of counts(report, 'said:')) said.add(name);
    }
    expect(said.size).toBeGreaterThan(24);
  });
});

describe('with a proof under every link', () => {
  const proven: Plan = { ...plain, trust: true, intruder: true };

  test('nothing that an intruder says is heard: without a proof, with a wrong one, with others’ words, as one put out', async () => {
    for (const seed of ['trust-1', 'trust-2']) {
      const report = await simulate({ ...proven, seed });
      expect(report.violations).toEqual([]);
      expect(counts(report, 'proof:').sort()).toEqual(['proof:no proof', 'proof:revoked']);
      expect(counts(report, 'intruder:').sort()).toEqual([
        'intruder:learner',
        'intruder:newcomer',
        'intruder:removed',
        'intruder:stranger',
      ]);
      expect(report.evaluated.get('I43')).toBeGreaterThan(20);
      expect(report.acknowledged).toBeGreaterThan(20);
    }
  });

  test('one that finds the secret out is heard, and that is found', async () => {
    // Nobody is told who was put out.
    const leaking = await simulate(
      { ...proven, seed: 'trust-1' },
      {
        onCluster: ({ proof }) => {
          if (proof !== undefined) proof.revoked.add = () => proof.revoked;
        },
      },
    );
    expect(leaking.violations[0]?.id).toBe('I43');
  });

  test('it is asked for by the name of a seed, and other seeds are what they were', () => {
    expect(planOf('trust-7')).toMatchObject({ trust: true, intruder: true });
    expect(planOf('7')).not.toHaveProperty('trust');
  });
});

test('callbacks that throw, all of them, end no node', async () => {
  const report = await simulate({ ...plain, throwing: true });
  expect(report.violations).toEqual([]);
  expect(counts(report, 'callback:').sort()).toEqual([
    'callback:condition',
    'callback:event',
    'callback:leader work',
    'callback:selector',
    'callback:subscriber',
    'callback:trace',
  ]);
});

test('writes that expire are met by clocks that are wrong, and those that are not forwarded by elections', async () => {
  const strikes: Plan['strikes'] = [
    { kind: 'wall-clock', target: 'leader', byMs: 3_000_000, atMs: 4_000 },
    { kind: 'crash', target: 'leader', crash: 'process', forMs: 2_000, atMs: 8_000 },
    { kind: 'wall-clock', target: 'leader', byMs: -3_000_000, atMs: 12_000 },
  ];
  const report = await simulate({ ...plain, unforwarded: 0.4, expiring: 0.5, reads: 0.2, strikes });
  expect(report.violations).toEqual([]);
  expect(counts(report, 'write:').sort()).toEqual(['write:expiring done', 'write:expiring timeout', 'write:unforwarded']);
});

test('two disks that fail at once, and a reader at the moment when a node is back', async () => {
  const strikes: Plan['strikes'] = [4_000, 9_000, 14_000].map((atMs) => ({
    kind: 'failing-disks',
    target: 'leader',
    other: 1,
    forMs: 3_000,
    atMs,
  }));
  const report = await simulate({ ...plain, thinkMs: [5, 60], strikes });
  expect(report.violations).toEqual([]);
  expect(report.marks.get('fault:failing-disks') ?? 0).toBeGreaterThan(0);
  expect(report.marks.get('read-after-return') ?? 0).toBeGreaterThan(0);
  expect(FAULT_KINDS).toContain('failing-disks');
});
