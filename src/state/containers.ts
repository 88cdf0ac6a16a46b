/** What a state is made of: containers that are followed, and everything else. */

export type Container = object;
export type Kind = 'object' | 'array' | 'map' | 'set';

/** Undefined for what is not followed: primitives, bytes, dates, instances of classes. */
export function kindOf(value: unknown): Kind | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return 'array';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return 'object';
  if (value instanceof Map) return 'map';
  return value instanceof Set ? 'set' : undefined;
}
