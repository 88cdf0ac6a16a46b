/**
 * What this tab did to the shared account and saw of it, beside what the others did, as a history that a checker can judge. What
 * others did is known from the log: it took effect before it was applied here, and after whatever came before it in the log began.
 */
import { RaftError } from '../src/index.ts';
import type { Model, Operation } from '../src/inspector/index.ts';
import { ACCOUNT } from './machine.ts';
import type { DemoNode } from './open.ts';

/** Operations kept: the checker takes a moment for so many. */
export const OPERATIONS_MAX = 4_000;

type Kind = 'deposit' | 'withdraw' | 'read';

interface Own {
  readonly kind: Kind;
  readonly input: number;
  readonly start: number;
  /** What was applied here when it began: it takes effect after that. */
  readonly after: number;
  end: number | null;
  outcome: Operation['outcome'];
  result: unknown;
  index: number | undefined;
}

interface Seen {
  readonly kind: Kind;
  readonly input: number;
  readonly result: unknown;
  readonly index: number;
  readonly end: number;
}

/** What the history needs of a node. */
export type AccountNode = Pick<DemoNode, 'proposeDetailed' | 'read' | 'changes' | 'status' | 'id'>;

export class AccountHistory {
  readonly #node: AccountNode;
  readonly #now: () => number;
  #own: Own[] = [];
  #seen: Seen[] = [];

  constructor(node: AccountNode, now: () => number = () => performance.now()) {
    this.#node = node;
    this.#now = now;
    void this.#follow();
  }

  /** Errors: those of propose. */
  deposit(amount: number): Promise<number> {
    return this.#run('deposit', amount, () =>
      this.#node.proposeDetailed({ type: 'bank.deposit', account: ACCOUNT, amount }),
    ) as Promise<number>;
  }

  /** False when there is not enough. Errors: those of propose. */
  withdraw(amount: number): Promise<boolean> {
    return this.#run('withdraw', amount, () =>
      this.#node.proposeDetailed({ type: 'bank.withdraw', account: ACCOUNT, amount }),
    ) as Promise<boolean>;
  }

  /** Errors: those of read. */
  balance(): Promise<number> {
    return this.#run('read', 0, async () => ({
      result: await this.#node.read(({ bank }) => bank.accounts.get(ACCOUNT) ?? 0),
      index: undefined,
    })) as Promise<number>;
  }

  /** This tab's operations, and those of others as the log told of them. */
  operations(): readonly Operation[] {
    const key = ACCOUNT;
    const own = this.#own.map(
      ({ kind, input, start, end, outcome, result }): Operation => ({
        process: 'here',
        key,
        kind,
        input,
        start,
        end,
        outcome,
        result,
      }),
    );
    const placed = this.#own.filter(({ index }) => index !== undefined).sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
    const mine = new Set(placed.map(({ index }) => index));
    let start = 0;
    let next = 0;
    const others = this.#seen
      .filter(({ index }) => !mine.has(index))
      .map(({ kind, input, result, index, end }): Operation => {
        for (let before = placed[next]; before !== undefined && (before.index ?? 0) < index; before = placed[next]) {
          start = Math.max(start, before.start);
          next += 1;
        }
        return { process: 'others', key, kind, input, start, end, outcome: 'ok', result };
      });
    return [...own, ...others];
  }

  async #run(
    kind: Kind,
    input: number,
    call: () => Promise<{ readonly result: unknown; readonly index: number | undefined }>,
  ): Promise<unknown> {
    const operation: Own = {
      kind,
      input,
      start: this.#now(),
      after: this.#node.status.appliedIndex,
      end: null,
      outcome: 'unknown',
      result: undefined,
      index: undefined,
    };
    this.#own.push(operation);
    this.#forget();
    try {
      const { result, index } = await call();
      Object.assign(operation, { result, index, outcome: 'ok', end: this.#now() });
      return result;
    } catch (error) {
      const surelyNot = RaftError.is(error) && !error.mayHaveApplied;
      Object.assign(operation, { outcome: surelyNot ? 'no' : 'unknown', end: this.#now() });
      throw error;
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const { type, input, result, index } of this.#node.changes()) {
        if (type !== 'bank.deposit' && type !== 'bank.withdraw') continue;
        if (input.account !== ACCOUNT) continue;
        const kind = type === 'bank.deposit' ? 'deposit' : 'withdraw';
        this.#seen.push({ kind, input: input.amount, result, index, end: this.#now() });
        this.#forget();
      }
    } catch {
      // The node has stopped, or the log went on without this feed: what others did from now on is not known.
      this.#own = [];
      this.#seen = [];
    }
  }

  /** Drops the beginning, in the log's order, when there is too much: the model begins anywhere. */
  #forget(): void {
    if (this.#own.length + this.#seen.length <= OPERATIONS_MAX) return;
    const cut = this.#seen[Math.floor(this.#seen.length / 2)]?.index ?? Number.POSITIVE_INFINITY;
    this.#seen = this.#seen.filter(({ index }) => index >= cut);
    this.#own = this.#own.filter(({ index, after, end }) => (index === undefined ? end === null || after >= cut : index >= cut));
  }
}

/** What the account holds; 'unknown' until somebody is told, because the history may begin anywhere. */
type Balance = number | 'unknown';

/** An account whose balance nobody knows until somebody is told it. To the checker undefined means: it cannot have been so. */
export const accountModel: Model<Balance> = {
  name: 'account',
  initial: 'unknown',
  step(state, { kind, input, outcome, result }) {
    const told = outcome === 'ok';
    const amount = Number(input);
    if (kind === 'read') {
      if (!told) return state;
      return state === 'unknown' || result === state ? Number(result) : undefined;
    }
    if (kind === 'deposit') {
      if (state === 'unknown') return told ? Number(result) : state;
      return !told || result === state + amount ? state + amount : undefined;
    }
    if (state === 'unknown') return state;
    const enough = state >= amount;
    if (told && result !== enough) return undefined;
    return enough ? state - amount : state;
  },
  keyOf: (state) => String(state),
};
