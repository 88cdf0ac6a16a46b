/** Which cells the log strips have: what each member's log holds, as far as this node can know. */
import type { EntryInfo } from '../index.ts';
import type { MemberFact } from './inspected.ts';

/** Cells of a strip: as many as can be told apart on a phone. */
export const CELLS = 40;

/**
 * `applied` and `committed` are the same on every member that has them; `stored`: in its log, and not known to be committed there;
 * `claimed`: it says that its log goes so far, with entries that may be others than here; `none`: its log does not go so far;
 * `compacted`: behind the snapshot.
 */
export type CellState = 'applied' | 'committed' | 'stored' | 'claimed' | 'compacted' | 'none';

export interface Cell {
  readonly index: number;
  readonly state: CellState;
  /** Of the entry here; undefined where this node has none, or it is not known to be the same. */
  readonly term: number | undefined;
  readonly isDurable: boolean;
  /** Another entry stood here before: it was never committed, and gave way. */
  readonly wasReplaced: boolean;
}

export interface LogWindow {
  /** Index of the first cell and of the last. */
  readonly from: number;
  readonly to: number;
}

export function windowOf(members: readonly MemberFact[]): LogWindow {
  const to = Math.max(1, ...members.map(({ last }) => last ?? 0));
  return { from: Math.max(1, to - CELLS + 1), to };
}

export function cellsOf(
  member: MemberFact,
  { from, to }: LogWindow,
  own: { readonly terms: ReadonlyMap<number, number>; readonly firstIndex: number; readonly replaced: ReadonlySet<number> },
): readonly Cell[] {
  return Array.from({ length: to - from + 1 }, (_, i): Cell => {
    const index = from + i;
    const state = stateOf(member, index, own.firstIndex);
    const known = state === 'applied' || state === 'committed' || state === 'stored';
    return {
      index,
      state,
      term: known ? own.terms.get(index) : undefined,
      isDurable: index <= (member.durable ?? 0),
      wasReplaced: member.isSelf && own.replaced.has(index),
    };
  });
}

function stateOf(
  { isSelf, last = 0, commit = 0, applied = 0, durable = 0 }: MemberFact,
  index: number,
  first: number,
): CellState {
  if (isSelf && index < first) return 'compacted';
  if (index <= applied) return 'applied';
  if (index <= commit) return 'committed';
  // Matching is what the leader knows of a follower: what it acknowledged is the same as here.
  if (index <= (isSelf ? last : durable)) return 'stored';
  return index <= last ? 'claimed' : 'none';
}

/** Notices entries that gave way to others: a term at an index changes only when what stood there was never committed. */
export class Replacements {
  readonly #terms = new Map<number, number>();
  readonly #replaced = new Set<number>();

  /** Entries remembered: older ones are committed by then, or behind a snapshot. */
  static readonly REMEMBERED_MAX = 4_096;

  note(entries: readonly Pick<EntryInfo, 'index' | 'term'>[]): void {
    for (const { index, term } of entries) {
      const before = this.#terms.get(index);
      if (before !== undefined && before !== term) this.#replaced.add(index);
      this.#terms.delete(index);
      this.#terms.set(index, term);
    }
    for (const index of this.#terms.keys()) {
      if (this.#terms.size <= Replacements.REMEMBERED_MAX) break;
      this.#terms.delete(index);
      this.#replaced.delete(index);
    }
  }

  get terms(): ReadonlyMap<number, number> {
    return this.#terms;
  }

  get replaced(): ReadonlySet<number> {
    return this.#replaced;
  }
}
