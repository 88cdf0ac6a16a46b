/** What is being recorded: the bytes so far, their bound, and what a replay will already know of the log. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, LogReader, Ready, SnapshotMeta, Term } from '../../core/types.ts';
import { hashReady, writeHash } from './ready-hash.ts';
import { packRun, packSnapshot } from './trace-codec.ts';
import {
  ANSWER,
  CALL_BASE,
  CALLS,
  type CallName,
  FLAG_REDACTED,
  OP,
  TRACE_MAGIC,
  TRACE_VERSION,
  TraceWriter,
} from './trace-format.ts';

/** Why a recording ended; a place in this list is part of the format. */
export const ENDINGS = ['stopped', 'full', 'failed'] as const;
export type TraceEnding = (typeof ENDINGS)[number];

export class Tape {
  readonly redacted: boolean;
  readonly #writer: TraceWriter = new TraceWriter();
  readonly #bytesMax: number;
  #ending: TraceEnding | undefined;
  /** Where the record of the present call begins: the trace is cut there when it grows too large. */
  #mark = 0;
  #inside = false;
  #first: Index = -1;
  #last: Index = -1;
  /** The entries a replay knows from Readys: [from, to]. */
  #knownFrom: Index = 0;
  #knownTo: Index = -1;
  #timeMs = 0;

  constructor(redacted: boolean, bytesMax: number) {
    this.redacted = redacted;
    this.#bytesMax = bytesMax;
    this.#writer.number(TRACE_MAGIC);
    this.#writer.byte(TRACE_VERSION);
    this.#writer.byte(redacted ? FLAG_REDACTED : 0);
  }

  get ending(): TraceEnding | undefined {
    return this.#ending;
  }

  get bytes(): number {
    return this.#writer.length;
  }

  /** False outside of a call: what is asked then is nobody's input. */
  get listening(): boolean {
    return this.#inside && this.#ending === undefined;
  }

  beginOpen(reader: LogReader, config: Uint8Array, initial: Uint8Array): void {
    this.#knownFrom = 0;
    this.#knownTo = -1;
    this.#first = -1;
    this.#begin(reader, () => {
      this.#writer.byte(OP.open);
      this.#writer.bytes(config);
      this.#writer.bytes(initial);
    });
  }

  beginCall(reader: LogReader, call: CallName, write?: (writer: TraceWriter) => void): void {
    this.#begin(reader, () => {
      this.#writer.byte(CALL_BASE + CALLS.indexOf(call));
      write?.(this.#writer);
    });
  }

  end(): void {
    this.#inside = false;
    if (this.#ending === undefined && this.#writer.length > this.#bytesMax) this.finish('full');
  }

  /** Steps from the last time told, which are small. */
  timeStep(ms: number): number {
    const step = ms - this.#timeMs;
    this.#timeMs = ms;
    return step;
  }

  threw(error: unknown): void {
    this.#note(() => {
      this.#writer.byte(OP.threw);
      this.#writer.text(RaftError.is(error) ? error.code : 'unknown');
    });
  }

  ready(ready: Ready): void {
    this.#note(() => {
      this.#writer.byte(OP.hash);
      writeHash(this.#writer, hashReady(ready, this.redacted));
      const first = ready.entries[0];
      if (first !== undefined) this.#know(first.index, first.index + ready.entries.length - 1);
    });
  }

  draw(below: number, value: number): void {
    this.#note(() => {
      this.#writer.byte(OP.draw);
      this.#writer.number(below);
      this.#writer.number(value);
    });
  }

  term(index: Index, answer: Term | 'compacted' | 'unavailable'): void {
    this.#note(() => {
      this.#writer.byte(OP.term);
      this.#writer.number(index);
      this.#writer.byte(typeof answer === 'string' ? ANSWER[answer] : ANSWER.known);
      if (typeof answer === 'number') this.#writer.number(answer);
    });
  }

  entries(from: Index, to: Index, answer: readonly Entry[] | 'compacted' | 'unavailable'): void {
    this.#note(() => {
      this.#writer.byte(OP.entries);
      this.#writer.number(from);
      this.#writer.number(to);
      if (typeof answer === 'string') return this.#writer.byte(ANSWER[answer]);
      const known = from >= this.#knownFrom && from + answer.length - 1 <= this.#knownTo;
      this.#writer.byte(known ? ANSWER.known : ANSWER.inline);
      if (known) this.#writer.number(answer.length);
      else this.#writer.bytes(packRun(answer, this.redacted));
    });
  }

  snapshot(answer: SnapshotMeta | 'unavailable'): void {
    this.#note(() => {
      this.#writer.byte(OP.snapshot);
      this.#writer.byte(answer === 'unavailable' ? ANSWER.unavailable : ANSWER.inline);
      if (answer !== 'unavailable') this.#writer.bytes(packSnapshot(answer, this.redacted));
    });
  }

  /** Ends the recording: at the last whole call, when it ends by itself. */
  finish(ending: TraceEnding): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    if (ending !== 'stopped') this.#writer.cut(this.#mark);
    this.#writer.byte(OP.end);
    this.#writer.byte(ENDINGS.indexOf(ending));
  }

  take(): Uint8Array {
    return this.#writer.take();
  }

  /** The same with an end of its own; the recording goes on. Called between two calls. */
  copy(): Uint8Array {
    const taken = this.#writer.take();
    if (this.#ending !== undefined) return taken;
    const ended = new Uint8Array(taken.length + 2);
    ended.set(taken);
    ended.set([OP.end, ENDINGS.indexOf('stopped')], taken.length);
    return ended;
  }

  #begin(reader: LogReader, write: () => void): void {
    this.#mark = this.#writer.length;
    this.#inside = true;
    this.#note(() => {
      const first = reader.firstIndex();
      const last = reader.lastIndex();
      if (first !== this.#first || last !== this.#last) {
        this.#writer.byte(OP.bounds);
        this.#writer.number(first);
        this.#writer.number(last);
        this.#first = first;
        this.#last = last;
      }
      write();
    });
  }

  /** Recording must never harm the node: what cannot be written ends the recording. */
  #note(write: () => void): void {
    if (!this.listening) return;
    try {
      write();
    } catch {
      this.finish('failed');
    }
  }

  #know(from: Index, to: Index): void {
    const apart = this.#knownTo < this.#knownFrom || from > this.#knownTo + 1;
    this.#knownFrom = apart ? from : Math.min(from, this.#knownFrom);
    this.#knownTo = to;
  }
}
