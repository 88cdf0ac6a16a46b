/** A call with its progress, as something that can be read and watched: the same in every framework. */
import { holding, type Readable } from './readable.ts';

export interface Progress {
  /** How many are on their way. */
  readonly pending: number;
  /** Of the last that failed, until the next is run. */
  readonly error: unknown;
}

export interface WatchedCommand<A extends readonly unknown[], R> extends Readable<Progress> {
  /** Runs it. Resolves with undefined when it failed: the error is in `error`. */
  readonly run: (...given: A) => Promise<R | undefined>;
}

const AT_REST: Progress = { pending: 0, error: undefined };

/** commandOf((seat: string) => node.propose({ type: 'book', seat })). */
export function commandOf<A extends readonly unknown[], R>(call: (...given: A) => Promise<R>): WatchedCommand<A, R> {
  const progress = holding(AT_REST);
  const run = async (...given: A): Promise<R | undefined> => {
    progress.set({ pending: progress.get().pending + 1, error: undefined });
    try {
      const result = await call(...given);
      const { pending, error } = progress.get();
      progress.set({ pending: pending - 1, error });
      return result;
    } catch (error) {
      progress.set({ pending: progress.get().pending - 1, error });
      return undefined;
    }
  };
  return { run, get: progress.get, subscribe: progress.subscribe };
}

/** One part of what is read; told of when that has changed. */
export function partOf<T, P>(readable: Readable<T>, pick: (value: T) => P): Readable<P> {
  return {
    get: () => pick(readable.get()),
    subscribe: (changed) => {
      let last = pick(readable.get());
      return readable.subscribe(() => {
        const next = pick(readable.get());
        if (Object.is(next, last)) return;
        last = next;
        changed();
      });
    },
  };
}
