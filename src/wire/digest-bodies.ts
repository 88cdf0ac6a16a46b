/** What members ask each other about digests, and answer: the bodies of `digest` calls. */
import { pack, unpack } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Index } from '../core/types.ts';

/** Digests of one answer: one for each entry run again. More are not read. */
export const DIGESTS_MAX = 10_000;

export type Question =
  | readonly ['compare', index: Index, digest: number]
  | readonly ['rerun', from: Index, to: Index]
  | readonly ['state'];
/** Of `compare`; `coming` of `state`; digests of `rerun`, none when they cannot be had. */
export type Answer = 'same' | 'different' | 'later' | 'coming' | readonly number[];

export function encodeQuestion(question: Question): Uint8Array {
  return pack(question);
}

/** Errors: message-invalid. */
export function decodeQuestion(body: Uint8Array): Question {
  const value = unpack(body);
  const parts: readonly unknown[] = Array.isArray(value) ? value : [];
  const [kind, a, b] = parts;
  if (kind === 'state' && parts.length === 1) return ['state'];
  if ((kind === 'compare' || kind === 'rerun') && parts.length === 3 && isCount(a) && isCount(b)) return [kind, a, b];
  throw new RaftError('message-invalid', 'A question about digests cannot be read.');
}

export function encodeAnswer(answer: Answer): Uint8Array {
  return pack(answer);
}

/** Undefined for what is none. */
export function decodeAnswer(body: Uint8Array): Answer | undefined {
  try {
    const value = unpack(body);
    if (value === 'same' || value === 'different' || value === 'later' || value === 'coming') return value;
    return Array.isArray(value) && value.length <= DIGESTS_MAX && value.every(isCount) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
