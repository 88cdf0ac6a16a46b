/**
 * Replays a recorded node: the same core, the same calls, the same answers and random numbers, in any process. Every
 * Ready must come out as it did; the first that does not is named.
 */
import type { Config } from '../../core/config.ts';
import { describeReady } from '../../core/describe.ts';
import { RaftError } from '../../core/errors.ts';
import { type InitialState, RawNode } from '../../core/raw-node.ts';
import type { Status } from '../../core/status.ts';
import type { LogReader, Ready } from '../../core/types.ts';
import type { CoreNode } from '../ports/core-node.ts';
import { callText, makeCall } from './calls-played.ts';
import { Difference, PlayedLog } from './played-log.ts';
import { differingFields, hashReady, readHash } from './ready-hash.ts';
import { ENDINGS, type TraceEnding } from './tape.ts';
import { unpackConfig, unpackInitial } from './trace-codec.ts';
import { CALL_BASE, CALLS, type CallName, FLAG_REDACTED, OP, TRACE_MAGIC, TRACE_VERSION, TraceReader } from './trace-format.ts';

/** Where a replay first went another way than the recording. */
export interface ReplayDifference {
  /** Which call into the core, counted from 1; the opening of a core counts too. */
  readonly input: number;
  /** That call, in words. */
  readonly call: string;
  /** Which Ready, counted from 1; undefined when the difference showed before any Ready did. */
  readonly ready: number | undefined;
  readonly what: string;
}

export interface ReplayReport {
  /** Everything came out as recorded. */
  readonly ok: boolean;
  /** Calls made, up to the first difference. */
  readonly inputs: number;
  readonly readys: number;
  /** How the recording ended: by `stop`, at its bound, or because something could not be written down. */
  readonly ending: TraceEnding | undefined;
  readonly redacted: boolean;
  readonly firstDifference: ReplayDifference | undefined;
}

export interface ReplayOptions {
  /** Another core than this version's: to look for the change that makes the difference. */
  readonly makeCore?: (config: Config, reader: LogReader, initial: InitialState) => CoreNode;
}

/** Errors: corrupt when the bytes are no trace at all; version-mismatch when they are a newer one. */
export function replay(trace: Uint8Array, options: ReplayOptions = {}): ReplayReport {
  const player = new TracePlayer(trace, options);
  while (player.next() !== undefined) {
    // The report is what is wanted.
  }
  return player.report();
}

/** One call into the core, as it was made again. */
export interface PlayedStep {
  /** Counted from 1. */
  readonly input: number;
  /** The call's name, and with its arguments in words. */
  readonly name: CallName | 'open';
  readonly call: string;
  /** What the core was last told of the time: ms since the epoch. */
  readonly atMs: number;
  /** What a `ready` handed out. */
  readonly ready: Ready | undefined;
}

/** Plays a trace call by call: for those who want to look at the core between two of them. */
export class TracePlayer {
  readonly #reader: TraceReader;
  readonly #redacted: boolean;
  readonly #makeCore: NonNullable<ReplayOptions['makeCore']>;
  #log: PlayedLog;
  #core: CoreNode | undefined;
  #inputs = 0;
  #readys = 0;
  #name: CallName | 'open' = 'open';
  #call = '';
  #ready: Ready | undefined;
  #inReady = false;
  #timeMs = 0;
  #ending: TraceEnding | undefined;
  #difference: ReplayDifference | undefined;

  /** Errors: corrupt when the bytes are no trace at all; version-mismatch when they are a newer one. */
  constructor(trace: Uint8Array, options: ReplayOptions = {}) {
    const reader = new TraceReader(trace);
    if (reader.number() !== TRACE_MAGIC) throw new RaftError('corrupt', 'These bytes are not a trace.');
    const version = reader.byte();
    if (version !== TRACE_VERSION)
      throw new RaftError('version-mismatch', `A trace of version ${version}; this build reads ${TRACE_VERSION}.`);
    this.#reader = reader;
    this.#redacted = (reader.byte() & FLAG_REDACTED) !== 0;
    this.#makeCore = options.makeCore ?? ((config, log, initial) => new RawNode(config, log, initial));
    this.#log = new PlayedLog(reader);
  }

  /** The next call; undefined at the end, and where the replay goes another way than the recording. */
  next(): PlayedStep | undefined {
    const before = this.#inputs;
    try {
      while (this.#ending === undefined && this.#difference === undefined && this.#inputs === before) this.#ending = this.#one();
    } catch (error) {
      this.#difference = {
        input: this.#inputs,
        call: this.#call,
        ready: this.#inReady ? this.#readys : undefined,
        what: RaftError.is(error) || error instanceof Difference ? error.message : String(error),
      };
    }
    if (this.#difference !== undefined || this.#inputs === before) return undefined;
    return { input: this.#inputs, name: this.#name, call: this.#call, atMs: this.#timeMs, ready: this.#ready };
  }

  /** The core as it is between the last call and the next; undefined before the first. */
  status(): Status | undefined {
    return this.#core?.status();
  }

  /** How it went so far. */
  report(): ReplayReport {
    return {
      ok: this.#difference === undefined,
      inputs: this.#inputs,
      readys: this.#readys,
      ending: this.#ending,
      redacted: this.#redacted,
      firstDifference: this.#difference,
    };
  }

  /** Plays one record: the ending, the bounds of the log, an opening, a call. */
  #one(): TraceEnding | undefined {
    const op = this.#reader.byte();
    this.#inReady = false;
    this.#ready = undefined;
    if (op === OP.end) return ENDINGS[this.#reader.byte()] ?? 'failed';
    if (op === OP.bounds) {
      this.#log.setBounds(this.#reader.number(), this.#reader.number());
      return undefined;
    }
    const call = CALLS[op - CALL_BASE];
    if (op !== OP.open && call === undefined) throw new Difference(`the core did not ask for ${questionText(op)}`);
    this.#inputs++;
    if (call === undefined) this.#open();
    else this.#play1(call);
    return undefined;
  }

  #open(): void {
    this.#name = 'open';
    this.#call = 'open';
    const reader = this.#reader;
    const config = unpackConfig(reader.bytes(), (below) => this.#draw(below));
    const initial = unpackInitial(reader.bytes());
    this.#log = this.#log.fresh();
    this.#core = undefined;
    this.#expectThrow(() => {
      this.#core = this.#makeCore(config, this.#log, initial);
    });
  }

  #play1(call: CallName): void {
    this.#name = call;
    this.#call = call;
    const core = this.#core;
    const reader = this.#reader;
    if (core === undefined) throw new Difference('a call before any core was opened');
    if (call === 'ready') return this.#expectThrow(() => this.#compare(core.ready()));
    const { run, text } = makeCall(call, core, reader, (step) => {
      this.#timeMs += step;
      return this.#timeMs;
    });
    this.#call = callText(call, text);
    this.#expectThrow(run);
  }

  /** Runs it; what it throws must be what it threw. */
  #expectThrow(run: () => void): void {
    let code: string | undefined;
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      if (error instanceof Difference) throw error;
      code = RaftError.is(error) ? error.code : 'unknown';
      thrown = error;
    }
    const recorded = this.#reader.peek() === OP.threw;
    if (!recorded && code !== undefined) throw new Difference(`the core threw ${String(thrown)}`);
    if (!recorded) return;
    this.#reader.byte();
    const expected = this.#reader.text();
    if (expected !== code) throw new Difference(`the core threw ${code ?? 'nothing'}, it had thrown ${expected}`);
  }

  #compare(ready: Ready): void {
    this.#readys++;
    this.#inReady = true;
    if (this.#reader.byte() !== OP.hash) throw new Difference('the core asked less of its log than it had');
    const fields = differingFields(readHash(this.#reader), hashReady(ready, this.#redacted));
    if (fields.length > 0) throw new Difference(`differs in ${fields.join(', ')}; it is now: ${describeReady(ready)}`);
    this.#log.learn(ready.entries);
    this.#ready = ready;
  }

  #draw(below: number): number {
    const reader = this.#reader;
    if (reader.byte() !== OP.draw) throw new Difference('the core drew a random number that it had not drawn');
    const recorded = reader.number();
    if (recorded !== below) throw new Difference(`the core drew a number below ${below}, it had been ${recorded}`);
    return reader.number();
  }
}

function questionText(op: number): string {
  const name = Object.entries(OP).find(([, value]) => value === op)?.[0];
  return name === undefined ? `anything of the kind ${op}: the trace is malformed` : `what it had asked for (${name})`;
}
