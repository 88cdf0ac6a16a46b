/** What a draft knows of each container that a handler was shown, and what a handler puts into the state in its own form. */
import { type Container, kindOf } from './containers.ts';

/** One container as a handler sees it. */
export interface Node {
  readonly target: Container;
  readonly parent: Node | undefined;
  proxy: Container;
  /** Its copies are out of date, and so are those of everything it lies in. */
  changed: boolean;
  readonly children: Map<Container, Node>;
}

/** Of each proxy what it stands for. */
export const nodeOf: WeakMap<Container, Node> = new WeakMap();

/** What a handler puts into the state, without the proxies that it may have been given. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const node = nodeOf.get(value);
  if (node !== undefined) return node.target;
  const kind = kindOf(value);
  // A constant of the handler's: the state has one of its own, which can be followed.
  if (Object.isFrozen(value) && (kind === 'array' || kind === 'object'))
    return plain(kind === 'array' ? [...(value as unknown[])] : { ...value });
  if (kind === 'array') {
    const items = value as unknown[];
    for (const [i, item] of items.entries())
      replaceChanged(item, (next) => {
        items[i] = next;
      });
  } else if (kind === 'object') {
    for (const [key, item] of Object.entries(value)) replaceChanged(item, (next) => Reflect.set(value, key, next));
  } else if (kind === 'map') {
    const map = value as Map<unknown, unknown>;
    for (const [key, item] of map) replaceChanged(item, (next) => map.set(key, next));
  } else if (kind === 'set') {
    const set = value as Set<unknown>;
    const items = [...set].map(plain);
    set.clear();
    for (const item of items) set.add(item);
  }
  return value;
}

/** Most of what is put in is as it should be: nothing is written then. */
function replaceChanged(item: unknown, put: (next: unknown) => unknown): void {
  if (typeof item !== 'object' || item === null) return;
  const next = plain(item);
  if (next !== item) put(next);
}
