/**
 * A state as a selector sees it in a development build: it can look at everything and change nothing. Whoever tries is told, at the
 * line that did it; in a production build a selector sees the state itself, and what it answers is a copy all the same.
 */
import { type Container, kindOf } from './containers.ts';

const CHANGING: ReadonlySet<PropertyKey> = new Set(['set', 'add', 'delete', 'clear']);
const views: WeakMap<Container, Container> = new WeakMap();
const targets: WeakMap<Container, Container> = new WeakMap();

const refuse = (): never => {
  throw new TypeError('The state cannot be changed here: only commands change it.');
};

export function readOnly<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const kind = kindOf(value);
  if (kind === undefined) return value;
  const known = views.get(value);
  if (known !== undefined) return known as T;
  const view = new Proxy<Container>(value, kind === 'map' || kind === 'set' ? COLLECTION : OBJECT);
  views.set(value, view);
  targets.set(view, value);
  return view as T;
}

/** What a selector answered may be such a view, or hold some. */
export function behind(value: object): object {
  return targets.get(value) ?? value;
}

const SEALED: ProxyHandler<Container> = {
  set: refuse,
  defineProperty: refuse,
  deleteProperty: refuse,
  setPrototypeOf: refuse,
  preventExtensions: refuse,
};

const OBJECT: ProxyHandler<Container> = {
  ...SEALED,
  // Of what is frozen a proxy must answer what is there.
  get: (target, key) => (Object.isFrozen(target) ? Reflect.get(target, key) : readOnly(Reflect.get(target, key))),
};

const COLLECTION: ProxyHandler<Container> = {
  ...SEALED,
  get: (target, key) => {
    const collection = target as Map<unknown, unknown>;
    if (key === 'size') return collection.size;
    if (CHANGING.has(key)) return refuse;
    if (key === 'get') return (wanted: unknown) => readOnly(collection.get(wanted));
    if (key === 'forEach')
      return (run: (value: unknown, key: unknown, of: unknown) => void) => {
        for (const [at, value] of collection.entries()) run(readOnly(value), readOnly(at), readOnly(target));
      };
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value !== 'function') return value;
    const method = value.bind(target) as (...given: unknown[]) => unknown;
    return ITERATING.has(key) ? () => shown(method() as Iterable<unknown>) : method;
  },
};

const ITERATING: ReadonlySet<PropertyKey> = new Set<PropertyKey>(['entries', 'values', 'keys', Symbol.iterator]);

function* shown(items: Iterable<unknown>): IterableIterator<unknown> {
  for (const item of items) yield Array.isArray(item) && !views.has(item) ? item.map(readOnly) : readOnly(item);
}
