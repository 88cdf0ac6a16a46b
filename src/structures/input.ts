/** What handlers ask of the input of a command: anybody in the cluster may have written it. A refusal changes nothing. */

/** Longest key, name, owner or reason, in characters: they are kept in the state of every member. */
export const TEXT_CHARS_MAX = 256;
/** Longest lease, in ms: a day. What a visitor who never returns still holds is free after that. */
export const LEASE_MS_MAX: number = 24 * 60 * 60 * 1000;

/** A text of 1 to TEXT_CHARS_MAX characters. Errors: TypeError, which the caller sees as `handler-failed`. */
export function requireText(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= TEXT_CHARS_MAX) return value;
  throw new TypeError(`${field} must be a text of 1 to ${TEXT_CHARS_MAX} characters.`);
}

/** A safe integer between two bounds, both included. Errors: TypeError. */
export function requireWhole(value: unknown, field: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new TypeError(`${field} must be a whole number from ${min} to ${max}.`);
}

/** When a lease that begins now ends, in log time. Errors: TypeError. */
export function leaseEnd(now: number, ttlMs: unknown): number {
  return now + requireWhole(ttlMs, 'ttlMs', 1, LEASE_MS_MAX);
}

/** Room for one more entry. Errors: RangeError, which the caller sees as `handler-failed`. */
export function requireRoom(size: number, max: number, what: string): void {
  if (size >= max) throw new RangeError(`There is no room for more than ${max} ${what}.`);
}
