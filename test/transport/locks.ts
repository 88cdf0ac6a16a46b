/** Web Locks as a browser has them: exclusive and shared ones by name; what a tab holds is freed when it crashes. */

/** All requests of one browser: of each name, when the last exclusive one is over, and when all are. */
type Queues = Map<string, { readonly exclusive: Promise<unknown>; readonly all: Promise<unknown> }>;

export interface TabLocks {
  readonly locks: Pick<LockManager, 'request'>;
  /** Frees what it holds. */
  crash(): void;
  /** From now on it is granted what it asked for, and does not know: nothing of it runs. */
  freeze(): void;
}

export class BrowserLocks {
  readonly #queues: Queues = new Map();

  tab(): TabLocks {
    let isFrozen = false;
    let free: () => void = () => undefined;
    const crashed = new Promise<void>((resolve) => {
      free = resolve;
    });
    const request = (name: string, ...rest: readonly unknown[]): Promise<unknown> => {
      const run = rest.at(-1) as () => unknown;
      const { signal, mode } = (rest.length > 1 ? rest[0] : {}) as { readonly signal?: AbortSignal; readonly mode?: string };
      const { exclusive, all } = this.#queues.get(name) ?? { exclusive: Promise.resolve(), all: Promise.resolve() };
      const held = (mode === 'shared' ? exclusive : all).then(async () => {
        if (signal?.aborted === true) throw new Error('aborted');
        await Promise.race([isFrozen ? new Promise(() => undefined) : run(), crashed]);
      });
      const over = held.catch(() => undefined);
      const everything = Promise.all([all, over]);
      this.#queues.set(name, { exclusive: mode === 'shared' ? exclusive : everything, all: everything });
      return held;
    };
    const freeze = (): void => {
      isFrozen = true;
    };
    return { locks: { request } as unknown as Pick<LockManager, 'request'>, crash: () => free(), freeze };
  }
}
