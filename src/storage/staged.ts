/** Staged snapshots have owners who may forget them: how many may wait, and who gives way. */

/**
 * Snapshots staged, or being so, that no write has taken: a node's own and those from two leaders are three. More than
 * this were forgotten, and would stay on the disk until the store is opened again.
 */
export const STAGED_SNAPSHOTS_MAX = 8;

/** Those that wait, oldest first, each with how to drop it. */
export class StagedSet<K> {
  readonly #drops = new Map<K, () => void>();

  /** The oldest is dropped when there are too many. */
  add(key: K, drop: () => void): void {
    this.#drops.set(key, drop);
    if (this.#drops.size <= STAGED_SNAPSHOTS_MAX) return;
    for (const [oldest, dropOldest] of this.#drops) {
      this.#drops.delete(oldest);
      dropOldest();
      return;
    }
  }

  /** It has been taken or dropped. */
  delete(key: K): void {
    this.#drops.delete(key);
  }
}
