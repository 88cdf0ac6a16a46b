import { expect, test } from 'vitest';
import { defineStateMachine } from '../../src/state/typed-machine.ts';
import { type Plan, type Prng, simulateMachine } from '../../src/testing/index.ts';

interface Bank {
  readonly accounts: Record<string, number>;
}

const names = ['ann', 'bob', 'cem'];
const bank = defineStateMachine<Bank>()({
  initial: () => ({ accounts: { ann: 100, bob: 100, cem: 100 } }),
  commands: {
    transfer: ({ accounts }, { from, to, amount }: { readonly from: string; readonly to: string; readonly amount: number }) => {
      const has = accounts[from] ?? 0;
      if (has < amount) return false;
      accounts[from] = has - amount;
      accounts[to] = (accounts[to] ?? 0) + amount;
      return true;
    },
  },
});
const command = (random: Prng) => ({
  type: 'transfer' as const,
  from: random.pick(names),
  to: random.pick(names),
  amount: random.between(1, 60),
});
const total = ({ accounts }: Readonly<Bank>): number => Object.values(accounts).reduce((a, b) => a + b, 0);
const short = (plan: Plan): Plan => ({ ...plan, healAtMs: 9_000 });

test('an application tests its own machine: money is neither made nor lost, whatever fails', async () => {
  const runs = await simulateMachine(bank, {
    command,
    check: (state) => (total(state) === 300 ? undefined : `${total(state)} in all`),
    seeds: ['1', '2', '3'],
    plan: short,
  });
  expect(runs).toHaveLength(3);
  for (const { report, wrong } of runs) {
    expect(report.violations).toEqual([]);
    expect(wrong).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(5);
  }
});

test('a handler that is not deterministic is found', async () => {
  let calls = 0;
  const shaky = {
    ...bank,
    commands: {
      transfer: ({ accounts }: Bank, { to }: { readonly from: string; readonly to: string; readonly amount: number }) => {
        calls += 1;
        accounts[to] = calls;
        return true;
      },
    },
  };
  const runs = await simulateMachine(shaky, { command, seeds: ['3', '4', '5'], plan: (plan) => ({ ...short(plan), voters: 3 }) });
  expect(runs.at(-1)?.report.violations[0]?.id).toMatch(/^I(7|20|25)$/);
});

test('a state that must not be is found', async () => {
  const runs = await simulateMachine(bank, {
    command,
    check: (state) => ((state.accounts['ann'] ?? 0) < 90 ? 'ann is poor' : undefined),
    seeds: ['1'],
    plan: short,
  });
  expect(runs[0]?.wrong[0]).toMatch(/^at \d+: ann is poor$/);
});
