/** The page under test: stores opened in this tab, driven from the test by name. */
import { RaftError } from '../../../src/core/errors.ts';
import { type Entry, makeEntry } from '../../../src/core/types.ts';
import { IdbStorage, type IdbStorageOptions } from '../../../src/storage/idb/idb-storage.ts';
import { moveStore } from '../../../src/storage/move-store.ts';
import { OpfsStorage } from '../../../src/storage/opfs/opfs-storage.ts';
import type {
  AcquireRequest,
  NodeIdentity,
  NodeStore,
  StorageEstimate,
  StorageProvider,
  StoreFault,
} from '../../../src/storage/storage.ts';
import { readAll } from '../../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../../src/testing/storage-suite.ts';

/** What a call came to, fit for the way to the test. */
export type Outcome<T> = { readonly ok: T } | { readonly code: string; readonly message: string };

export interface AppendOptions {
  readonly count: number;
  readonly inFlight: number;
  readonly bytes: number;
}

/** What the test can do in the page, as `harness`. */
export interface Harness {
  readonly suiteNames: readonly string[];
  readonly faults: readonly StoreFault['code'][];
  runCase(place: number): Promise<string>;
  acquire(request: Omit<AcquireRequest, 'onFault'>, options?: IdbStorageOptions): Promise<Outcome<NodeIdentity>>;
  load(): Promise<Outcome<{ term: number; commit: number; firstIndex: number; lastIndex: number }>>;
  /** Appends one entry after the other, or so many at once, telling the test what is acknowledged. */
  append(options: AppendOptions): Promise<void>;
  write(from: number, to: number, bytes: number): Promise<Outcome<void>>;
  /** `wrong` is '' when the log is the entries it should be, from the first to the last. */
  verify(bytes: number): Promise<{ last: number; wrong: string }>;
  compact(index: number): Promise<Outcome<void>>;
  estimate(): Promise<StorageEstimate | undefined>;
  close(): Promise<void>;
  wipe(): Promise<void>;
  /** Moves a closed node's store from IndexedDB to files, or back. */
  move(room: string, nodeId: string, to: 'idb' | 'opfs'): Promise<Outcome<boolean>>;
  /** A key pair of which nobody can read the private key: made, kept, and whether what is kept signs. */
  keepKey(): Promise<void>;
  keySigns(): Promise<boolean>;
  /** Kills the workers of this page's stores. */
  killWorkers(): void;
}

/** Workers that hold files of this page's stores: to be killed. */
const workers: Worker[] = [];
function startWorker(): Worker {
  const worker = new Worker('/worker.js', { type: 'module' });
  workers.push(worker);
  return worker;
}
const provider = (options: IdbStorageOptions = {}): StorageProvider =>
  location.search === '?opfs' ? new OpfsStorage({ ...options, worker: startWorker }) : new IdbStorage(options);

const suite = storageSuite({ open: () => provider() });
let store: NodeStore | undefined;
const faults: StoreFault['code'][] = [];

function current(): NodeStore {
  if (store === undefined) throw new Error('no store is open');
  return store;
}

/** Entries of term 1 whose data cannot be compressed and is known by index. */
function entriesOf(from: number, to: number, bytes: number): Entry[] {
  return Array.from({ length: to + 1 - from }, (_, i) => {
    const data = new Uint8Array(bytes);
    let x = from + i;
    for (let at = 0; at < bytes; at += 1) {
      x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
      data[at] = x >>> 24;
    }
    return makeEntry(from + i, 1, 'normal', 1_700_000_000_000, data, undefined);
  });
}

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: await work() };
  } catch (error) {
    if (RaftError.is(error)) return { code: error.code, message: error.message };
    throw error;
  }
}

async function append(options: AppendOptions): Promise<void> {
  const tell = (globalThis as unknown as { acknowledged?: (index: number) => Promise<void> }).acknowledged;
  let next = (await current().load()).lastIndex + 1;
  const last = next + options.count - 1;
  const writer = async (): Promise<void> => {
    while (next <= last) {
      const index = next;
      next += 1;
      const hardState = { term: 1, vote: 'me', commit: index - 1 };
      await current().write({ entries: entriesOf(index, index, options.bytes), hardState });
      await tell?.(index);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, writer));
}

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const harness: Harness = {
  suiteNames: suite.map(({ name }) => name),
  faults,
  runCase: async (place: number): Promise<string> => {
    try {
      await suite[place]?.run();
      return '';
    } catch (error) {
      return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    }
  },
  acquire: (request: Omit<AcquireRequest, 'onFault'>, options: IdbStorageOptions = {}) =>
    outcome(async () => {
      store = await provider(options).acquire({ ...request, onFault: ({ code }) => faults.push(code) });
      return store.identity;
    }),
  load: () =>
    outcome(async () => {
      const { hardState, firstIndex, lastIndex } = await current().load();
      return { term: hardState.term, commit: hardState.commit, firstIndex, lastIndex };
    }),
  append,
  write: (from: number, to: number, bytes: number) => outcome(() => current().write({ entries: entriesOf(from, to, bytes) })),
  verify: async (bytes: number): Promise<{ last: number; wrong: string }> => {
    const { firstIndex, lastIndex } = await current().load();
    const entries = lastIndex < firstIndex ? [] : await readAll(current(), firstIndex, lastIndex, 1_000_000);
    const wrong = entries.find((entry) => {
      const [expected] = entriesOf(entry.index, entry.index, bytes);
      return entry.data.join() !== expected?.data.join() || entry.term !== 1;
    });
    return { last: lastIndex, wrong: wrong === undefined ? '' : `entry ${wrong.index}` };
  },
  compact: (index: number) => outcome(() => current().compact(index)),
  estimate: () => current().estimate(),
  close: () => current().close(),
  wipe: () => current().wipe(),
  move: (room: string, nodeId: string, to: 'idb' | 'opfs') =>
    outcome(() => {
      const [idb, opfs] = [new IdbStorage(), new OpfsStorage({ worker: startWorker })];
      return moveStore(to === 'opfs' ? { from: idb, to: opfs, room, nodeId } : { from: opfs, to: idb, room, nodeId });
    }),
  keepKey: async () => {
    await current().identityKey.save(await crypto.subtle.generateKey(KEY_ALGORITHM, false, ['sign', 'verify']));
  },
  keySigns: async () => {
    const pair = await current().identityKey.load();
    if (pair === undefined) return false;
    const text = new Uint8Array([1, 2, 3]);
    return crypto.subtle.verify(
      KEY_ALGORITHM,
      pair.publicKey,
      await crypto.subtle.sign(KEY_ALGORITHM, pair.privateKey, text),
      text,
    );
  },
  killWorkers: () => {
    for (const worker of workers.splice(0)) worker.terminate();
  },
};

Object.assign(globalThis, { harness });
