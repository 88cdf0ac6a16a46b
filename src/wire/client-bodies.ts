/** What a client asks of a member, and what it is answered: the bodies of `client` and `relay` calls. */
import { pack, unpack } from '../codec/pack.ts';
import { isNodeId } from '../core/conf/node-id.ts';
import { isErrorCode, RaftError, type RaftErrorCode } from '../core/errors.ts';
import type { Index, NodeId } from '../core/types.ts';
import { PROPOSE_COUNT_MAX } from './bodies.ts';
import { TOKEN_CHARS_MAX } from './limits.ts';

/** Characters of a query's name. */
const QUERY_CHARS_MAX = 256;

export interface ClientQuery {
  readonly name: string;
  /** A packed value. */
  readonly input: Uint8Array;
  /** Answered only from a state that has applied so much. */
  readonly atLeast: Index;
}

export type ClientQuestion =
  /** Envelopes to be written in the client's name. */
  | { readonly kind: 'propose'; readonly data: readonly Uint8Array[] }
  | ({ readonly kind: 'query'; readonly linearizable: boolean } & ClientQuery)
  /** Answered when the value is another than that of this digest (NOTHING_SEEN: at once), or after a while. */
  | ({ readonly kind: 'watch'; readonly seen: number } & ClientQuery);

/** No digest is negative. */
export const NOTHING_SEEN = -1;

/** What a proposal came to, as the member has applied it. */
export type ClientWritten =
  | { readonly kind: 'registered'; readonly session: number }
  | {
      readonly kind: 'command';
      readonly index: number;
      readonly term: number;
      readonly replayed: boolean;
      readonly outcome: WrittenOutcome;
    };

/** An outcome in plain words: a primitive, a packed value, or an error. */
export type WrittenOutcome =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null | undefined }
  | { readonly kind: 'packed'; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly code: RaftErrorCode; readonly message: string };

export interface ClientValue {
  readonly index: Index;
  readonly digest: number;
  /** A packed value; undefined for one that has not changed. */
  readonly bytes: Uint8Array | undefined;
}

/** What a member asks its leader in the name of a client. */
export type Relayed =
  | { readonly kind: 'write'; readonly client: NodeId; readonly data: readonly Uint8Array[] }
  /** It came with this invite: that is to be counted. */
  | { readonly kind: 'use'; readonly client: NodeId; readonly inviteId: string };

export function encodeClientQuestion(question: ClientQuestion): Uint8Array {
  if (question.kind === 'propose') return pack([question.kind, question.data]);
  const { kind, name, input, atLeast } = question;
  return pack([kind, name, input, atLeast, kind === 'query' ? question.linearizable : question.seen]);
}

/** Errors: message-invalid. The bytes are copies: the link's buffer is not held by the log. */
export function decodeClientQuestion(body: Uint8Array): ClientQuestion {
  const [kind, first, input, atLeast, last] = listIn(unpack(body), 5);
  if (kind === 'propose') return { kind, data: dataIn(first) };
  if (typeof first !== 'string' || first.length > QUERY_CHARS_MAX || !isCount(atLeast)) throw invalid();
  const query = { name: first, input: bytesIn(input), atLeast };
  if (kind === 'query' && typeof last === 'boolean') return { kind, ...query, linearizable: last };
  if (kind === 'watch' && typeof last === 'number') return { kind, ...query, seen: last };
  throw invalid();
}

export function encodeWritten(written: readonly ClientWritten[]): Uint8Array {
  return pack(
    written.map((one) =>
      one.kind === 'registered' ? [one.session] : [one.index, one.term, one.replayed, outcomeParts(one.outcome)],
    ),
  );
}

/** Errors: message-invalid. */
export function decodeWritten(body: Uint8Array): ClientWritten[] {
  return listIn(unpack(body), PROPOSE_COUNT_MAX).map((row) => {
    const [first, term, replayed, outcome] = listIn(row, 4);
    if (!isCount(first)) throw invalid();
    if (term === undefined) return { kind: 'registered', session: first };
    if (!isCount(term) || typeof replayed !== 'boolean') throw invalid();
    return { kind: 'command', index: first, term, replayed, outcome: outcomeIn(outcome) };
  });
}

export function encodeClientValue({ index, digest, bytes }: ClientValue): Uint8Array {
  return pack([index, digest, bytes ?? null]);
}

/** Errors: message-invalid. */
export function decodeClientValue(body: Uint8Array): ClientValue {
  const [index, digest, bytes] = listIn(unpack(body), 3);
  if (!isCount(index) || !isCount(digest)) throw invalid();
  return { index, digest, bytes: bytes === null ? undefined : bytesIn(bytes) };
}

export function encodeRelayed(relayed: Relayed): Uint8Array {
  return pack([relayed.client, relayed.kind === 'write' ? relayed.data : relayed.inviteId]);
}

/** Errors: message-invalid. */
export function decodeRelayed(body: Uint8Array): Relayed {
  const [client, what] = listIn(unpack(body), 2);
  if (!isNodeId(client)) throw invalid();
  if (typeof what !== 'string') return { kind: 'write', client, data: dataIn(what) };
  if (what.length > TOKEN_CHARS_MAX) throw invalid();
  return { kind: 'use', client, inviteId: what };
}

function outcomeParts(outcome: WrittenOutcome): readonly unknown[] {
  if (outcome.kind === 'value') return outcome.value === undefined ? [0] : [0, outcome.value];
  return outcome.kind === 'packed' ? [1, outcome.bytes] : [2, outcome.code, outcome.message];
}

function outcomeIn(parts: unknown): WrittenOutcome {
  const [kind, first, message] = listIn(parts, 3);
  if (kind === 1) return { kind: 'packed', bytes: bytesIn(first) };
  if (kind === 2 && isErrorCode(first) && typeof message === 'string') return { kind: 'error', code: first, message };
  const isPlain = first === undefined || first === null || ['string', 'number', 'boolean'].includes(typeof first);
  if (kind !== 0 || !isPlain) throw invalid();
  return { kind: 'value', value: first as string | number | boolean | null | undefined };
}

function dataIn(value: unknown): Uint8Array[] {
  return listIn(value, PROPOSE_COUNT_MAX).map(bytesIn);
}

function listIn(value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw invalid();
  return value;
}

function bytesIn(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid();
  return value.slice();
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function invalid(): RaftError {
  return new RaftError('message-invalid', 'What a client asks, or is answered, cannot be read.');
}
