/** Whether two values say the same: deep equality over what a state is made of. */

export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (a instanceof Map && b instanceof Map) return sameMap(a, b);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && sameValue([...a], [...b]);
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((byte, i) => byte === b[i]);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameValue(Reflect.get(a, key), Reflect.get(b, key)));
}

function sameMap(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  // Order is part of it: two Maps filled in another order are not the same to whoever shows them.
  const other = b.entries();
  for (const [key, value] of a) {
    const next = other.next();
    if (next.done === true || !sameValue(key, next.value[0]) || !sameValue(value, next.value[1])) return false;
  }
  return true;
}
