/** The log of a replayed core: it gives the answers that were given, with the entries that the replay has seen itself. */
import { decodeEntries } from '../../codec/entries.ts';
import type { Entry, Index, LogReader, SnapshotMeta, Term } from '../../core/types.ts';
import { unpackSnapshot } from './trace-codec.ts';
import { ANSWER, OP, type TraceReader } from './trace-format.ts';

/** The replay goes another way than the recording. */
export class Difference extends Error {}

export class PlayedLog implements LogReader {
  readonly #reader: TraceReader;
  readonly #known = new Map<Index, Entry>();
  #first: Index = 1;
  #last: Index = 0;

  constructor(reader: TraceReader) {
    this.#reader = reader;
  }

  /** The log of another core of the same node, with the same bounds. */
  fresh(): PlayedLog {
    const log = new PlayedLog(this.#reader);
    log.setBounds(this.#first, this.#last);
    return log;
  }

  setBounds(first: Index, last: Index): void {
    this.#first = first;
    this.#last = last;
  }

  /** What a Ready handed out to be written is what the log answers with later. */
  learn(entries: readonly Entry[]): void {
    for (const entry of entries) this.#known.set(entry.index, entry);
  }

  firstIndex(): Index {
    return this.#first;
  }

  lastIndex(): Index {
    return this.#last;
  }

  term(index: Index): Term | 'compacted' | 'unavailable' {
    const reader = this.#expect(OP.term, `the term at ${index}`);
    const asked = reader.number();
    if (asked !== index) throw new Difference(`the core asked for the term at ${index}, it had asked for ${asked}`);
    return this.#answer(() => reader.number());
  }

  entries(from: Index, to: Index): readonly Entry[] | 'compacted' | 'unavailable' {
    const reader = this.#expect(OP.entries, `entries from ${from}`);
    const [first, end] = [reader.number(), reader.number()];
    if (first !== from || end !== to)
      throw new Difference(`the core asked for entries [${from}, ${to}), it had asked for [${first}, ${end})`);
    return this.#answer((inline) => (inline ? decodeEntries(reader.bytes()) : this.#run(from, reader.number())));
  }

  snapshot(): SnapshotMeta | 'unavailable' {
    const reader = this.#expect(OP.snapshot, 'the snapshot');
    const answer = this.#answer(() => unpackSnapshot(reader.bytes()));
    return answer === 'compacted' ? 'unavailable' : answer;
  }

  #expect(op: number, what: string): TraceReader {
    if (this.#reader.byte() !== op) throw new Difference(`the core asked for ${what}, which it had not`);
    return this.#reader;
  }

  #answer<T>(read: (inline: boolean) => T): T | 'compacted' | 'unavailable' {
    const kind = this.#reader.byte();
    if (kind === ANSWER.compacted) return 'compacted';
    return kind === ANSWER.unavailable ? 'unavailable' : read(kind === ANSWER.inline);
  }

  #run(from: Index, count: number): readonly Entry[] {
    const run: Entry[] = [];
    for (let index = from; run.length < count; index++) {
      const entry = this.#known.get(index);
      if (entry === undefined) throw new Difference(`entry ${index} was never handed out to be written`);
      run.push(entry);
    }
    return run;
  }
}
