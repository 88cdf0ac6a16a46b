/** The one check of a number that somebody gave. */
import { RaftError } from '../../core/errors.ts';
import { shown } from './require-known.ts';

/** Errors: invalid-argument, with the range that is allowed. */
export function requireInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new RaftError('invalid-argument', `${name} must be a whole number from ${min} to ${max}, got ${shown(value)}.`);
  }
}
