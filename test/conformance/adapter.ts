/** Our core behind the interface of the conformance harness. Where we differ on purpose, the option is turned off. */

import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { allVoters } from '../../src/core/conf/conf-state.ts';
import { makeConfig } from '../../src/core/config.ts';
import { RaftError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { ProgressStatus } from '../../src/core/status.ts';
import {
  type ConfState,
  type Entry,
  type HardState,
  NO_LIMIT,
  type PersistMark,
  type Ready,
  type Role,
} from '../../src/core/types.ts';
import type * as H from './harness.ts';
import { MemoryLog } from './memory-log.ts';
import { messageIn, messageOut, snapshotIn, snapshotOut } from './messages.ts';
import { bytesOf, changeOf, confIn, confOut, encodedBytes, entryIn, entryOut, idOf, numberOf } from './texts.ts';

const ROLES: Readonly<Record<Role, H.Role>> = {
  follower: 'StateFollower',
  'pre-candidate': 'StatePreCandidate',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
};
const STATES = { probe: 'StateProbe', replicate: 'StateReplicate', snapshot: 'StateSnapshot' } as const;

/** Messages that a node only ever gives itself. */
const LOCAL = ['MsgHup', 'MsgBeat', 'MsgUnreachable', 'MsgSnapStatus', 'MsgCheckQuorum', 'MsgStorageAppend', 'MsgStorageApply'];

class CodedError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

interface Disk {
  readonly hardState: HardState;
  readonly base: MemoryLog['base'];
  readonly kept: readonly Entry[];
  readonly latest: MemoryLog['latest'];
}

export function createNode(options: H.NodeOptions): ConformanceNode {
  return new ConformanceNode(options);
}

class ConformanceNode {
  readonly #log = new MemoryLog(encodedBytes);
  readonly #node: RawNode;
  readonly #async: boolean;
  readonly #id: number;
  #hard: HardState;

  constructor(options: H.NodeOptions) {
    this.#id = options.id;
    this.#async = options.asyncStorageWrites;
    if (options.disk !== undefined) this.#load(options.disk as Disk);
    else if (options.bootstrap !== undefined) {
      this.#log.latest = snapshotIn(options.bootstrap);
      this.#log.restore(this.#log.latest);
    }
    this.#node = new RawNode(configFor(options), this.#log, {
      hardState: this.#log.hardState,
      conf: confFor(options),
      applied: options.applied,
    });
    const { term, vote, commitIndex } = this.#node.status();
    this.#hard = { term, vote, commit: commitIndex };
  }

  #load({ hardState, base, kept, latest }: Disk): void {
    this.#log.hardState = hardState;
    this.#log.base = base;
    this.#log.kept = [...kept];
    this.#log.latest = latest;
  }

  tick(): void {
    this.#node.tick();
  }

  campaign(): void {
    this.#node.campaign();
  }

  propose(text: string): void {
    dropped(this.#node.propose([bytesOf(text)]).ok);
  }

  proposeConfChange(change: H.ProposedChange): void {
    dropped(this.#node.proposeConfChange(changeOf(change)).ok);
  }

  applyConfChange(entry: H.Entry): H.ConfState {
    const { change } = entryIn(entry);
    if (change === undefined) throw new Error('not a configuration change');
    return confOut(this.#node.applyConfChange(change).conf);
  }

  step(message: H.Message): void {
    if (message.type === 'MsgStorageAppendResp') this.#node.persisted(message.raw as PersistMark);
    else if (message.type === 'MsgStorageApplyResp') this.#applied(message.entries);
    else if (message.type === 'MsgForgetLeader') this.#node.forgetLeader();
    else if (LOCAL.includes(message.type)) throw new CodedError('local-msg');
    else {
      const ours = messageIn(message);
      if (ours === undefined) throw new Error(`no such message: ${message.type}`);
      const outcome = this.#node.step(ours);
      dropped(outcome === undefined || outcome.ok);
    }
  }

  #applied(entries: readonly H.Entry[]): void {
    const last = entries[entries.length - 1];
    if (last !== undefined) this.#node.applied(last.index);
  }

  hasReady(): boolean {
    return this.#node.hasReady();
  }

  ready(): H.Ready {
    const ready = this.#node.ready();
    const { softState, hardState, snapshot } = ready;
    // There a snapshot alone does not ask for a synchronous write.
    const rising = hardState !== undefined && (hardState.term !== this.#hard.term || hardState.vote !== this.#hard.vote);
    if (hardState !== undefined) this.#hard = hardState;
    return {
      softState: softState && { lead: numberOf(softState.leader), role: ROLES[softState.role] },
      hardState: hardState && { term: hardState.term, vote: numberOf(hardState.vote), commit: hardState.commit },
      readStates: ready.readStates.map(({ index, context }) => ({ index, ctx: context })),
      entries: ready.entries.map(entryOut),
      snapshot: snapshot && snapshotOut(snapshot),
      committedEntries: ready.committedEntries.map(entryOut),
      messages: this.#async ? this.#asyncMessages(ready) : this.#messages(ready),
      mustSync: ready.entries.length > 0 || rising,
      raw: ready,
    };
  }

  #messages(ready: Ready): H.Message[] {
    const after = ready.messagesAfterPersist.filter(({ to, from }) => to !== from);
    return [...ready.messages, ...after].map(messageOut);
  }

  /** The two storage threads are peers there, and their work messages to them. */
  #asyncMessages(ready: Ready): H.Message[] {
    const messages = ready.messages.map(messageOut);
    const { mark, hardState, snapshot } = ready;
    const blank = { term: 0, logTerm: 0, index: 0, commit: 0, vote: 0, reject: false, rejectHint: 0, entries: [], responses: [] };
    if (mark !== undefined) {
      const responses = ready.messagesAfterPersist.map(messageOut);
      if (mark.index > 0 || mark.snapshotIndex > 0) {
        responses.push({
          ...blank,
          type: 'MsgStorageAppendResp',
          from: 'append',
          to: this.#id,
          term: mark.term,
          logTerm: mark.logTerm,
          index: mark.index,
          snapshot: snapshot && snapshotOut(snapshot),
          raw: mark,
        });
      }
      messages.push({
        ...blank,
        type: 'MsgStorageAppend',
        from: this.#id,
        to: 'append',
        term: hardState?.term ?? 0,
        commit: hardState?.commit ?? 0,
        vote: numberOf(hardState?.vote ?? ''),
        entries: ready.entries.map(entryOut),
        snapshot: snapshot && snapshotOut(snapshot),
        responses,
      });
    }
    if (ready.committedEntries.length > 0) {
      const entries = ready.committedEntries.map(entryOut);
      const response: H.Message = { ...blank, type: 'MsgStorageApplyResp', from: 'apply', to: this.#id, entries };
      messages.push({ ...blank, type: 'MsgStorageApply', from: this.#id, to: 'apply', entries, responses: [response] });
    }
    return messages;
  }

  advance(): void {
    this.#node.advance();
  }

  status(): H.NodeStatus {
    const status = this.#node.status();
    const { conf } = status;
    return {
      id: this.#id,
      role: ROLES[status.role],
      term: status.term,
      lead: numberOf(status.leader),
      voters: allVoters(conf).map(numberOf),
      progress: new Map(status.progress.map((progress) => [numberOf(progress.id), progressOut(progress)])),
      commit: status.commitIndex,
      applied: status.appliedIndex,
      incoming: conf.voters.map(numberOf),
      outgoing: conf.votersOutgoing.map(numberOf),
      members: [...new Set([...conf.voters, ...conf.votersOutgoing, ...conf.learners])].map(numberOf),
    };
  }

  reportUnreachable(id: number): void {
    this.#node.reportUnreachable(idOf(id));
  }

  reportSnapshot(id: number, ok: boolean): void {
    this.#node.reportSnapshot(idOf(id), ok);
  }

  transferLeader(id: number): void {
    this.#node.transferLeader(idOf(id));
  }

  forgetLeader(): void {
    this.#node.forgetLeader();
  }

  readIndex(context: string): void {
    this.#node.readIndex(context);
  }

  setRandomizedElectionTimeout(ticks: number): void {
    this.#node.setElectionTimeout(ticks);
  }

  unappliedConfChange(): boolean {
    return this.#node.hasUnappliedConfChange();
  }

  saveHardState({ term, vote, commit }: H.HardState): void {
    this.#log.hardState = { term, vote: idOf(vote), commit };
  }

  saveEntries(entries: readonly H.Entry[]): void {
    this.#log.append(entries.map(entryIn));
  }

  saveSnapshot(snapshot: H.Snapshot): void {
    this.#log.restore(snapshotIn(snapshot));
    this.setLatestSnapshot(snapshot);
  }

  setLatestSnapshot(snapshot: H.Snapshot): void {
    this.#log.latest = snapshotIn(snapshot);
  }

  compact(index: number): void {
    this.#log.compact(index);
  }

  logEntries(): { first: number; last: number; entries: H.Entry[] } {
    return { first: this.#log.firstIndex(), last: this.#log.lastIndex(), entries: this.#log.kept.map(entryOut) };
  }

  persisted(): H.HardState {
    const { term, vote, commit } = this.#log.hardState;
    return { term, vote: numberOf(vote), commit };
  }

  disk(_applied: number): unknown {
    const { hardState, base, kept, latest } = this.#log;
    const disk: Disk = { hardState, base, kept: [...kept], latest };
    return disk;
  }
}

function dropped(taken: boolean): void {
  if (!taken) throw new CodedError('proposal-dropped');
}

function confFor({ confState, bootstrap }: H.NodeOptions): ConfState {
  const conf = confState ?? bootstrap?.confState;
  return conf === undefined ? EMPTY_CONF : confIn(conf);
}

function progressOut(progress: ProgressStatus): H.Progress {
  return {
    state: STATES[progress.state],
    match: progress.matchIndex,
    next: progress.nextIndex,
    learner: progress.learner,
    paused: progress.paused,
    pendingSnapshot: progress.pendingSnapshot,
    recentActive: progress.recentActive,
    inflight: progress.inflightMessages,
    inflightFull: progress.inflightFull,
  };
}

function configFor(options: H.NodeOptions): ReturnType<typeof makeConfig> {
  const unlimited = (limit: number | undefined): number | undefined => limit && Math.min(limit, NO_LIMIT);
  const maxAppendBytes = options.maxSizePerMessage === undefined ? NO_LIMIT : Math.min(options.maxSizePerMessage, NO_LIMIT);
  return makeConfig({
    id: idOf(options.id),
    random: seededRandom(options.id),
    electionTicks: options.electionTick,
    heartbeatTicks: options.heartbeatTick,
    preVote: options.preVote,
    checkQuorum: options.checkQuorum,
    validateConfChanges: !options.disableConfChangeValidation,
    asyncStorageWrites: options.asyncStorageWrites,
    readMode: options.readOnly === 'lease-based' ? 'lease-unchecked' : 'safe',
    maxInflightMessages: Math.min(options.maxInflightMessages, NO_LIMIT),
    maxInflightBytes: NO_LIMIT,
    maxAppendBytes,
    maxAppendEntries: NO_LIMIT,
    maxUncommittedBytes: NO_LIMIT,
    maxCommittedBytes: unlimited(options.maxCommittedSizePerReady) || Math.max(1, maxAppendBytes),
    maxEntryBytes: NO_LIMIT,
    maxReads: NO_LIMIT,
    entryBytes: encodedBytes,
    snapshotTimeoutTicks: 0,
    compat: {
      batchAppends: false,
      batchReads: false,
      recheckReads: false,
      singleVoterReadsWait: false,
      commitInVotes: false,
      durableTermFirst: false,
      explicitRefusals: false,
      checkAcknowledgements: false,
      stepDownOnRemoval: options.stepDownOnRemoval,
    },
    // Off unless asked for: transcripts hand in messages that no correct node sends.
    checkInvariants: process.env['TABRAFT_CHECK'] === '1',
  });
}

export { RaftError };
