/** Web Locks for Node: as navigator.locks, for the few calls that storage makes, within one process. */
import type { Locks } from '../../../src/storage/idb/idb-locks.ts';

type Callback = (lock: Lock | null) => unknown;
interface Options {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

export class FakeLocks {
  readonly #held = new Map<string, (reason: unknown) => void>();
  readonly #waiting = new Map<string, (() => void)[]>();

  asLocks(): Locks {
    return { request: this.request, query: this.query } as unknown as Locks;
  }

  readonly request = async (name: string, options: Options, callback: Callback): Promise<unknown> => {
    if (this.#held.has(name)) {
      if (options.ifAvailable === true) return callback(null);
      await this.#turn(name, options.signal);
    }
    const stolen = new Promise<never>((_, reject) => this.#held.set(name, reject));
    try {
      return await Promise.race([Promise.resolve(callback({ name, mode: 'exclusive' })), stolen]);
    } finally {
      this.#held.delete(name);
      this.#waiting.get(name)?.shift()?.();
    }
  };

  readonly query = async (): Promise<LockManagerSnapshot> => ({
    held: [...this.#held.keys()].map((name) => ({ name, mode: 'exclusive', clientId: '' })),
    pending: [],
  });

  /** As a context that asks with {steal: true}. */
  steal(name: string): void {
    this.#held.get(name)?.(new DOMException('stolen', 'AbortError'));
  }
  get names(): string[] {
    return [...this.#held.keys()];
  }

  #turn(name: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, [...queue, resolve]);
      signal?.addEventListener('abort', () => {
        this.#waiting.set(
          name,
          (this.#waiting.get(name) ?? []).filter((other) => other !== resolve),
        );
        reject(signal.reason);
      });
    });
  }
}
