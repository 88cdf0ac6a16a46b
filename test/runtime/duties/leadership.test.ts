/** Who leads: the plan, and leadership that leaves a hidden tab. */
import { describe, expect, test } from 'vitest';
import { resolveAutopilot } from '../../../src/runtime/api/options.ts';
import { betterLeader } from '../../../src/runtime/duties/leadership-plan.ts';
import type { MemberFacts } from '../../../src/runtime/duties/member-facts.ts';
import { OwnPace } from '../../../src/runtime/duties/own-pace.ts';
import { Cluster } from '../cluster.ts';
import { facts, learner, silent } from './facts.ts';

const options = { settleMs: 1_000, calmMs: 5_000 };
const burdened = (id: string, given: Partial<MemberFacts> = {}): MemberFacts => facts(id, { burden: 1, ...given });
/** The leader is `a`. */
const better = (...members: MemberFacts[]): string | undefined => betterLeader({ self: 'a', members, options })?.id;

describe('plan', () => {
  test('from a leader that is slowed down to a voter that is not', () => {
    expect(better(burdened('a'), facts('b'), facts('c'))).toBe('b');
    expect(better(burdened('a'), burdened('b'), facts('c'))).toBe('c');
    expect(better(facts('a'), facts('b'))).toBeUndefined();
    expect(better(facts('a', { burden: 2 }), burdened('b'))).toBe('b');
  });

  test('a hidden leader that is alone, or among hidden ones, goes on', () => {
    expect(better(burdened('a'))).toBeUndefined();
    expect(better(burdened('a'), burdened('b'))).toBeUndefined();
    expect(better(burdened('a'), silent('b'))).toBeUndefined();
  });

  test('only when both have been so for long', () => {
    expect(better(burdened('a', { burdenForMs: 4_999 }), facts('b'))).toBeUndefined();
    expect(better(burdened('a'), facts('b', { burdenForMs: 4_999 }))).toBeUndefined();
    expect(better(burdened('a'), facts('b', { heardForMs: 2_999 }))).toBeUndefined();
  });

  test('to voters that have caught up only', () => {
    expect(better(burdened('a'), learner('b'))).toBeUndefined();
    expect(better(burdened('a'), facts('b', { suffrage: 'witness' }))).toBeUndefined();
    expect(better(burdened('a'), facts('b', { caughtUp: false }))).toBeUndefined();
  });

  test("a priority is somebody's wish, and goes before all that", () => {
    expect(better(facts('a'), burdened('b', { priority: 1 }))).toBe('b');
    expect(better(burdened('a', { priority: 1 }), facts('b'))).toBeUndefined();
  });

  test('who is reluctant leads two, and hands over to any of three', () => {
    const kept = (id: string): MemberFacts => facts(id, { reluctant: true, lasting: true });
    expect(better(kept('a'), burdened('b'))).toBeUndefined();
    expect(better(facts('a'), kept('b'))).toBe('b');
    expect(better(kept('a'), burdened('b'), burdened('c'))).toBe('b');
    expect(better(burdened('a'), burdened('b'), kept('c'))).toBeUndefined();
    // Who only listens does not count, and a wish goes first.
    expect(better(facts('a'), kept('b'), learner('c'))).toBe('b');
    expect(better(facts('a', { priority: 1 }), kept('b'))).toBeUndefined();
  });

  test('from a device without room at once', () => {
    const short = { shortOfSpace: true, burdenForMs: 0 };
    expect(better(facts('a', short), facts('b', { burdenForMs: 0 }))).toBe('b');
    expect(better(facts('a', short), facts('b', short))).toBeUndefined();
    expect(better(burdened('a'), facts('b', { shortOfSpace: true }))).toBeUndefined();
  });
});

test('leadership leaves a hidden tab, and stays where it is when all are hidden', async () => {
  await using cluster = new Cluster();
  const autopilot = resolveAutopilot({ settleMs: 20, intervalMs: 0, moveMs: 300, calmMs: 200 });
  // A busy machine must not take leadership away by itself.
  const tune = { electionTimeoutMs: [1_000, 2_000] as const, heartbeatMs: 100 };
  const nodes = await cluster.of(3, { autopilot, tune });
  const first = cluster.leader();
  const visible = cluster.followers()[1];
  if (visible === undefined) throw new Error('no follower');
  for (const { engine } of nodes) engine.reports.own.hidden = engine !== visible.engine;
  await first.node.until((status) => status.leaderId === visible.node.id, { timeoutMs: 40_000 });
  expect(first.node.status.role).toBe('follower');
  const rows = (): readonly { readonly burden: number; readonly id: string }[] => visible.node.admin.autopilot()?.members ?? [];
  // It has heard that the others are hidden: they tell once a second, which is longer than calm lasts here.
  await visible.node.until(() => rows().filter(({ burden }) => burden >= 1).length === 2, { timeoutMs: 40_000 });
  visible.engine.reports.own.hidden = true;
  // Everybody has told that it is hidden, and so for longer than it takes to move.
  await visible.node.until(() => rows().length === 3 && rows().every(({ burden }) => burden >= 1), { timeoutMs: 40_000 });
  const term = visible.node.term;
  expect(await first.node.propose({ type: 'add', amount: 1 })).toBe(1);
  expect(visible.node.role).toBe('leader');
  expect(visible.node.term).toBe(term);
});

test('ticks that come late for most of the time are told of, until they come in time again', () => {
  const own = { shortOfSpace: false, hidden: false, saving: false, late: false, lasting: false, reluctant: false };
  const pace = new OwnPace({ own } as never);
  for (let i = 0; i < 100; i++) pace.onTick(60, 50);
  expect(own.late).toBe(false);
  // One long pause is a sleep, not a burden that goes on.
  pace.onTick(2_000, 50);
  expect(own.late).toBe(false);
  for (let i = 0; i < 20; i++) pace.onTick(1_000, 50);
  expect(own.late).toBe(true);
  for (let i = 0; i < 10; i++) pace.onTick(50, 50);
  expect(own.late).toBe(true);
  for (let i = 0; i < 200; i++) pace.onTick(50, 50);
  expect(own.late).toBe(false);
});

test('a page that slept once and keeps up since is not slowed down; one that is stopped again and again is', () => {
  const own = { shortOfSpace: false, hidden: false, saving: false, late: false, lasting: false, reluctant: false };
  const pace = new OwnPace({ own } as never);
  pace.onTick(60_000, 50);
  expect(own.late).toBe(false);
  for (let i = 0; i < 6; i++) pace.onTick(60_000, 50);
  expect(own.late).toBe(true);
});
