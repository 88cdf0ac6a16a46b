/** A storage whose writes can be made slow: each takes so much longer until it counts as written, one after the other. */
import type { OpenOptions } from '../../src/index.ts';

type Storage = Extract<OpenOptions['storage'], object>;
type Store = Awaited<ReturnType<Storage['acquire']>>;

export class SlowDisk {
  /** How much longer a write takes, in ms; 0 for a disk as it is. */
  delayMs = 0;
  readonly storage: Storage;

  constructor(inner: Storage) {
    this.storage = {
      kind: inner.kind,
      durable: inner.durable,
      acquire: async (request) => this.#slowed(await inner.acquire(request)),
    };
  }

  #slowed(store: Store): Store {
    const write = store.write.bind(store);
    let before: Promise<unknown> = Promise.resolve();
    store.write = (batch) => {
      const mine = this.#late(write(batch), before);
      // A write that failed is told of at once, and lets nobody overtake those before it.
      before = Promise.allSettled([before, mine]);
      return mine;
    };
    return store;
  }

  async #late(written: Promise<void>, before: Promise<unknown>): Promise<void> {
    await written;
    await before;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
  }
}
