/** A real core under the loop that drives it, with a disk and a state machine that do what the test says, when it says it. */
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { makeConfig } from '../../src/core/config.ts';
import type { RaftError } from '../../src/core/errors.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import {
  type ConfState,
  type Entry,
  type Index,
  type Message,
  makeEntry,
  NO_BYTES,
  type SnapshotMeta,
} from '../../src/core/types.ts';
import { LogView } from '../../src/runtime/member/log-cache.ts';
import { Replica } from '../../src/runtime/member/replica.ts';
import type { Application } from '../../src/runtime/ports/seam.ts';
import type { LoadedState, NodeStore, WriteBatch } from '../../src/storage/storage.ts';

const conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const fail = (error: unknown): never => {
  throw error;
};

const NOTHING_LOADED: LoadedState = {
  cluster: undefined,
  hardState: { term: 0, vote: '', commit: 0 },
  firstIndex: 1,
  lastIndex: 0,
  snapshot: undefined,
  snapshotBytes: 0,
  tail: [],
  records: new Map(),
};

interface Behaviour {
  write?(batch: WriteBatch): Promise<void>;
  /** Before the snapshot in force is looked for. */
  read?(): Promise<void>;
  apply?(entry: Entry): void;
}

/** Node b, a follower of a. Its state machine is restored when `restored` is called. */
export class LoneReplica {
  /** `restore` and `apply 7`, in the order in which they happened. */
  readonly done: string[] = [];
  readonly confs: (readonly string[])[] = [];
  readonly faults: RaftError[] = [];
  readonly core: RawNode;
  readonly replica: Replica;
  readonly #restoring: (() => void)[] = [];

  constructor(behaviour: Behaviour = {}) {
    let stored: SnapshotMeta | undefined;
    const store = {
      write: async (batch: WriteBatch) => {
        await behaviour.write?.(batch);
        stored = batch.snapshot?.staged.meta ?? stored;
      },
      snapshot: async () => {
        await behaviour.read?.();
        return { meta: stored, chunks: () => [] };
      },
      term: () => undefined,
    } as unknown as NodeStore;
    const application: Application = {
      reset: () => Promise.resolve(),
      opened: () => {},
      installed: () => {},
      configured: () => {},
      caughtUp: () => {},
      snapshot: () => fail('no snapshot is taken'),
      proposed: () => {},
      confirmed: () => {},
      leaderChanged: () => {},
      halt: () => {},
      inherit: () => Promise.resolve(),
      flush: () => {},
      tick: () => {},
      stood: () => {},
      removed: () => {},
      stopping: () => {},
      ended: () => {},
      lastRecords: () => Promise.resolve(undefined),
      decide: () => Promise.resolve(),
      digest: (_peer, question) => Promise.resolve(question),
      client: () => fail('no client asks'),
      resyncFailed: () => {},
      restore: async () => {
        await new Promise<void>((resolve) => this.#restoring.push(resolve));
        this.done.push('restore');
      },
      committed: (entries) => {
        for (const entry of entries) {
          behaviour.apply?.(entry);
          this.done.push(`apply ${entry.index}`);
          this.replica.applied(entry.index);
        }
      },
    };
    const view = new LogView(store, NOTHING_LOADED, () => {}, fail);
    const config = makeConfig({ id: 'b', random: () => 0, checkInvariants: true });
    this.core = new RawNode(config, view, { hardState: NOTHING_LOADED.hardState, conf, applied: 0 });
    const ignore = (): void => {};
    const hooks: ConstructorParameters<typeof Replica>[0]['hooks'] = {
      send: ignore,
      onSoftState: ignore,
      onCommit: ignore,
      onConfig: ({ voters }) => this.confs.push(voters),
      onAppliedTo: ignore,
      onInstalled: ignore,
      wake: ignore,
      takeStaged: (meta) => ({ meta, bytes: 0, digest: '' }),
      onConflict: fail,
      onFault: (error) => this.faults.push(error),
    };
    this.replica = new Replica({ core: this.core, view, store, application, hooks }, 0);
  }

  async receive(message: Message): Promise<void> {
    this.replica.step(message);
    this.replica.pump();
    await turn();
  }

  /** Restores of the state machine that have begun and have not come to their end. */
  get restoresUnderWay(): number {
    return this.#restoring.length;
  }

  /** Restores of the state machine that have begun come to their end. */
  async restored(): Promise<void> {
    for (const end of this.#restoring.splice(0)) end();
    await turn();
  }
}

export function snapshot(index: Index): Message {
  return { type: 'snapshot-request', from: 'a', to: 'b', term: 1, snapshot: { index, term: 1, conf, data: undefined } };
}

/** Committed entries; `make` for those that are not empty. */
export function append(first: Index, last: Index, make: (index: Index) => Entry = emptyEntry): Message {
  const entries = Array.from({ length: last - first + 1 }, (_, i) => make(first + i));
  return { type: 'append-request', from: 'a', to: 'b', term: 1, prevIndex: first - 1, prevTerm: 1, commit: last, entries };
}

export function emptyEntry(index: Index): Entry {
  return makeEntry(index, 1, 'normal', 0, NO_BYTES, undefined);
}
