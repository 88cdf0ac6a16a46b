/** Collects what the environment has to do, and takes it as handed out. The contract is at the type `Ready`. */
import { flushAppends, wantsAppends } from './protocol/replicate.ts';
import { leaderOf, type Raft } from './state.ts';
import type { Entry, HardState, PersistMark, ReadState, Ready, SnapshotMeta, SoftState } from './types.ts';

const NO_READS: readonly ReadState[] = Object.freeze([]);

export class ReadyMaker {
  readonly #raft: Raft;
  /** What the last Ready said. */
  #soft: SoftState;
  #hard: HardState;
  /** The mark of a write after which nothing waits to become durable: the same one for a whole term, since it never changes. */
  #idleMark: PersistMark = { term: 0, index: 0, logTerm: 0, snapshotIndex: 0, commitWith: 0 };

  /** `stored`: as it is on the disk; the node may have started past it. */
  constructor(raft: Raft, stored: HardState) {
    this.#raft = raft;
    this.#soft = softState(raft);
    this.#hard = { term: stored.term, vote: stored.vote, commit: raft.log.committed };
  }

  get pending(): boolean {
    const raft = this.#raft;
    const { log, role } = raft;
    if (raft.ended) return false;
    return (
      !raft.outbox.empty ||
      log.hasNewEntries ||
      log.hasCommittedEntries ||
      raft.readStates.length > 0 ||
      this.#hardChanged() ||
      this.#softChanged() ||
      (log.unstable.snapshot !== undefined && !log.unstable.snapshotInProgress) ||
      (role.name === 'leader' && wantsAppends(role))
    );
  }

  take(): Ready {
    const raft = this.#raft;
    const { log, role, outbox } = raft;
    const committedEntries = log.committedEntries();
    if (role.name === 'leader') {
      // A leader that this Ready may remove has no later append to tell the commit index with.
      const leadsOn = role.pendingConfIndex <= log.applyWindow.applying;
      flushAppends(raft, role, leadsOn && committedEntries.length > 0);
      role.reads.close();
    }
    const hardChanged = this.#hardChanged();
    // Losing a commit index loses nothing, unless it is the one that decides.
    const deciding = raft.alone !== undefined && this.#hard.commit < raft.alone.index;
    const rising = deciding || this.#hard.term !== raft.term || this.#hard.vote !== raft.vote;
    if (hardChanged) this.#hard = hardState(raft);
    const softChanged = this.#softChanged();
    if (softChanged) this.#soft = softState(raft);
    const snapshot = log.unstable.snapshotInProgress ? undefined : log.unstable.snapshot;
    const entries = log.newEntries();
    const messagesAfterPersist = outbox.takeAfterPersist();
    const writes = hardChanged || snapshot !== undefined || entries.length > 0 || messagesAfterPersist.length > 0;
    const ready: Ready = {
      softState: softChanged ? this.#soft : undefined,
      hardState: hardChanged ? this.#hard : undefined,
      commitIndex: log.committed,
      snapshot,
      entries,
      committedEntries,
      messages: outbox.takeNow(),
      messagesAfterPersist,
      readStates: raft.readStates.length > 0 ? raft.readStates.splice(0) : NO_READS,
      mustSync: entries.length > 0 || rising || snapshot !== undefined,
      mark: writes ? this.#mark(snapshot) : undefined,
    };
    log.unstable.handedOut();
    if (committedEntries.length > 0) this.#applying(committedEntries);
    return ready;
  }

  #applying(entries: readonly Entry[]): void {
    const { log, role } = this.#raft;
    const payload = role.name === 'leader' ? payloadSince(entries, role.since) : 0;
    log.applyWindow.handedOut(entries, log.runBytes(entries), payload, log.appliable);
  }

  /** Names the end of what was handed out to be written, also when this write carries none of it: earlier marks may be void. */
  #mark(snapshot: SnapshotMeta | undefined): PersistMark {
    const { log, term, alone } = this.#raft;
    const commitWith = alone === undefined ? 0 : alone.index;
    const snapshotIndex = snapshot === undefined ? 0 : snapshot.index;
    if (log.unstable.count > 0) return { term, index: log.last, logTerm: log.lastTerm, snapshotIndex, commitWith };
    if (snapshotIndex > 0 || commitWith > 0) return { term, index: 0, logTerm: 0, snapshotIndex, commitWith };
    if (this.#idleMark.term !== term) this.#idleMark = { term, index: 0, logTerm: 0, snapshotIndex: 0, commitWith: 0 };
    return this.#idleMark;
  }

  #hardChanged(): boolean {
    const { term, vote } = this.#raft;
    return this.#hard.commit !== commitToStore(this.#raft) || this.#hard.term !== term || this.#hard.vote !== vote;
  }

  #softChanged(): boolean {
    return this.#soft.role !== this.#raft.role.name || this.#soft.leader !== leaderOf(this.#raft);
  }
}

/** Earlier leaders' entries were never counted. */
function payloadSince(entries: readonly Entry[], since: number): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as Entry;
    if (entry.index >= since) bytes += entry.data.length;
  }
  return bytes;
}

function softState(raft: Raft): SoftState {
  return { leader: leaderOf(raft), role: raft.role.name };
}

function hardState(raft: Raft): HardState {
  return { term: raft.term, vote: raft.vote, commit: commitToStore(raft) };
}

/** As long as a commit index waits to become true, every write carries it: none may take it back. */
function commitToStore({ log, alone }: Raft): number {
  return alone === undefined ? log.committed : Math.max(log.committed, alone.index);
}
