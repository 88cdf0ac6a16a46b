/** Names that a caller gives: one that does not exist is an error that says which was meant, never a default in silence. */
import { RaftError } from '../../core/errors.ts';

/** Letters that a name may be off by to be taken for another. */
const TYPO_MAX = 2;
/** A name is cut to so many characters in a message. */
const SHOWN_CHARS_MAX = 40;

/** Every name of an object of options, for a table that the compiler keeps complete. */
export type Names<T> = { readonly [K in keyof Required<T>]: true };

/** Errors: invalid-argument for an unknown name, for what is no object of options, and for a signal that is none. */
export function requireKnown(what: string, given: object, known: Readonly<Record<string, true>>): void {
  if (typeof given !== 'object' || given === null)
    throw new RaftError('invalid-argument', `${what} options must be an object, got ${shown(given)}.`);
  for (const name in given) if (!Object.hasOwn(known, name)) throw unknownName(`${what} option`, name, Object.keys(known));
  if (Object.hasOwn(known, 'signal') && 'signal' in given) requireSignal(given.signal);
}

/** Errors: invalid-argument for what is no AbortSignal; nothing at all is none. */
function requireSignal(signal: unknown): void {
  if (signal === undefined) return;
  const listens = typeof signal === 'object' && signal !== null && 'aborted' in signal && 'addEventListener' in signal;
  if (!listens) throw new RaftError('invalid-argument', `signal must be an AbortSignal, got ${shown(signal)}.`);
}

export function unknownName(what: string, name: string, known: readonly string[]): RaftError {
  const meant = known.find((other) => distance(name.toLowerCase(), other.toLowerCase()) <= TYPO_MAX);
  const hint = meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return new RaftError('invalid-argument', `There is no ${what} named ${name.slice(0, SHOWN_CHARS_MAX)}. ${hint}`);
}

/** Errors: invalid-argument. */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new RaftError('invalid-argument', `${name} must be a function, got ${shown(value)}.`);
}

/** Errors: invalid-argument. */
export function requireText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw new RaftError('invalid-argument', `${name} must be a text, got ${shown(value)}.`);
}

/** Errors: invalid-argument. */
export function requireOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value === 'string' && known.includes(value)) return;
  if (typeof value === 'string') throw unknownName(name, value, known);
  throw new RaftError('invalid-argument', `${name} is one of ${known.join(', ')}, got ${shown(value)}.`);
}

export function shown(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `'${value.slice(0, SHOWN_CHARS_MAX)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** How many letters must be changed, put in or left out; anything above the limit is as good as far. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > TYPO_MAX) return TYPO_MAX + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
