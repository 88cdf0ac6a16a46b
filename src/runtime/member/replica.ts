/**
 * The loop around the core: what it hands out is sent, persisted, applied, in the order the Ready contract
 * demands, and nothing that promises a write leaves before the write is durable (§3.8, §10.2).
 */
import { RaftError } from '../../core/errors.ts';
import type {
  ConfState,
  Entry,
  HardState,
  Index,
  Message,
  PersistMark,
  Ready,
  SnapshotMeta,
  SoftState,
} from '../../core/types.ts';
import type { NodeStore, StagedSnapshot, WriteBatch } from '../../storage/storage.ts';
import type { CoreNode } from '../ports/core-node.ts';
import type { Application } from '../ports/seam.ts';
import { rolesIn } from './configuration.ts';
import type { LogView } from './log-cache.ts';

/** What the loop tells the rest of the node. None of these may throw. */
export interface ReplicaHooks {
  send(message: Message): void;
  onSoftState(soft: SoftState): void;
  /** The term, the vote or what is committed has changed. */
  onCommit(commit: Index, hard: HardState | undefined): void;
  /** A membership change took effect, or could not (`error`); `index` is its entry's, or the snapshot's. */
  onConfig(conf: ConfState, index: Index, error: RaftError | undefined): void;
  /** After each run of applied entries. */
  onAppliedTo(index: Index): void;
  /** The leader's snapshot is durable and the state is the snapshot's. */
  onInstalled(meta: SnapshotMeta): void;
  /** Asks for a pump soon, after calls that were answered have had their chance to ask again. */
  wake(): void;
  /** A received snapshot, staged in storage, for a core that has accepted it. */
  takeStaged(meta: SnapshotMeta): StagedSnapshot | undefined;
  /** A leader contradicted what is committed here: the core goes on without it, and somebody should see it. */
  onConflict(error: RaftError): void;
  /** The write of this node failed, or its state machine cannot go on: the node must stop using this core. */
  onFault(error: RaftError): void;
}

/** A write handed to storage, and what waits for it. */
interface Write {
  readonly mark: PersistMark | undefined;
  readonly entries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly snapshot: SnapshotMeta | undefined;
  /** Of its snapshot, among all that were taken in; 0 without one. */
  readonly restore: number;
  done: boolean;
}

export interface ReplicaParts {
  readonly core: CoreNode;
  readonly view: LogView;
  readonly store: NodeStore;
  readonly application: Application;
  readonly hooks: ReplicaHooks;
}

export class Replica {
  readonly core: CoreNode;
  readonly #application: Application;
  readonly #view: LogView;
  readonly #store: NodeStore;
  readonly #hooks: ReplicaHooks;
  /** In the order handed out; each waits for those before it. Bounded by the core's limits on what is in flight. */
  readonly #writes: Write[] = [];
  /** A commit index that no write has carried yet. */
  #unwritten: HardState | undefined;
  /** Committed, waiting for a snapshot that is being restored. */
  #toApply: Entry[] = [];
  #restoring = false;
  /** Snapshots handed to storage so far; only when the last of them is restored does applying go on. */
  #restores = 0;
  #lastRestore: Promise<unknown> = Promise.resolve();
  #toldCommit: Index = 0;
  #pumping = false;
  #leads = false;
  /** Callers were answered: what they ask next shall go along with the commit index that the others are still to be told. */
  #resting = false;
  #stopped = false;
  #appliedTo: Index;
  /** Handed to the application, which has not applied all of it while this is greater than `appliedTo`. */
  #handedTo: Index;
  #applying = false;

  constructor(parts: ReplicaParts, applied: Index) {
    this.core = parts.core;
    this.#view = parts.view;
    this.#store = parts.store;
    this.#application = parts.application;
    this.#hooks = parts.hooks;
    this.#appliedTo = applied;
    this.#handedTo = applied;
  }

  get appliedIndex(): Index {
    return this.#appliedTo;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Callers were answered, and what they ask next has not been heard yet. */
  get isResting(): boolean {
    return this.#resting;
  }

  resume(): void {
    this.#resting = false;
  }

  /** Hands everything the core has ready to whoever must act on it. Call after every input. */
  pump(): void {
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    try {
      while (!this.#stopped && !this.#resting && this.core.hasReady()) this.#handle(this.core.ready());
    } catch (error) {
      this.fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  #handle(ready: Ready): void {
    if (ready.softState !== undefined) {
      this.#leads = ready.softState.role === 'leader';
      this.#hooks.onSoftState(ready.softState);
    }
    for (const message of ready.messages) this.#hooks.send(message);
    if (ready.mark !== undefined || ready.messagesAfterPersist.length > 0) this.#persist(ready);
    // What is stored may say more than is committed yet: a write that decides does so by being durable.
    if (ready.hardState !== undefined || ready.commitIndex !== this.#toldCommit) {
      this.#toldCommit = ready.commitIndex;
      this.#hooks.onCommit(ready.commitIndex, ready.hardState);
    }
    for (const read of ready.readStates) this.#application.confirmed(read);
    if (ready.committedEntries.length > 0) {
      for (const entry of ready.committedEntries) this.#toApply.push(entry);
      this.#applyWaiting();
    }
  }

  /** Starts the one write of a Ready; messages that promise it wait, behind all earlier writes too. */
  #persist(ready: Ready): void {
    const { mark, entries, snapshot } = ready;
    if (ready.hardState !== undefined) this.#unwritten = ready.hardState;
    // A new commit index alone is not worth a write: it goes with the next one. Losing it loses nothing (§3.8).
    const nothing = !ready.mustSync;
    // Counted from here: one that was handed over before may be restored while this one is still being written.
    if (snapshot !== undefined) this.#restores += 1;
    const restore = snapshot === undefined ? 0 : this.#restores;
    const write: Write = { mark, entries, messages: ready.messagesAfterPersist, snapshot, restore, done: nothing };
    this.#writes.push(write);
    if (nothing) return this.#drainWrites();
    if (snapshot !== undefined) this.#restoring = true;
    this.#store
      .write(this.#batchOf(ready))
      .then(() => {
        write.done = true;
        this.#drainWrites();
        this.pump();
      })
      .catch((error: unknown) => this.fail(error));
  }

  #batchOf(ready: Ready): WriteBatch {
    const { entries, snapshot } = ready;
    const hardState = this.#unwritten;
    this.#unwritten = undefined;
    // A write that decides by being durable is synced, whatever durability was asked for.
    const sync = (ready.mark?.commitWith ?? 0) > 0 ? true : undefined;
    if (snapshot === undefined) return sync === undefined ? { hardState, entries } : { hardState, entries, sync };
    const staged = this.#hooks.takeStaged(snapshot);
    if (staged === undefined)
      throw new RaftError('invariant', `Snapshot ${snapshot.index} was accepted without its state being stored.`);
    return { hardState, entries, snapshot: { staged, keepLogAfter: false } };
  }

  #drainWrites(): void {
    for (let write = this.#writes[0]; write?.done === true && !this.#stopped; write = this.#writes[0]) {
      this.#writes.shift();
      if (write.snapshot !== undefined) this.#install(write.snapshot, write.restore);
      this.#view.append(write.entries);
      if (write.mark !== undefined) this.core.persisted(write.mark);
      for (const message of write.messages) this.#deliver(message);
    }
  }

  #deliver(message: Message): void {
    if (message.to === message.from) this.step(message);
    else this.#hooks.send(message);
  }

  /** A message for the core, from itself or from a peer that has been verified. Refusals are not errors here. */
  step(message: Message): void {
    if (this.#stopped) return;
    try {
      this.core.step(message);
    } catch (error) {
      if (!RaftError.is(error) || error.code === 'invariant') this.fail(error);
      else if (error.code === 'log-conflict') this.#hooks.onConflict(error);
    }
  }

  /** The snapshot is durable: the machine becomes what it says; committed entries wait meanwhile. */
  #install(meta: SnapshotMeta, number: number): void {
    this.#view.reset(meta);
    this.#toApply = [];
    // One after the other: of two at once the older could end last, and bring an older state back.
    const restore = this.#lastRestore.then(() => (this.#stopped ? meta.index : this.restoreFromStore()));
    this.#lastRestore = restore.catch(() => undefined);
    // What was waiting is applied here too: an entry of a later build ends this node as it does anywhere else.
    restore
      .then((index) => {
        if (this.#stopped) return;
        // Also where a newer is about to be installed, or was stored and restored in its place: who looks sees a state and its own index.
        this.#appliedTo = index;
        if (number !== this.#restores) return;
        this.#restoring = false;
        this.#handedTo = meta.index;
        this.#application.installed(meta.index);
        this.#hooks.onInstalled(meta);
        this.#configure(meta.conf, meta.index, undefined);
        this.#tellApplied();
        this.#applyWaiting();
        this.pump();
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** Restores the machine from the snapshot in force, and tells its index. Errors: corrupt, version-mismatch. */
  async restoreFromStore(): Promise<Index> {
    const stored = await this.#store.snapshot();
    if (stored === undefined) throw new RaftError('corrupt', 'The snapshot that should be restored is missing.');
    await this.#application.restore(stored.chunks());
    return stored.meta.index;
  }

  /** The application has applied everything up to `index`: what it was handed, or a part of it. */
  applied(index: Index): void {
    if (this.#stopped || index <= this.#appliedTo) return;
    this.#appliedTo = index;
    if (this.#applying || this.#appliedTo < this.#handedTo) return;
    this.#finishRun();
    this.#applyWaiting();
    this.pump();
  }

  /** Hands over what is committed, run by run; a configuration change takes effect between two of them, in its place. */
  #applyWaiting(): void {
    if (this.#restoring || this.#applying || this.#toApply.length === 0 || this.#appliedTo < this.#handedTo) return;
    this.#applying = true;
    try {
      while (this.#toApply.length > 0 && !this.#stopped && this.#appliedTo === this.#handedTo) this.#applyRun();
    } finally {
      this.#applying = false;
    }
    if (!this.#stopped && this.#appliedTo === this.#handedTo) this.#finishRun();
  }

  #applyRun(): void {
    const change = this.#toApply.findIndex(({ type }) => type === 'conf');
    const length = change < 0 ? this.#toApply.length : change;
    // A snapshot restored meanwhile covers its first entries: applying one again would do it twice.
    const covered = this.#toApply.findIndex(({ index }) => index > this.#appliedTo);
    const run = covered < 0 ? [] : this.#toApply.slice(covered, length);
    const entry = change < 0 ? undefined : this.#toApply[change];
    const last = run.at(-1);
    if (last !== undefined) {
      this.#toApply = this.#toApply.slice(length);
      this.#handedTo = last.index;
      return this.#application.committed(run);
    }
    this.#toApply = this.#toApply.slice(length + 1);
    if (entry === undefined || entry.index <= this.#appliedTo) return;
    if (entry.change !== undefined) {
      const { conf, error } = this.core.applyConfChange(entry.change);
      this.#configure(conf, entry.index, error);
    }
    this.#handedTo = entry.index;
    this.#appliedTo = entry.index;
  }

  #configure(conf: ConfState, index: Index, error: RaftError | undefined): void {
    this.#application.configured(index, conf.context, rolesIn(conf));
    this.#hooks.onConfig(conf, index, error);
  }

  #tellApplied(): void {
    this.#hooks.onAppliedTo(this.#appliedTo);
    this.#application.caughtUp(this.#appliedTo);
  }

  #finishRun(): void {
    this.core.applied(this.#appliedTo);
    this.#tellApplied();
    if (!this.#leads) return;
    this.#resting = true;
    this.#hooks.wake();
  }

  /** This node must stop using the core; told once. */
  fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const coded = RaftError.is(error)
      ? error
      : new RaftError('invariant', `The node stopped itself: ${String(error)}`, { cause: error });
    this.#hooks.onFault(coded);
  }
}
