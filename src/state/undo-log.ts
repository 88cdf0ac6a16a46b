/**
 * How the changes of one command are taken back, the last first. A value put at a key is three fields of arrays that are used
 * again, not a closure: most commands make one such change, on every member.
 */

/** Nothing stood there before. */
export const ABSENT: unique symbol = Symbol('absent');

/** Fields kept for the commands to come; those of a command that changed more are given back. */
const KEPT_CHANGES = 64;

export class UndoLog {
  /** What was changed; or, for any other change, the function that takes it back. */
  readonly #targets: unknown[] = [];
  readonly #keys: unknown[] = [];
  readonly #before: unknown[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `before` stood at `key` of an object or a Map, or ABSENT. */
  value(target: object, key: unknown, before: unknown): void {
    this.#push(target, key, before);
  }

  /** Any other change. */
  change(undo: () => void): void {
    this.#push(undo, undefined, undefined);
  }

  #push(target: unknown, key: unknown, before: unknown): void {
    const at = this.#length++;
    this.#targets[at] = target;
    this.#keys[at] = key;
    this.#before[at] = before;
  }

  /** Takes back what was changed after the first `to` changes. */
  takeBack(to: number): void {
    for (let i = this.#length - 1; i >= to; i--) putBack(this.#targets[i], this.#keys[i], this.#before[i]);
    this.#forget(to);
  }

  /** The command is over: its changes stay. */
  clear(): void {
    this.#forget(0);
  }

  /** Nothing is kept alive that only the past knew. */
  #forget(from: number): void {
    for (let i = from; i < this.#length; i++) {
      this.#targets[i] = undefined;
      this.#keys[i] = undefined;
      this.#before[i] = undefined;
    }
    this.#length = from;
    if (this.#targets.length <= KEPT_CHANGES || from > 0) return;
    this.#targets.length = 0;
    this.#keys.length = 0;
    this.#before.length = 0;
  }
}

function putBack(target: unknown, key: unknown, before: unknown): void {
  if (typeof target === 'function') target();
  else if (target instanceof Map) {
    if (before === ABSENT) target.delete(key);
    else target.set(key, before);
  } else if (before === ABSENT) Reflect.deleteProperty(target as object, key as PropertyKey);
  else Reflect.set(target as object, key as PropertyKey, before);
}
