import { describe, expect, test } from 'vitest';
import { EXPLORE_DEFAULTS, explore, replayChoices } from '../../src/testing/sim/explore.ts';

describe('every order of events of two cores', () => {
  test('one election and one proposal: all of it, and nothing is violated', () => {
    const found = explore({ ...EXPLORE_DEFAULTS, campaigns: 1, proposals: 1, crashes: 0 });
    expect(found.violation).toBeUndefined();
    expect(found.complete).toBe(true);
    expect(found.states).toBeGreaterThan(300);
    for (const id of ['I1', 'I2', 'I3', 'I5', 'I7', 'I8', 'I9', 'I12']) expect(found.evaluated.get(id) ?? 0).toBeGreaterThan(0);
  });

  test('two rival elections: all of it, and nothing is violated', () => {
    const found = explore({ ...EXPLORE_DEFAULTS, campaigns: 2, proposals: 0, crashes: 0 });
    expect(found.violation).toBeUndefined();
    expect(found.complete).toBe(true);
    expect(found.evaluated.get('I6') ?? 0).toBeGreaterThan(0);
  });

  test('with crashes and losses, as far as the bound', () => {
    const found = explore({ ...EXPLORE_DEFAULTS, crashes: 1, losses: 1, statesMax: 1_500 });
    expect(found.violation).toBeUndefined();
    expect(found.states).toBe(1_500);
  });

  test('the leader of two goes on alone, or leaves its vote, with crashes: as far as the bound', () => {
    const limits = { ...EXPLORE_DEFAULTS, elected: true, campaigns: 1, proposals: 0, crashes: 1, alones: 1, closes: 1 };
    const found = explore({ ...limits, statesMax: 2_500 });
    expect(found.violation).toBeUndefined();
    expect(found.states).toBe(2_500);
    for (const id of ['I2', 'I6', 'I9', 'I17']) expect(found.evaluated.get(id) ?? 0).toBeGreaterThan(0);
  });

  test('three become two, and two become one: as far as the bound', () => {
    const limits = {
      ...EXPLORE_DEFAULTS,
      nodes: 3,
      elected: true,
      campaigns: 1,
      proposals: 0,
      crashes: 0,
      demotions: 1,
      alones: 1,
    };
    const found = explore({ ...limits, statesMax: 2_500 });
    expect(found.violation).toBeUndefined();
    expect(found.states).toBe(2_500);
  });

  test('the same choices come to the same state, others do not', () => {
    const limits = { ...EXPLORE_DEFAULTS, crashes: 0 };
    const path = [
      { kind: 'campaign', node: 0 },
      { kind: 'write', node: 0 },
    ] as const;
    expect(replayChoices(limits, path).key()).toBe(replayChoices(limits, path).key());
    expect(replayChoices(limits, path).key()).not.toBe(replayChoices(limits, path.slice(0, 1)).key());
  });
});
