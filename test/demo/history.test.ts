/** The page's own history of the shared account: what the checker is given, and that it finds what is wrong. */
import { expect, test } from 'vitest';
import { AccountHistory, type AccountNode, accountModel, OPERATIONS_MAX } from '../../demo/history.ts';
import { ACCOUNT } from '../../demo/machine.ts';
import { RaftError } from '../../src/index.ts';
import { checkLinearizable, type Model } from '../../src/testing/index.ts';

interface FakeAccount extends AccountNode {
  balance: number;
  index: number;
  /** Something that another tab did. */
  other(type: 'bank.deposit' | 'bank.withdraw', amount: number): void;
  fail: RaftError | undefined;
  /** Answers with this instead of the truth. */
  lie: number | undefined;
  end(): void;
}

function fake(): FakeAccount {
  const waiting: object[] = [];
  let wake = (): void => undefined;
  let over = false;
  const apply = (type: string, amount: number): unknown => {
    node.index += 1;
    if (type === 'bank.deposit') node.balance += amount;
    const enough = node.balance >= amount;
    if (type === 'bank.withdraw' && enough) node.balance -= amount;
    const result = type === 'bank.deposit' ? node.balance : enough;
    waiting.push({ type, input: { account: ACCOUNT, amount }, result, index: node.index });
    wake();
    return result;
  };
  const node = {
    id: 'a',
    balance: 50,
    index: 10,
    fail: undefined,
    lie: undefined,
    get status() {
      return { appliedIndex: node.index };
    },
    proposeDetailed: async ({ type, amount }: { type: string; amount: number }) => {
      if (node.fail !== undefined) throw node.fail;
      const result = apply(type, amount);
      return { result: node.lie ?? result, index: node.index, term: 1, replayed: false };
    },
    read: async () => node.lie ?? node.balance,
    other: (type: string, amount: number) => void apply(type, amount),
    async *changes() {
      while (!over) {
        for (const change of waiting.splice(0)) yield change;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (over || waiting.length > 0) resolve();
        });
      }
      throw new RaftError('stopped', 'The node stopped.');
    },
    end: () => {
      over = true;
      wake();
    },
  } as unknown as FakeAccount;
  return node;
}

function clocked(node: AccountNode): AccountHistory {
  let now = 0;
  return new AccountHistory(node, () => ++now);
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const check = (history: AccountHistory): ReturnType<typeof checkLinearizable> =>
  checkLinearizable(history.operations(), { modelOf: () => accountModel as Model<unknown> });

test('what this tab and others did is one history that one order explains', async () => {
  const node = fake();
  const history = clocked(node);
  expect(await history.deposit(10)).toBe(60);
  node.other('bank.withdraw', 55);
  expect(await history.withdraw(30)).toBe(false);
  expect(await history.balance()).toBe(5);
  node.other('bank.deposit', 1);
  await settle();
  expect(history.operations().map(({ process, kind }) => `${process} ${kind}`)).toEqual([
    'here deposit',
    'here withdraw',
    'here read',
    'others withdraw',
    'others deposit',
  ]);
  // Another's withdrawal came after this tab's deposit began, as the log says.
  expect(history.operations()[3]?.start).toBe(history.operations()[0]?.start);
  expect(check(history)).toMatchObject({ ok: true, operations: 5 });
});

test.each(['read', 'deposit', 'withdraw'] as const)('a wrong answer to a %s is a violation', async (kind) => {
  const node = fake();
  const history = clocked(node);
  await history.deposit(10);
  await settle();
  node.lie = kind === 'withdraw' ? (false as never) : 59;
  if (kind === 'read') await history.balance();
  else if (kind === 'deposit') await history.deposit(1);
  else await history.withdraw(1);
  expect(check(history)).toMatchObject({ ok: false, undecided: false });
});

test('a history may begin with what tells nothing of the balance', async () => {
  const node = fake();
  const history = clocked(node);
  expect(await history.withdraw(1_000)).toBe(false);
  node.fail = new RaftError('timeout', 'x', { mayHaveApplied: true });
  await expect(history.deposit(7)).rejects.toMatchObject({ code: 'timeout' });
  node.fail = undefined;
  expect(await history.withdraw(1)).toBe(true);
  expect(check(history)).toMatchObject({ ok: true });
  await history.balance();
  expect(check(history)).toMatchObject({ ok: true });
});

test('a write that failed for certain takes no part; one that may have happened may', async () => {
  const node = fake();
  const history = clocked(node);
  await history.deposit(10);
  node.fail = new RaftError('busy', 'x', { mayHaveApplied: false });
  await expect(history.deposit(5)).rejects.toMatchObject({ code: 'busy' });
  node.fail = new RaftError('timeout', 'x', { mayHaveApplied: true });
  await expect(history.deposit(7)).rejects.toMatchObject({ code: 'timeout' });
  node.fail = undefined;
  expect(history.operations().map(({ outcome }) => outcome)).toEqual(['ok', 'no', 'unknown']);
  await history.balance();
  expect(check(history).ok).toBe(true);
  // It was applied after all, and the log says so.
  node.other('bank.deposit', 7);
  await settle();
  await history.balance();
  expect(check(history).ok).toBe(true);
});

test('a long history is cut at the beginning, and what is left is still explained', async () => {
  const node = fake();
  const history = clocked(node);
  for (let i = 0; i < OPERATIONS_MAX; i++) {
    if (i % 3 === 0) node.other('bank.deposit', 2);
    else if (i % 3 === 1) await history.withdraw(1);
    else await history.balance();
    await settle();
  }
  expect(history.operations().length).toBeLessThanOrEqual(OPERATIONS_MAX);
  expect(history.operations().length).toBeGreaterThan(OPERATIONS_MAX / 4);
  expect(check(history)).toMatchObject({ ok: true });
});

test('when the feed of changes ends, what others do is not known any more: the history begins anew', async () => {
  const node = fake();
  const history = clocked(node);
  await history.deposit(10);
  await settle();
  node.end();
  await settle();
  expect(history.operations()).toEqual([]);
});
