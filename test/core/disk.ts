/** What one node has durably: survives a crash of the node, and nothing else does. */
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import type { ConfState, Entry, HardState, Index, LogReader, Ready, SnapshotMeta, Term } from '../../src/core/types.ts';

export class Disk implements LogReader {
  hardState: HardState = { term: 0, vote: '', commit: 0 };
  /** Entries after the base. */
  kept: Entry[] = [];
  base: { readonly index: Index; readonly term: Term } = { index: 0, term: 0 };
  latest: SnapshotMeta;
  /** The configuration and the commands applied, as of `applied`: what a machine would have. */
  conf: ConfState;
  applied: Index = 0;
  readonly commands: string[] = [];
  /** Answers `unavailable` for entries below this index until it is lowered: they are not in memory. */
  inMemoryFrom: Index = 0;

  constructor(conf: ConfState = EMPTY_CONF) {
    this.conf = conf;
    this.latest = { index: 0, term: 0, conf, data: undefined };
  }

  firstIndex(): Index {
    return this.base.index + 1;
  }

  lastIndex(): Index {
    return this.base.index + this.kept.length;
  }

  term(index: Index): Term | 'compacted' | 'unavailable' {
    if (index === this.base.index) return this.base.term;
    if (index < this.base.index) return 'compacted';
    return this.kept[index - this.firstIndex()]?.term ?? 'unavailable';
  }

  entries(from: Index, to: Index, maxBytes: number): readonly Entry[] | 'compacted' | 'unavailable' {
    if (from < this.firstIndex()) return 'compacted';
    if (from < this.inMemoryFrom) return 'unavailable';
    const run: Entry[] = [];
    let bytes = 0;
    for (const entry of this.kept.slice(from - this.firstIndex(), to - this.firstIndex())) {
      bytes += entry.data.length + 1;
      if (run.length > 0 && bytes > maxBytes) break;
      run.push(entry);
    }
    return run;
  }

  snapshot(): SnapshotMeta | 'unavailable' {
    return this.latest;
  }

  /** One atomic write, in the order the contract of Ready asks for. */
  write({ snapshot, entries, hardState }: Pick<Ready, 'snapshot' | 'entries' | 'hardState'>): void {
    if (snapshot !== undefined) {
      this.latest = snapshot;
      this.base = { index: snapshot.index, term: snapshot.term };
      this.kept = [];
      this.conf = snapshot.conf;
      this.applied = snapshot.index;
      this.commands.splice(0, this.commands.length, ...textOf(snapshot.data).split(' ').filter(Boolean));
    }
    const first = entries[0];
    if (first !== undefined) this.kept = [...this.kept.slice(0, first.index - this.firstIndex()), ...entries];
    if (hardState !== undefined) this.hardState = hardState;
  }

  /** Takes a snapshot of what is applied and drops the log up to `index`. */
  compact(index: Index): void {
    const term = this.term(index);
    const appliedTerm = this.term(this.applied);
    if (typeof term !== 'number' || typeof appliedTerm !== 'number' || index > this.applied)
      throw new Error(`cannot compact to ${index}`);
    this.latest = {
      index: this.applied,
      term: appliedTerm,
      conf: this.conf,
      data: new TextEncoder().encode(this.commands.join(' ')),
    };
    this.kept = this.kept.slice(index - this.base.index);
    this.base = { index, term };
  }
}

function textOf(data: Uint8Array | undefined): string {
  return data === undefined ? '' : new TextDecoder().decode(data);
}
