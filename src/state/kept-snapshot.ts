/**
 * A snapshot by a keeper: the bytes of a snapshot that a member with the machine made, if there is one, and the entries since, with
 * the limits of sessions in their places. Whoever has the machine restores the first and applies the others. Frames as in every
 * snapshot; behind the header each starts with one byte that says what it is.
 */
import { decodeEntries, encodeEntries } from '../codec/entries.ts';
import { packValue, unpackValue } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Entry } from '../core/types.ts';
import type { SessionLimits } from './sessions.ts';
import { readFrames, writeFrames } from './snapshot-stream.ts';

/** Version of the header, beside SNAPSHOT_FORMAT of replicated-state.ts. */
export const KEPT_FORMAT = 2;

const BASE = 0;
const ENTRIES = 1;
const LIMITS = 2;

export type KeptPart =
  /** A piece of the snapshot underneath; all of them come first. */
  | { readonly kind: 'base'; readonly chunk: Uint8Array }
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  | { readonly kind: 'limits'; readonly limits: SessionLimits }
  /** A frame of an earlier snapshot of this form, as it was. */
  | { readonly kind: 'frame'; readonly frame: Uint8Array };

export function writeKept(parts: AsyncIterable<KeptPart>): AsyncIterable<Uint8Array> {
  return writeFrames(packValue([KEPT_FORMAT]), encoded(parts));
}

async function* encoded(parts: AsyncIterable<KeptPart>): AsyncIterable<Uint8Array> {
  for await (const part of parts) {
    if (part.kind === 'frame') yield part.frame;
    else if (part.kind === 'base') yield tagged(BASE, part.chunk);
    else if (part.kind === 'entries') yield tagged(ENTRIES, encodeEntries(part.entries));
    else yield tagged(LIMITS, packValue([part.limits.sessionsMax, part.limits.sessionTtlMs]));
  }
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + bytes.length);
  out[0] = tag;
  out.set(bytes, 1);
  return out;
}

/** The format that a snapshot's header names. Errors: corrupt. */
export function formatOf(header: Uint8Array): number {
  const fields = unpackValue(header);
  if (Array.isArray(fields) && typeof fields[0] === 'number') return fields[0];
  throw new RaftError('corrupt', 'The snapshot does not begin with a header.');
}

/** The frames behind the header. First `base`, then `rest`; the frames must not be used otherwise. */
export class KeptReader {
  readonly #frames: AsyncIterator<Uint8Array>;
  #held: Uint8Array | undefined;

  constructor(frames: AsyncIterator<Uint8Array>) {
    this.#frames = frames;
  }

  /** The frames of the snapshot underneath, its header first; undefined when the entries begin with the first. Errors: corrupt. */
  async base(): Promise<AsyncIterator<Uint8Array> | undefined> {
    this.#held = await this.#next();
    return this.#held?.[0] === BASE ? readFrames(this.#baseChunks())[Symbol.asyncIterator]() : undefined;
  }

  async *#baseChunks(): AsyncIterable<Uint8Array> {
    for (let frame = this.#held; frame !== undefined && frame[0] === BASE; frame = await this.#next()) {
      this.#held = undefined;
      yield frame.subarray(1);
    }
  }

  /** Errors: corrupt. */
  async *rest(): AsyncIterable<Extract<KeptPart, { readonly kind: 'entries' | 'limits' }>> {
    for (let frame = this.#held ?? (await this.#next()); frame !== undefined; frame = await this.#next()) {
      this.#held = undefined;
      if (frame[0] === ENTRIES) yield { kind: 'entries', entries: decodeEntries(frame.subarray(1)) };
      else if (frame[0] === LIMITS) yield { kind: 'limits', limits: limitsFrom(frame.subarray(1)) };
      // A machine need not read its snapshot to the end.
      else if (frame[0] !== BASE) throw new RaftError('corrupt', `A keeper's snapshot holds a frame of kind ${frame[0]}.`);
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const next = await this.#frames.next();
    this.#held = next.done === true ? undefined : next.value;
    return this.#held;
  }
}

function limitsFrom(bytes: Uint8Array): SessionLimits {
  const fields = unpackValue(bytes);
  const [sessionsMax, sessionTtlMs] = Array.isArray(fields) ? (fields as unknown[]) : [];
  if (typeof sessionsMax !== 'number' || typeof sessionTtlMs !== 'number')
    throw new RaftError('corrupt', "A keeper's snapshot names no limits of sessions where it should.");
  return { sessionsMax, sessionTtlMs };
}
