/** What a case of the storage suite works with: a room of its own, and assertions that need no framework. */
import { collected } from '../../codec/join.ts';
import { RaftError, type RaftErrorCode } from '../../core/errors.ts';
import { type Entry, makeEntry, NO_BYTES, type SnapshotMeta } from '../../core/types.ts';
import { randomId } from '../../storage/identity.ts';
import type { AcquireRequest, NodeStore, StorageProvider, StoredSnapshot } from '../../storage/storage.ts';

export interface Context {
  readonly room: string;
  /** Takes an identity of the case's room. */
  acquire(request?: Partial<AcquireRequest>): Promise<NodeStore>;
  /** Closes the store and opens it again as the next process would. */
  reopen(store: NodeStore): Promise<NodeStore>;
  /** What the provider that was asked last reads of an identity's key pair; undefined where it has no `leftKey`. */
  readonly leftKey: ((nodeId: string) => Promise<CryptoKeyPair | undefined>) | undefined;
}
export type SuiteCase = readonly [name: string, body: (context: Context) => Promise<void>];

export class StorageContext implements Context {
  readonly room: string = `suite ${randomId()}`;
  readonly #open: () => StorageProvider | Promise<StorageProvider>;
  readonly #stores: NodeStore[] = [];
  #provider: StorageProvider | undefined = undefined;

  constructor(open: () => StorageProvider | Promise<StorageProvider>) {
    this.#open = open;
  }

  readonly acquire = async (request: Partial<AcquireRequest> = {}): Promise<NodeStore> => {
    this.#provider ??= await this.#open();
    const store = await this.#provider.acquire({ room: this.room, ...request });
    this.#stores.push(store);
    return store;
  };

  readonly reopen = async (store: NodeStore): Promise<NodeStore> => {
    await store.close();
    this.#provider = undefined;
    const again = await this.acquire({ preferred: store.identity.nodeId });
    equal(again.identity.nodeId, store.identity.nodeId, 'the identity after reopening');
    return again;
  };

  get leftKey(): ((nodeId: string) => Promise<CryptoKeyPair | undefined>) | undefined {
    const provider = this.#provider;
    return provider?.leftKey === undefined ? undefined : async (nodeId) => provider.leftKey?.(this.room, nodeId);
  }

  /** Leaves nothing behind, also after a failed case. */
  async end(): Promise<void> {
    for (const store of this.#stores) await store.wipe().catch(() => undefined);
  }
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export function equal<T>(actual: T, expected: T, what: string): void {
  const [a, e] = [text(actual), text(expected)];
  if (a !== e) throw new Error(`${what}: expected ${e}, got ${a}`);
}

/** Plain data as text in which bytes, maps and undefined are told apart. */
function text(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => {
    if (v instanceof Uint8Array) return `bytes ${v.length > 64 ? `${v.length}:${v.slice(0, 32).join()}` : v.join()}`;
    if (v instanceof Map) return [...v];
    return v === undefined ? 'undefined' : v;
  });
}

export async function fails(work: () => Promise<unknown>, code: RaftErrorCode, what: string): Promise<void> {
  try {
    await work();
  } catch (error) {
    check(RaftError.is(error, code), `${what}: expected the code ${code}, got ${String(error)}`);
    return;
  }
  throw new Error(`${what}: expected ${code}, but it succeeded`);
}

/** Entries of one term with data that names them, padded to `bytes`. */
export function entriesOf(from: number, to: number, term: number, bytes = 8): Entry[] {
  const entries: Entry[] = [];
  for (let index = from; index <= to; index += 1) {
    const data = new Uint8Array(bytes).fill(index % 251);
    new DataView(data.buffer).setUint32(0, index);
    entries.push(makeEntry(index, term, 'normal', 1_700_000_000_000 + index, data, undefined));
  }
  return entries;
}

export function metaAt(index: number, term: number): SnapshotMeta {
  const members = [{ id: 'a', context: new Uint8Array([1, 2, 3]) }];
  const conf = {
    voters: ['a', 'b'],
    votersOutgoing: ['a'],
    learners: ['c'],
    learnersNext: [],
    witnesses: ['b'],
    autoLeave: true,
    members,
    context: new Uint8Array([255, 0]),
  };
  return { index, term, conf, data: index % 2 === 0 ? new Uint8Array([9]) : undefined };
}

/** Every entry of the log, read in pieces. */
export async function readAll(store: NodeStore, from: number, to: number, bytesMax = 4096): Promise<Entry[]> {
  const all: Entry[] = [];
  while (from + all.length <= to) {
    const some = await store.entries(from + all.length, to + 1, bytesMax);
    check(some.length > 0, `reading at ${from + all.length} of ${to} gave nothing`);
    all.push(...some);
  }
  return all;
}

export async function readSnapshot(snapshot: StoredSnapshot | undefined, from = 0): Promise<Uint8Array> {
  const all = await collected(snapshot?.chunks(from) ?? []);
  return all.length === 0 ? NO_BYTES : all;
}
