/**
 * Records a node at the boundary of its core: every call, every answer of the log, every random number. The core does
 * nothing between two calls and knows nothing else, so the same calls make the same node again, bit for bit.
 */
import type { Config } from '../../core/config.ts';
import { type InitialState, RawNode } from '../../core/raw-node.ts';
import type { LogReader } from '../../core/types.ts';
import type { CoreNode } from '../ports/core-node.ts';
import { requireInteger } from '../ports/require-integer.ts';
import type { Recording, RecordOptions } from './recording.ts';
import { RECORDING_BYTES_DEFAULT, RECORDING_BYTES_RANGE } from './recording.ts';
import { RecordingCore } from './recording-core.ts';
import { Tape } from './tape.ts';
import { packConfig, packInitial } from './trace-codec.ts';

export class Recorder implements Recording {
  readonly #tape: Tape;

  /** Errors: invalid-argument. */
  constructor(options: RecordOptions) {
    const bytesMax = options.bytesMax ?? RECORDING_BYTES_DEFAULT;
    requireInteger('record.bytesMax', bytesMax, ...RECORDING_BYTES_RANGE);
    this.#tape = new Tape(options.payloads === 'redact', bytesMax);
  }

  get bytes(): number {
    return this.#tape.bytes;
  }

  get ended(): boolean {
    return this.#tape.ending !== undefined;
  }

  copy(): Uint8Array {
    return this.#tape.copy();
  }

  stop(): Uint8Array {
    this.#tape.finish('stopped');
    return this.#tape.take();
  }

  /** The core of a member that opens now. A second one (storage came back, the state was taken anew) goes on the same tape. */
  open(config: Config, reader: LogReader, initial: InitialState): CoreNode {
    const tape = this.#tape;
    if (tape.ending !== undefined) return new RawNode(config, reader, initial);
    tape.beginOpen(reader, packConfig(config), packInitial(initial));
    try {
      const core = new RawNode(recordedRandom(config, tape), recordedReader(reader, tape), initial);
      return new RecordingCore(core, reader, tape);
    } catch (error) {
      tape.threw(error);
      throw error;
    } finally {
      tape.end();
    }
  }
}

function recordedRandom(config: Config, tape: Tape): Config {
  return {
    ...config,
    random: (below) => {
      const value = config.random(below);
      tape.draw(below, value);
      return value;
    },
  };
}

/** The bounds are noted before each call; they do not change during one. */
function recordedReader(reader: LogReader, tape: Tape): LogReader {
  return {
    firstIndex: () => reader.firstIndex(),
    lastIndex: () => reader.lastIndex(),
    term(index) {
      const answer = reader.term(index);
      tape.term(index, answer);
      return answer;
    },
    entries(from, to, maxBytes) {
      const answer = reader.entries(from, to, maxBytes);
      tape.entries(from, to, answer);
      return answer;
    },
    snapshot() {
      const answer = reader.snapshot();
      tape.snapshot(answer);
      return answer;
    },
  };
}
