/**
 * More of what no node knows: what leaders wrote, what a restart found, what clients were told. The ghost tells it
 * what happens, and it checks the invariants that need a memory of their own.
 */
import type { Entry, Index, NodeId, Term } from '../../core/types.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { Evidence } from './evidence.ts';
import type { DurableView } from './facts.ts';

/** What the witness asks of the ghost. */
export interface Known {
  readonly committed: { readonly index: Index; readonly term: Term };
  /** Whether it leads that term now. */
  leads(id: NodeId, term: Term): boolean;
  /** Whether this very entry was ever written by anybody. */
  wasWritten(entry: Entry): boolean;
}

/** An answer that a client was given: it must stay true (I26). */
export interface Acknowledged {
  readonly key: string;
  readonly value: unknown;
  readonly outcome: 'ok' | 'no' | 'unknown';
}

export class Witness {
  readonly #evidence: Evidence;
  readonly #known: Known;
  /** Indexes of configuration entries in each durable log. */
  readonly #confs = new Map<NodeId, Index[]>();
  /** The furthest that each identity has ever applied. */
  readonly #reached = new Map<NodeId, Index>();
  /** Where each term's leader began. */
  readonly #since = new Map<Term, Index>();
  /** First outcome of each command of a session. */
  readonly #answers = new Map<string, string>();
  /** Indexes of all commands that took effect, in order. */
  readonly #changes: Index[] = [];
  /** What was seen of a key by a read at an applied index. */
  readonly #seen = new Map<string, string>();
  /** The last index at which each opening of a node's storage was read: one that opens it anew may begin further back. */
  readonly #readAt = new WeakMap<object, Index>();

  constructor(evidence: Evidence, known: Known) {
    this.#evidence = evidence;
    this.#known = known;
  }

  /** A batch is durable; `lastBefore` is where the durable log ended until then, `alone` says which entry the node decides alone. */
  wrote(id: NodeId, { entries = [] }: WriteBatch, lastBefore: Index, alone: (index: Index) => boolean): void {
    const [first] = entries;
    if (first === undefined) return;
    const confs = (this.#confs.get(id) ?? []).filter((index) => index < first.index);
    let changes = false;
    for (const entry of entries) {
      this.#byLeader(id, entry, lastBefore, alone(entry.index));
      if (entry.type !== 'conf') continue;
      confs.push(entry.index);
      changes = true;
    }
    this.#confs.set(id, confs);
    if (!changes) return;
    const open = confs.filter((index) => index > this.#known.committed.index);
    this.#evidence.check('I13', open.length <= 1, () => `${id} holds uncommitted configurations at ${open.join(' and ')}`);
  }

  /**
   * I4: a leader only ever adds to its log. I16: it changes nothing before all of the log that it began with is committed.
   * (Changes take effect when they are applied, so that the entry of its own term need not be: docs/DIVERGENCE.md.)
   * The last of a pair commits what it inherits and its change by one write (rule A4): nothing was committed before.
   */
  #byLeader(id: NodeId, { index, term, type }: Entry, lastBefore: Index, alone: boolean): void {
    // One that no longer leads may be sent what it wrote itself, and had lost.
    if (!this.#known.leads(id, term)) return;
    this.#evidence.check(
      'I4',
      index > lastBefore,
      () => `${id} leads term ${term} and writes entry ${index} of it; its log reached ${lastBefore}`,
    );
    const since = this.#since.get(term);
    if (since === undefined) this.#since.set(term, index);
    if (type !== 'conf' || since === undefined || alone) return;
    const { committed } = this.#known;
    this.#evidence.check(
      'I16',
      committed.index >= since - 1,
      () =>
        `${id} changes the configuration at ${index} in term ${term}, which began at ${since}; committed is ${committed.index}`,
    );
  }

  /** I22: what a restart finds is a state that the algorithm could have left. */
  restarted(id: NodeId, { hardState, snapshot, log }: DurableView): void {
    const { committed } = this.#known;
    this.#evidence.check(
      'I22',
      // The entry that founds a cluster is committed by the write that makes it, before its node can say so.
      hardState.commit <= Math.max(committed.index, 1) && (snapshot?.meta.index ?? 0) <= committed.index,
      () =>
        `${id} starts with commit ${hardState.commit}, snapshot ${snapshot?.meta.index ?? 0}; committed is ${committed.index}`,
    );
    let previous = 0;
    for (const entry of log.slice(log.firstIndex, log.lastIndex + 1, Number.MAX_SAFE_INTEGER)) {
      const fits = entry.term >= previous && entry.term <= hardState.term && this.#known.wasWritten(entry);
      previous = entry.term;
      if (!fits) this.#evidence.fail('I22', `${id} starts with an entry ${entry.index} of term ${entry.term} that nobody wrote`);
    }
  }

  /** I23: applied again after a restart, an entry comes to what it came to before. */
  applied(id: NodeId, index: Index, same: boolean): void {
    const reached = this.#reached.get(id) ?? 0;
    if (index <= reached) this.#evidence.check('I23', same, () => `${id} applies ${index} again, to something else`);
    else this.#reached.set(id, index);
  }

  /** I28: a duplicate is answered as the first was. */
  answered(id: NodeId, command: string, outcome: string, replayed: boolean): void {
    const first = this.#answers.get(command);
    if (first === undefined) {
      if (!replayed) this.#answers.set(command, outcome);
      return;
    }
    if (replayed && !outcome.includes('!'))
      this.#evidence.check('I28', first === outcome, () => `${id}: ${command} was answered ${first}, its duplicate ${outcome}`);
  }

  /** A command took effect, and is a change for those who watch. */
  changed(index: Index): void {
    if (index > (this.#changes.at(-1) ?? 0)) this.#changes.push(index);
  }

  /** I32: whoever wanted changes from `from` on is shown the one at `index`, and there is none between. */
  changeSeen(id: NodeId, from: Index, index: Index): void {
    const next = this.#changes[firstAtLeast(this.#changes, from)];
    this.#evidence.check(
      'I32',
      index >= from && next === index,
      () => `${id} shows the change at ${index} to who asked for those from ${from} on; the first is at ${next}`,
    );
  }

  /** I26: what a client is told to be done is committed. */
  acknowledged(id: NodeId, index: Index): void {
    const { committed } = this.#known;
    this.#evidence.check(
      'I26',
      index <= committed.index,
      () => `${id} answers for entry ${index}; committed is ${committed.index}`,
    );
  }

  /** I30: a read without confirmation shows a state that was, never one to come, and later ones never an earlier. */
  read(id: NodeId, opening: object, key: string, applied: Index, value: string): void {
    const { committed } = this.#known;
    const before = this.#readAt.get(opening) ?? 0;
    this.#evidence.check(
      'I30',
      applied >= before && applied <= committed.index,
      () => `${id} shows the state of ${applied} after that of ${before}; committed is ${committed.index}`,
    );
    this.#readAt.set(opening, applied);
    const place = `${applied} ${key}`;
    const seen = this.#seen.get(place);
    if (seen === undefined) this.#seen.set(place, value);
    else this.#evidence.check('I30', seen === value, () => `${id}: ${key} at ${applied} is ${value}, elsewhere ${seen}`);
  }

  /** I26, I31: at the end a list holds what was acknowledged, once, and nothing that was denied. */
  atTheEnd(list: readonly unknown[], { key, value, outcome }: Acknowledged): void {
    const times = list.filter((one) => one === value).length;
    if (outcome === 'ok')
      this.#evidence.check('I26', times === 1, () => `${String(value)} was acknowledged and stands in ${key} ${times} times`);
    else if (outcome === 'no')
      this.#evidence.check('I31', times === 0, () => `${String(value)} was denied and stands in ${key} ${times} times`);
    else this.#evidence.check('I27', times <= 1, () => `${String(value)} stands in ${key} ${times} times`);
  }
}

function firstAtLeast(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
