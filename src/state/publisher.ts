/**
 * Copies of a state for its readers: made when they ask, and shared as long as what they show has not changed, so that the same
 * reference means the same value and nobody but a handler can change the state.
 */

import { type Container, type Kind, kindOf } from './containers.ts';
import { behind } from './read-only.ts';

interface Published {
  readonly version: number;
  readonly copy: unknown;
}

/** What the readers of a container were given last. */
export interface Shown {
  readonly version: number;
  readonly published: Published | undefined;
}

export class Publisher {
  #versions = new WeakMap<Container, number>();
  #published = new WeakMap<Container, Published>();
  readonly #freezes: boolean;

  constructor(freezes: boolean) {
    this.#freezes = freezes;
  }

  forget(): void {
    this.#versions = new WeakMap();
    this.#published = new WeakMap();
  }

  /** The container, or something in it, is not what it was. */
  changed(container: Container): void {
    this.#versions.set(container, (this.#versions.get(container) ?? 0) + 1);
  }

  shown(container: Container): Shown {
    return { version: this.#versions.get(container) ?? 0, published: this.#published.get(container) };
  }

  /** The container is again what it was when that was shown. */
  putBack(container: Container, { version, published }: Shown): void {
    this.#versions.set(container, version);
    if (published === undefined) this.#published.delete(container);
    else this.#published.set(container, published);
  }

  copyOf(given: unknown): unknown {
    if (typeof given !== 'object' || given === null) return given;
    const value = behind(given);
    const kind = kindOf(value);
    if (kind === undefined) return copyOfLeaf(value);
    const version = this.#versions.get(value) ?? 0;
    const known = this.#published.get(value);
    if (known?.version === version) return known.copy;
    const copy = this.#freshCopy(value, kind);
    this.#published.set(value, { version, copy });
    // A copy handed back to be published is its own copy.
    this.#published.set(copy, { version: 0, copy });
    return copy;
  }

  #freshCopy(value: object, kind: Kind): object {
    if (kind === 'map') {
      return new Map([...(value as Map<unknown, unknown>)].map(([key, item]) => [key, this.copyOf(item)]));
    }
    if (kind === 'set') return new Set([...(value as Set<unknown>)].map((item) => this.copyOf(item)));
    const copy: object =
      kind === 'array'
        ? (value as unknown[]).map((item) => this.copyOf(item))
        : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.copyOf(item)]));
    return this.#freezes ? Object.freeze(copy) : copy;
  }
}

function copyOfLeaf(value: object): unknown {
  if (value instanceof Date) return new Date(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return structuredClone(value);
  return value;
}
