/**
 * A state that handlers change in place and readers never can. Handlers see it through proxies that write down how to take each
 * change back: a command that fails leaves nothing behind (W9), and what it costs grows with what it changed, not with the state.
 * Readers get copies, made when they ask and shared as long as what they show has not changed, so that the same reference means
 * the same value. Plain objects, arrays, Maps and Sets are followed; bytes and dates are put back whole.
 */

import { type Container, kindOf } from './containers.ts';
import { type Node, nodeOf, plain } from './draft-node.ts';
import { Publisher, type Shown } from './publisher.ts';
import { readOnly } from './read-only.ts';
import { ABSENT, UndoLog } from './undo-log.ts';

/** Of an object or Map with more keys than this a key that a failed command had deleted comes back as the last. */
const ORDER_KEPT_MAX = 4_096;

/** Proxies kept for one container, for the commands to come: making one costs more than a look-up. */
const CHILDREN_KEPT_MAX = 256;

let handlersAtWork = 0;

/** Whether this is called by a handler, of whichever machine. */
export function isHandlerAtWork(): boolean {
  return handlersAtWork > 0;
}

/** A handler that is only tried, and of each container that it changed what its readers were shown before. */
interface Rehearsal {
  spoilt: boolean;
  readonly shown: Map<Container, Shown>;
}

/** Ends a rehearsal. */
const OVER = new Error('This rehearsal is over.');

export class Draft<S> {
  #state: S;
  /** The changes of the command under way. */
  readonly #undo: UndoLog = new UndoLog();
  #root: Node | undefined;
  readonly #touched: Node[] = [];
  readonly #publisher: Publisher;
  readonly #guards: boolean;
  /** A handler is at work: only then can the state be changed. */
  #isOpen = false;
  /** Of a handler that is only tried; spoilt when it touches what could not be taken back. */
  #rehearsal: Rehearsal | undefined;

  /** `freezes`: readers' objects and arrays are frozen, and selectors see a view, so that whoever tries to change one is told. */
  constructor(state: S, freezes: boolean) {
    this.#state = plain(state) as S;
    this.#guards = freezes;
    this.#publisher = new Publisher(freezes);
  }

  get state(): S {
    return this.#state;
  }

  /** The state as selectors see it. */
  get view(): S {
    return this.#guards ? readOnly(this.#state) : this.#state;
  }

  /** Another state altogether. `own`: nobody else holds any of it, as of one that was decoded just now. */
  replace(state: S, own: 'own' | 'shared' = 'shared'): void {
    this.#state = own === 'own' ? state : (plain(state) as S);
    this.#root = undefined;
    this.#publisher.forget();
  }

  /** Runs a handler on the state, with its input. What it throws is thrown again, and the state is as it was. */
  run<R>(handler: (state: S) => R): R;
  run<R, I>(handler: (state: S, input: I) => R, input: I): R;
  run(handler: (state: S, input: unknown) => unknown, input?: unknown): unknown {
    if (this.#isOpen) throw new TypeError('A handler is at work on this state.');
    this.#isOpen = true;
    handlersAtWork += 1;
    try {
      return handler(this.#rootProxy(), input);
    } catch (error) {
      this.#undo.takeBack(0);
      throw error;
    } finally {
      this.#isOpen = false;
      handlersAtWork -= 1;
      this.#undo.clear();
      this.#settle();
    }
  }

  /**
   * Runs a handler, shows what the state came to and takes everything back, so that nobody can tell. Undefined where that cannot be
   * done: the handler asked for something in the state whose changes are not followed. Throws what the handler throws.
   */
  rehearse<R>(handler: (state: S) => R): { readonly result: R; readonly state: S } | undefined {
    if (kindOf(this.#state) === undefined) return undefined;
    const rehearsal: Rehearsal = { spoilt: false, shown: new Map() };
    this.#rehearsal = rehearsal;
    let seen: { readonly result: R; readonly state: S } | undefined;
    try {
      return this.run((state) => {
        const result = handler(state);
        this.#settle();
        seen = { result, state: this.publish(this.#state) };
        throw OVER;
      });
    } catch (error) {
      if (error !== OVER && !rehearsal.spoilt) throw error;
      return rehearsal.spoilt ? undefined : seen;
    } finally {
      this.#rehearsal = undefined;
      // What readers were given before is what they are given again.
      for (const [container, shown] of rehearsal.shown) this.#publisher.putBack(container, shown);
    }
  }

  /** One of several steps of a rehearsal: what it throws is thrown again, and only what it changed is taken back. */
  step<R>(run: () => R): R {
    const before = this.#undo.length;
    try {
      return run();
    } catch (error) {
      this.#undo.takeBack(before);
      throw error;
    }
  }

  /** A value out of the state as its reader may keep it: of what has not changed since, the same as before. */
  publish<T>(value: T): T {
    return this.#publisher.copyOf(value) as T;
  }

  #rootProxy(): S {
    const state: unknown = this.#state;
    if (typeof state !== 'object' || state === null || kindOf(state) === undefined) return this.#state;
    if (this.#root?.target !== state) this.#root = this.#nodeFor(state, undefined);
    return this.#root?.proxy as S;
  }

  /** What was changed is shown anew to the next reader. */
  #settle(): void {
    for (let node = this.#touched.pop(); node !== undefined; node = this.#touched.pop()) {
      node.changed = false;
      this.#publisher.changed(node.target);
    }
  }

  #markChanged(node: Node): void {
    const shown = this.#rehearsal?.shown;
    for (let at: Node | undefined = node; at !== undefined && !at.changed; at = at.parent) {
      at.changed = true;
      if (shown?.has(at.target) === false) shown.set(at.target, this.#publisher.shown(at.target));
      this.#touched.push(at);
    }
  }

  #change(node: Node, undo: () => void): void {
    this.#requireOpen();
    this.#undo.change(undo);
    this.#markChanged(node);
  }

  /** What stands at a key of an object or a Map is about to change. */
  #changeAt(node: Node, target: Container, key: unknown, before: unknown): void {
    this.#requireOpen();
    this.#undo.value(target, key, before);
    this.#markChanged(node);
  }

  #requireOpen(): void {
    if (!this.#isOpen) throw new TypeError('The handler has returned: what it changes later is in no command.');
  }

  #nodeFor(target: Container, parent: Node | undefined): Node {
    const node: Node = { target, parent, proxy: target, changed: false, children: new Map() };
    const kind = kindOf(target);
    node.proxy = new Proxy(
      target,
      kind === 'map' || kind === 'set' ? this.#collectionTraps(node, kind) : this.#objectTraps(node),
    );
    nodeOf.set(node.proxy, node);
    return node;
  }

  /** A value of the state as the handler sees it. */
  #show(parent: Node, value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (kindOf(value) === undefined) return this.#showLeaf(parent, value);
    const known = parent.children.get(value);
    if (known !== undefined) return known.proxy;
    if (parent.children.size >= CHILDREN_KEPT_MAX) parent.children.clear();
    const node = this.#nodeFor(value, parent);
    parent.children.set(value, node);
    return node.proxy;
  }

  /** Bytes and dates are changed in place, past every trap: what they were is kept. */
  #showLeaf(parent: Node, value: object): object {
    if (!this.#isOpen) return value instanceof Date || ArrayBuffer.isView(value) ? structuredClone(value) : value;
    if (value instanceof Date) {
      const time = value.getTime();
      this.#change(parent, () => value.setTime(time));
    } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      const before = bytes.slice();
      this.#change(parent, () => bytes.set(before));
    } else if (this.#rehearsal !== undefined) {
      this.#rehearsal.spoilt = true;
      throw OVER;
    }
    return value;
  }

  #objectTraps(node: Node): ProxyHandler<Container> {
    return {
      get: (target, key) => this.#show(node, Reflect.get(target, key)),
      getOwnPropertyDescriptor: (target, key) => {
        const found = Reflect.getOwnPropertyDescriptor(target, key);
        if (found !== undefined && 'value' in found && found.configurable === true) found.value = this.#show(node, found.value);
        return found;
      },
      set: (target, key, value) => this.#set(node, target, key, value),
      defineProperty: (target, key, descriptor) => 'value' in descriptor && this.#set(node, target, key, descriptor.value),
      deleteProperty: (target, key) => this.#delete(node, target, key),
      setPrototypeOf: () => false,
    };
  }

  /** A rehearsal leaves no trace, whatever it costs: a failed command leaves the same one on every member. */
  #orderOf<T>(size: number, list: () => readonly T[]): readonly T[] {
    return size > ORDER_KEPT_MAX && this.#rehearsal === undefined ? [] : list();
  }

  #set(node: Node, target: Container, key: PropertyKey, value: unknown): boolean {
    if (Array.isArray(target)) {
      const { length } = target;
      if (key === 'length') {
        const cut = target.slice(Number(value));
        this.#change(node, () => {
          target.length = length - cut.length;
          for (const item of cut) target.push(item);
          target.length = length;
        });
        return Reflect.set(target, key, value);
      }
      if (!Object.hasOwn(target, key)) {
        this.#change(node, () => {
          Reflect.deleteProperty(target, key);
          target.length = length;
        });
        return Reflect.set(target, key, plain(value));
      }
    }
    this.#changeAt(node, target, key, Object.hasOwn(target, key) ? Reflect.get(target, key) : ABSENT);
    return Reflect.set(target, key, plain(value));
  }

  #delete(node: Node, target: Container, key: PropertyKey): boolean {
    if (!Object.hasOwn(target, key)) return true;
    const before: unknown = Reflect.get(target, key);
    const keys = Array.isArray(target) ? [] : this.#orderOf(Object.keys(target).length, () => Object.keys(target));
    this.#change(node, () => {
      Reflect.set(target, key, before);
      // The order of keys is part of the state: whoever iterates sees it.
      for (const other of keys.slice(keys.indexOf(String(key)) + 1)) {
        const value: unknown = Reflect.get(target, other);
        Reflect.deleteProperty(target, other);
        Reflect.set(target, other, value);
      }
    });
    return Reflect.deleteProperty(target, key);
  }

  #collectionTraps(node: Node, kind: 'map' | 'set'): ProxyHandler<Container> {
    const methods =
      kind === 'map'
        ? this.#mapMethods(node, node.target as Map<unknown, unknown>)
        : this.#setMethods(node, node.target as Set<unknown>);
    return {
      get: (target, key) => {
        if (key === 'size') return (target as Map<unknown, unknown>).size;
        const method = methods.get(key);
        if (method !== undefined) return method;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
      setPrototypeOf: () => false,
    };
  }

  #mapMethods(node: Node, map: Map<unknown, unknown>): ReadonlyMap<PropertyKey, unknown> {
    const show = (value: unknown): unknown => this.#show(node, value);
    const entries = function* (): IterableIterator<[unknown, unknown]> {
      for (const [key, value] of map) yield [key, show(value)];
    };
    const values = function* (): IterableIterator<unknown> {
      for (const value of map.values()) yield show(value);
    };
    return new Map<PropertyKey, unknown>([
      ['get', (key: unknown) => show(map.get(plain(key)))],
      ['has', (key: unknown) => map.has(plain(key))],
      ['set', (key: unknown, value: unknown) => this.#mapSet(node, map, plain(key), value)],
      ['delete', (key: unknown) => this.#mapDelete(node, map, plain(key))],
      ['clear', () => this.#clear(node, map, (entry) => map.set(entry[0], entry[1]), [...map])],
      [
        'forEach',
        (run: (value: unknown, key: unknown, of: unknown) => void) => {
          for (const [key, value] of map) run(show(value), key, node.proxy);
        },
      ],
      ['entries', entries],
      ['values', values],
      ['keys', () => map.keys()],
      [Symbol.iterator, entries],
    ]);
  }

  #mapSet(node: Node, map: Map<unknown, unknown>, key: unknown, value: unknown): unknown {
    const before = map.get(key);
    this.#changeAt(node, map, key, before === undefined && !map.has(key) ? ABSENT : before);
    map.set(key, plain(value));
    return node.proxy;
  }

  #mapDelete(node: Node, map: Map<unknown, unknown>, key: unknown): boolean {
    if (!map.has(key)) return false;
    const before = map.get(key);
    const keys = this.#orderOf(map.size, () => [...map.keys()]);
    this.#change(node, () => {
      map.set(key, before);
      for (const other of keys.slice(keys.indexOf(key) + 1)) {
        const value = map.get(other);
        map.delete(other);
        map.set(other, value);
      }
    });
    return map.delete(key);
  }

  #setMethods(node: Node, set: Set<unknown>): ReadonlyMap<PropertyKey, unknown> {
    const show = (value: unknown): unknown => this.#show(node, value);
    const values = function* (): IterableIterator<unknown> {
      for (const value of set) yield show(value);
    };
    const entries = function* (): IterableIterator<[unknown, unknown]> {
      for (const value of set) yield [show(value), show(value)];
    };
    return new Map<PropertyKey, unknown>([
      ['has', (value: unknown) => set.has(plain(value))],
      ['add', (value: unknown) => this.#add(node, set, plain(value))],
      ['delete', (value: unknown) => this.#setDelete(node, set, plain(value))],
      ['clear', () => this.#clear(node, set, (value) => set.add(value), [...set])],
      [
        'forEach',
        (run: (value: unknown, key: unknown, of: unknown) => void) => {
          for (const value of set) run(show(value), show(value), node.proxy);
        },
      ],
      ['entries', entries],
      ['values', values],
      ['keys', values],
      [Symbol.iterator, values],
    ]);
  }

  #add(node: Node, set: Set<unknown>, value: unknown): unknown {
    if (!set.has(value)) {
      this.#change(node, () => set.delete(value));
      set.add(value);
    }
    return node.proxy;
  }

  #setDelete(node: Node, set: Set<unknown>, value: unknown): boolean {
    if (!set.has(value)) return false;
    const items = this.#orderOf(set.size, () => [...set]);
    this.#change(node, () => {
      set.add(value);
      for (const other of items.slice(items.indexOf(value) + 1)) {
        set.delete(other);
        set.add(other);
      }
    });
    return set.delete(value);
  }

  #clear<T>(node: Node, collection: { clear(): void }, putBack: (item: T) => unknown, items: readonly T[]): void {
    this.#change(node, () => {
      for (const item of items) putBack(item);
    });
    collection.clear();
  }
}
