/** One node of the cluster, as the environment drives it: inputs in, a Ready out. Nothing happens between two calls. */
import { assert, broken } from './assert.ts';
import { brokenConf, isMember } from './conf/conf-state.ts';
import { type Config, type ElectionTimeoutRange, validateRange } from './config.ts';
import { RaftError } from './errors.ts';
import { Invariants } from './invariants.ts';
import { RaftLog } from './log/raft-log.ts';
import { Outbox } from './outbox.ts';
import type { AloneOutcome, ApplyConfOutcome, AskOutcome, ProposeOutcome } from './outcome.ts';
import type { Progress } from './progress/progress.ts';
import { aloneDurable, goAlone, maybeSeal } from './protocol/alone.ts';
import { tryCampaign } from './protocol/election.ts';
import { snapshotReported } from './protocol/install-snapshot.ts';
import { answersAtOnce, bindsVoters, guardLease, voidLease } from './protocol/lease.ts';
import { applyConfChange, maybeLeaveJoint } from './protocol/membership.ts';
import { proposeChange, proposeData, releaseUncommitted } from './protocol/propose.ts';
import { type Farewell, giveProxyVote, hardStateAtStart, retryProxyCampaign } from './protocol/proxy-vote.ts';
import { askRead } from './protocol/read-index.ts';
import { sendAppend } from './protocol/replicate.ts';
import { becomeFollower, drawElectionTimeout, forgetLeader, restartElectionTimer, setElectionTimeout } from './protocol/roles.ts';
import { isSettled } from './protocol/settled.ts';
import { askTransfer } from './protocol/transfer.ts';
import { ReadyMaker } from './ready.ts';
import type { Raft } from './state.ts';
import type { Status } from './status.ts';
import { statusOf } from './status-of.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import {
  type ConfChange,
  type ConfState,
  type HardState,
  type Index,
  type LogReader,
  type Message,
  NO_NODE,
  type NodeId,
  type PersistMark,
  type Ready,
} from './types.ts';
import type { Writable } from './writable.ts';

/** What a node starts with: as stored, all zero and empty for one that is new. */
export interface InitialState {
  readonly hardState: HardState;
  /** The configuration as of `applied`. */
  readonly conf: ConfState;
  /** The last entry whose effect is in the machine. */
  readonly applied: Index;
}

type Own = Writable<
  Raft,
  'timeMs' | 'priority' | 'checkQuorum' | 'electionMinTicks' | 'electionMaxTicks' | 'durableTerm' | 'outcome'
>;

export class RawNode {
  readonly #raft: Raft;
  readonly #maker: ReadyMaker;
  readonly #invariants: Invariants | undefined;
  /** Without asynchronous writes: the Ready that `advance` has not completed yet. */
  #open: Ready | undefined = undefined;

  /** Errors: corrupt, when what is stored does not fit together; storage, when it cannot be read. */
  constructor(config: Config, reader: LogReader, initial: InitialState) {
    this.#raft = makeRaft(config, reader, initial);
    this.#maker = new ReadyMaker(this.#raft, initial.hardState);
    this.#invariants = config.checkInvariants ? new Invariants(this.#raft) : undefined;
  }

  get id(): NodeId {
    return this.#raft.id;
  }

  /** One unit of time has passed. */
  tick(): void {
    if (this.#raft.ended) return;
    tick(this.#raft);
    this.#check();
  }

  /** The environment's clock, in ms since the epoch: stamped on what this node appends as leader from now on. */
  setTime(ms: number): void {
    const own: Own = this.#raft;
    own.timeMs = ms;
  }

  /**
   * A message arrived. For a proposal: what became of it. Errors: peer-not-found, for an answer of somebody who is not in
   * the configuration; log-conflict, when a leader contradicts what is committed here: the node goes on without it;
   * invariant, when the algorithm was broken in this node: it must stop.
   */
  step(message: Message): ProposeOutcome | undefined {
    const raft = this.#raft;
    if (raft.ended) return undefined;
    const { role } = raft;
    let member: Progress | undefined;
    if (isAnswer(message)) {
      // A leader follows exactly the members.
      if (role.name === 'leader') member = role.members.get(message.from);
      if (role.name === 'leader' ? member === undefined : !isMember(raft.conf, message.from)) {
        throw new RaftError('peer-not-found', `${message.type} from ${message.from}, who is not in the configuration`);
      }
    }
    const own: Own = raft;
    own.outcome = undefined;
    step(raft, message, member);
    this.#check();
    return raft.outcome;
  }

  /** Starts an election now, if this node may hold one. */
  campaign(): void {
    if (this.#raft.ended) return;
    tryCampaign(this.#raft, this.#raft.config.preVote ? 'pre' : 'election');
    this.#check();
  }

  /** Commands, each to its own entry, all in one append. */
  propose(data: readonly Uint8Array[]): ProposeOutcome {
    const outcome = proposeData(this.#raft, data);
    this.#check();
    return outcome;
  }

  proposeConfChange(change: ConfChange): ProposeOutcome {
    const outcome = proposeChange(this.#raft, change);
    this.#check();
    return outcome;
  }

  /** For each committed `conf` entry, before `applied` is told past it. Never throws: what cannot be done changes nothing. */
  applyConfChange(change: ConfChange): ApplyConfOutcome {
    const outcome = applyConfChange(this.#raft, change);
    this.#check();
    return outcome;
  }

  /** Asks for a linearizable read; `context` comes back in a ReadState. */
  readIndex(context: string): AskOutcome {
    const outcome = askRead(this.#raft, context);
    this.#check();
    return outcome;
  }

  transferLeader(target: NodeId): AskOutcome {
    const outcome = askTransfer(this.#raft, target);
    this.#check();
    return outcome;
  }

  /**
   * Leader of two: the other voter is gone, and this one goes on without it. What it commits from then on is kept on one
   * device. It takes effect when the next write is durable.
   */
  goAlone(): AloneOutcome {
    const outcome = goAlone(this.#raft);
    this.#check();
    return outcome;
  }

  /**
   * Leader, when its page ends: chooses one of these, which a link leads to, the preferred first, and leaves it the vote
   * of the next term. The messages are to be sent in this order, on the lane of appends; whatever else happens, nothing
   * else leaves this node from now on, and it takes nothing in. undefined: nobody can take it, and everything goes on.
   */
  giveProxyVote(candidates: readonly NodeId[]): Farewell | undefined {
    const farewell = giveProxyVote(this.#raft, candidates);
    this.#check();
    return farewell;
  }

  /** The link to the leader is known to be gone. Refused (false) under lease reads: the lease promised otherwise. */
  forgetLeader(): boolean {
    if (bindsVoters(this.#raft)) return false;
    forgetLeader(this.#raft);
    this.#check();
    return true;
  }

  /** What was sent to it lately is probably lost. */
  reportUnreachable(id: NodeId): void {
    const { role } = this.#raft;
    const progress = role.name === 'leader' ? role.members.get(id) : undefined;
    if (progress?.state === 'replicate') progress.becomeProbe();
    this.#check();
  }

  /** A snapshot that was sent has arrived there, or is known not to have. */
  reportSnapshot(id: NodeId, arrived: boolean): void {
    const { role } = this.#raft;
    const progress = role.name === 'leader' ? role.members.get(id) : undefined;
    if (progress !== undefined) snapshotReported(this.#raft, progress, arrived);
    this.#check();
  }

  /** Whether this leader may answer reads without asking anybody (§6.4.1). */
  inLease(): boolean {
    const { role } = this.#raft;
    return role.name === 'leader' && answersAtOnce(this.#raft, role);
  }

  /** A snapshot under way has got further: it is not lost. */
  reportSnapshotProgress(id: NodeId): void {
    const { role } = this.#raft;
    const progress = role.name === 'leader' ? role.members.get(id) : undefined;
    if (progress !== undefined) progress.snapshotMoved();
  }

  hasReady(): boolean {
    return this.#maker.pending;
  }

  /** Takes what is to be done. Without asynchronous writes `advance` has to follow before the next. */
  ready(): Ready {
    assert(this.#open === undefined, 'two Readys without advance');
    const ready = this.#maker.take();
    if (!this.#raft.config.asyncStorageWrites) this.#open = ready;
    this.#check();
    return ready;
  }

  /** The write of that mark is durable. Marks come back in the order of their Readys, or not at all. */
  persisted(mark: PersistMark): void {
    const raft = this.#raft;
    const stale = mark.term < raft.term;
    if (raft.durableTerm < mark.term) {
      const own: Own = raft;
      own.durableTerm = mark.term;
    }
    // Of an earlier term: what stands at these indexes by now may be something else (§10.2.1 and an index rewritten twice).
    if (!stale && mark.index > 0) raft.log.unstable.stableTo(mark.index, mark.logTerm);
    if (raft.trace !== undefined) raft.trace({ kind: 'persist', index: mark.index, term: mark.logTerm, stale });
    if (mark.commitWith !== undefined && mark.commitWith > 0) aloneDurable(raft, mark.commitWith);
    if (mark.snapshotIndex > 0) this.#snapshotPersisted(mark.snapshotIndex);
    this.#check();
  }

  /** The machine has taken in everything up to `index`. */
  applied(index: Index): void {
    const raft = this.#raft;
    if (index > raft.log.committed) broken(`applied ${index} past commit ${raft.log.committed}`);
    const payload = raft.log.applyWindow.appliedTo(index);
    if (raft.trace !== undefined) raft.trace({ kind: 'apply', index });
    if (raft.role.name === 'leader') {
      if (payload > 0) releaseUncommitted(raft.role, payload);
      maybeLeaveJoint(raft, raft.role);
      maybeSeal(raft, raft.role);
    } else if (raft.proxy !== undefined && !raft.ended) {
      retryProxyCampaign(raft);
    }
    this.#check();
  }

  /** Without asynchronous writes: everything the last Ready asked for is done. */
  advance(): void {
    const ready = this.#open;
    assert(ready !== undefined, 'advance without a Ready');
    this.#open = undefined;
    for (const message of ready.messagesAfterPersist) if (message.to === this.#raft.id) step(this.#raft, message, undefined);
    if (ready.mark !== undefined) this.persisted(ready.mark);
    const last = ready.committedEntries[ready.committedEntries.length - 1];
    if (last !== undefined) this.applied(last.index);
    this.#check();
  }

  /** Entries that were `unavailable` can be read now. */
  onEntriesFetched(): void {
    const { role, log } = this.#raft;
    log.entriesFetched();
    if (role.name === 'leader')
      for (const progress of role.members.all) if (progress.entriesFetched()) sendAppend(this.#raft, progress);
    this.#check();
  }

  /**
   * Time went by unseen: a frozen tab, a sleeping machine. Leases are void; who led, and slept for an election timeout or
   * longer, has been replaced for all it knows, unless its pair is settled; who followed hears its messages first, before it thinks of an election.
   */
  resumeAfterPause(missedTicks: number): void {
    const raft = this.#raft;
    if (raft.role.name === 'leader') {
      voidLease(raft.role);
      if (missedTicks >= raft.config.electionTicks && !isSettled(raft, raft.role))
        becomeFollower(raft, raft.term, NO_NODE, 'slept');
    } else {
      restartElectionTimer(raft);
    }
    this.#check();
  }

  setPriority(priority: number): void {
    const own: Own = this.#raft;
    own.priority = priority;
  }

  setCheckQuorum(on: boolean): void {
    if (!on && bindsVoters(this.#raft)) throw new RaftError('invalid-argument', 'lease reads need checkQuorum');
    const own: Own = this.#raft;
    own.checkQuorum = on;
  }

  /** Takes effect at once, with a newly drawn timeout. Errors: invalid-argument. */
  setElectionTimeoutRange(range: ElectionTimeoutRange): void {
    validateRange(range, this.#raft.config.electionTicks);
    const own: Own = this.#raft;
    own.electionMinTicks = range.minTicks;
    own.electionMaxTicks = range.maxTicks;
    drawElectionTimeout(this.#raft);
  }

  /** For tests and simulation: the timeout of this period, as if it had been drawn. */
  setElectionTimeout(ticks: number): void {
    setElectionTimeout(this.#raft, ticks);
  }

  /** A committed entry that is not applied yet changes the configuration; no election is held until it is. */
  hasUnappliedConfChange(): boolean {
    return this.#raft.log.hasUnappliedConfChange();
  }

  status(): Status {
    return statusOf(this.#raft);
  }

  #snapshotPersisted(index: Index): void {
    const { log } = this.#raft;
    log.unstable.stableSnapshotTo(index);
    log.applyWindow.skipTo(index);
  }

  #check(): void {
    if (this.#invariants !== undefined) this.#invariants.check();
  }
}

function isAnswer({ type }: Message): boolean {
  return (
    type === 'append-response' || type === 'heartbeat-response' || type === 'vote-response' || type === 'read-index-response'
  );
}

function makeRaft(config: Config, reader: LogReader, { hardState, conf, applied }: InitialState): Raft {
  const broken = brokenConf(conf);
  if (broken !== undefined) throw new RaftError('corrupt', `stored configuration: ${broken}`);
  const log = new RaftLog(reader, {
    entryBytes: config.entryBytes,
    maxCommittedBytes: config.maxCommittedBytes,
    applyUnstable: !config.asyncStorageWrites,
  });
  if (applied > log.last) throw new RaftError('corrupt', `applied ${applied} past the end of the stored log (${log.last})`);
  // The commit index is not always written in time, and may be written before the entries: both ends are bounded.
  log.commitTo(Math.min(Math.max(hardState.commit, applied), log.last));
  log.applyWindow.skipTo(applied);
  const started = hardStateAtStart(config, hardState);
  const range = config.electionTimeoutRange;
  const raft: Raft = {
    config,
    id: config.id,
    trace: config.trace,
    term: started.term,
    vote: started.vote,
    role: { name: 'follower', leader: NO_NODE },
    durableTerm: hardState.term,
    contradictedTerm: 0,
    log,
    prevConf: undefined,
    alone: undefined,
    proxy: undefined,
    ended: false,
    conf,
    electionElapsed: 0,
    heartbeatElapsed: 0,
    electionTimeout: 0,
    electionMinTicks: range === undefined ? config.electionTicks : range.minTicks,
    electionMaxTicks: range === undefined ? 2 * config.electionTicks : range.maxTicks,
    checkQuorum: config.checkQuorum,
    priority: config.priority,
    leaseGuardTicks: 0,
    timeMs: 0,
    outbox: new Outbox(),
    readStates: [],
    waitingReads: [],
    outcome: undefined,
  };
  guardLease(raft);
  drawElectionTimeout(raft);
  return raft;
}
