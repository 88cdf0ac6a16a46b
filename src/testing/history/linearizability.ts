/**
 * Is there one order of the operations that explains every answer, and that puts each between its call and its
 * answer? Wing and Gong's search with Lowe's memory of what was tried, each key on its own. An operation of
 * unknown outcome may take effect at any time after its call, or never.
 */
import type { Operation } from './history.ts';
import { type Model, modelOfKey } from './models.ts';

export type Verdict =
  | { readonly ok: true; readonly operations: number; readonly steps: number }
  /** `undecided`: the search was cut off. Otherwise no order exists: `stuck` is what no order could get past. */
  | {
      readonly ok: false;
      readonly undecided: boolean;
      readonly key: string;
      readonly model: string;
      readonly stuck: readonly Operation[];
      readonly explained: readonly Operation[];
      readonly steps: number;
    };

export interface CheckOptions {
  readonly modelOf?: (key: string) => Model<unknown>;
  /** Steps of the search over all keys before it is given up as undecided. */
  readonly stepsMax?: number;
}

/** A search that takes longer is undecided: far above what a history of a thousand operations takes. */
export const SEARCH_STEPS_MAX = 2_000_000;

/** Checks a whole history, key by key. What is certain not to have happened (`no`) takes no part. */
export function checkLinearizable(history: readonly Operation[], options: CheckOptions = {}): Verdict {
  const modelOf = options.modelOf ?? modelOfKey;
  let left = options.stepsMax ?? SEARCH_STEPS_MAX;
  let operations = 0;
  let steps = 0;
  for (const [key, group] of groupByKey(history)) {
    const verdict = searchKey(key, group, modelOf(key), left);
    if (!verdict.ok) return verdict;
    operations += verdict.operations;
    steps += verdict.steps;
    left -= verdict.steps;
  }
  return { ok: true, operations, steps };
}

/** What nobody knows the end of may never have taken effect: an order without what nothing tells of is an order. */
function searchKey(key: string, group: readonly Operation[], model: Model<unknown>, stepsMax: number): Verdict {
  const seen = model.seen?.(group);
  const told = seen === undefined ? group : group.filter((one) => one.outcome !== 'unknown' || seen(one));
  if (told.length < group.length) {
    const verdict = new Search(told, model).run(key, stepsMax);
    if (verdict.ok) return { ...verdict, operations: group.length };
  }
  return new Search(group, model).run(key, stepsMax);
}

function groupByKey(history: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of history) {
    if (operation.outcome === 'no') continue;
    // A read that nobody saw the answer of says nothing.
    if (operation.outcome === 'unknown' && operation.kind === 'read') continue;
    const group = groups.get(operation.key);
    if (group === undefined) groups.set(operation.key, [operation]);
    else group.push(operation);
  }
  return groups;
}

/** A call or an answer in the list of what happened; `answer` is the call's own answer, undefined for one that never came. */
interface Mark {
  readonly operation: Operation;
  readonly id: number;
  readonly answer: Mark | undefined;
  readonly isCall: boolean;
  previous: Mark | undefined;
  next: Mark | undefined;
}

interface Step {
  readonly mark: Mark;
  readonly state: unknown;
}

class Search {
  readonly #model: Model<unknown>;
  readonly #possible: (state: unknown) => boolean;
  /** Calls that nobody saw anything of are all alike: each comes only after the one that was called before it. */
  readonly #after: ReadonlyMap<number, number>;
  readonly #count: number;
  readonly #head: Mark;
  #unanswered: number;
  readonly #seen = new Set<string>();
  /** 30 operations per element: which ones are placed. */
  readonly #placed: number[];

  constructor(operations: readonly Operation[], model: Model<unknown>) {
    this.#model = model;
    this.#possible = model.possible?.(operations) ?? (() => true);
    this.#after = unseenInOrder(operations, model);
    this.#count = operations.length;
    this.#unanswered = operations.filter((operation) => operation.outcome === 'ok').length;
    this.#placed = new Array<number>(Math.ceil(operations.length / 30)).fill(0);
    this.#head = listOf(operations);
  }

  run(key: string, stepsMax: number): Verdict {
    let state = this.#model.initial;
    let mark = this.#head.next;
    let steps = 0;
    const done: Step[] = [];
    let best: readonly Step[] = [];
    let stuck: readonly Operation[] = [];
    while (this.#unanswered > 0) {
      steps += 1;
      if (steps > stepsMax) return { ok: false, undecided: true, key, model: this.#model.name, stuck: [], explained: [], steps };
      const next = mark?.isCall === true ? this.#tryPlace(mark, state) : undefined;
      if (mark?.isCall === true) {
        if (next === undefined) {
          mark = mark.next;
          continue;
        }
        done.push({ mark, state });
        state = next.state;
        lift(mark);
        if (mark.answer !== undefined) this.#unanswered -= 1;
        mark = this.#head.next;
        continue;
      }
      if (done.length >= best.length) {
        best = done.slice();
        stuck = this.#openCalls();
      }
      const last = done.pop();
      if (last === undefined) {
        const explained = best.map((step) => step.mark.operation);
        return { ok: false, undecided: false, key, model: this.#model.name, stuck, explained, steps };
      }
      state = last.state;
      this.#toggle(last.mark.id);
      unlift(last.mark);
      if (last.mark.answer !== undefined) this.#unanswered += 1;
      mark = last.mark.next;
    }
    return { ok: true, operations: this.#count, steps };
  }

  /** The state with this operation next, unless the model forbids it or the same was tried before. */
  #tryPlace(mark: Mark, state: unknown): { readonly state: unknown } | undefined {
    const before = this.#after.get(mark.id);
    if (before !== undefined && !this.#isPlaced(before)) return undefined;
    const next = this.#model.step(state, mark.operation);
    if (next === undefined || !this.#possible(next)) return undefined;
    this.#toggle(mark.id);
    const seen = `${this.#placed.join(',')}|${this.#model.keyOf(next)}`;
    if (this.#seen.has(seen)) {
      this.#toggle(mark.id);
      return undefined;
    }
    this.#seen.add(seen);
    return { state: next };
  }

  #isPlaced(id: number): boolean {
    return ((this.#placed[Math.floor(id / 30)] ?? 0) & (1 << (id % 30))) !== 0;
  }

  #toggle(id: number): void {
    const at = Math.floor(id / 30);
    this.#placed[at] = (this.#placed[at] ?? 0) ^ (1 << (id % 30));
  }

  /** Calls that could have come next, up to the first answer that waits. */
  #openCalls(): readonly Operation[] {
    const open: Operation[] = [];
    for (let mark = this.#head.next; mark?.isCall === true; mark = mark.next) open.push(mark.operation);
    return open;
  }
}

function unseenInOrder(operations: readonly Operation[], model: Model<unknown>): ReadonlyMap<number, number> {
  const after = new Map<number, number>();
  const seen = model.seen?.(operations);
  if (seen === undefined) return after;
  const unseen = [...operations.keys()].filter((id) => {
    const operation = operations[id];
    return operation?.outcome === 'unknown' && !seen(operation);
  });
  unseen.sort((a, b) => (operations[a]?.start ?? 0) - (operations[b]?.start ?? 0));
  unseen.forEach((id, i) => {
    const before = unseen[i - 1];
    if (before !== undefined) after.set(id, before);
  });
  return after;
}

/** Calls and answers in time; at equal times calls come first, so that only what is certainly earlier is earlier. */
function listOf(operations: readonly Operation[]): Mark {
  const timed: { readonly at: number; readonly order: number; readonly mark: Mark }[] = [];
  operations.forEach((operation, id) => {
    const ended = operation.outcome === 'ok' && operation.end !== null;
    const answer: Mark | undefined = ended
      ? { operation, id, answer: undefined, isCall: false, previous: undefined, next: undefined }
      : undefined;
    timed.push({
      at: operation.start,
      order: 0,
      mark: { operation, id, answer, isCall: true, previous: undefined, next: undefined },
    });
    if (answer !== undefined) timed.push({ at: operation.end ?? 0, order: 1, mark: answer });
  });
  timed.sort((a, b) => a.at - b.at || a.order - b.order || a.mark.id - b.mark.id);
  const head: Mark = {
    operation: {} as Operation,
    id: -1,
    answer: undefined,
    isCall: false,
    previous: undefined,
    next: undefined,
  };
  let last = head;
  for (const { mark } of timed) {
    last.next = mark;
    mark.previous = last;
    last = mark;
  }
  return head;
}

function lift(mark: Mark): void {
  unlink(mark);
  if (mark.answer !== undefined) unlink(mark.answer);
}

function unlift(mark: Mark): void {
  if (mark.answer !== undefined) relink(mark.answer);
  relink(mark);
}

function unlink(mark: Mark): void {
  if (mark.previous !== undefined) mark.previous.next = mark.next;
  if (mark.next !== undefined) mark.next.previous = mark.previous;
}

/** A mark keeps its neighbours of the time it was taken out: put back in the opposite order, they fit. */
function relink(mark: Mark): void {
  if (mark.previous !== undefined) mark.previous.next = mark;
  if (mark.next !== undefined) mark.next.previous = mark;
}

/** A history that failed, for people: what was explained, then what could not be. */
export function describeVerdict(verdict: Verdict): string {
  if (verdict.ok) return `linearizable: ${verdict.operations} operations, ${verdict.steps} steps`;
  if (verdict.undecided) return `undecided after ${verdict.steps} steps at key ${verdict.key}`;
  const lines = verdict.explained.slice(-12).map((operation) => `  then    ${describeOperation(operation)}`);
  const stuck = verdict.stuck.map((operation) => `  cannot  ${describeOperation(operation)}`);
  return [`not linearizable: ${verdict.model} ${verdict.key}`, ...lines, ...stuck].join('\n');
}

function describeOperation({ process, kind, input, start, end, outcome, result }: Operation): string {
  const answer = outcome === 'ok' ? ` = ${JSON.stringify(result)}` : ` ${outcome}`;
  return `${process} ${kind} ${JSON.stringify(input)}${answer} [${start} … ${end ?? ''}]`;
}
