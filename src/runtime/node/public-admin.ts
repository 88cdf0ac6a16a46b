/** What operators call: leadership, snapshots, the log in words, and why things are as they are. */

import { RaftError } from '../../core/errors.ts';
import type { Entry, NodeId } from '../../core/types.ts';
import { exportStore } from '../../storage/dump.ts';
import { encodeId } from '../../wire/bodies.ts';
import type {
  Admin,
  AutopilotTable,
  CallOptions,
  EntryInfo,
  Explanation,
  NodeMetadata,
  RecoveryPlan,
  SnapshotInfo,
  VerifyReport,
} from '../api/api.ts';
import { checkCallOptions } from '../api/call-options.ts';
import { DESCRIBE_RANGE_NAMES } from '../api/names.ts';
import { bestSuccessor } from '../duties/handover.ts';
import { clusterConfig } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireKnown } from '../ports/require-known.ts';
import { isAlive } from '../standing/quorum.ts';
import { assertRunning } from '../standing/standing.ts';
import type { ApplicationNode } from './application-node.ts';
import type { ConsensusNode } from './consensus-node.ts';
import { describeEntry } from './describe-entry.ts';
import { checkId } from './public-membership.ts';
import { Recovery } from './recovery.ts';

interface LogRange {
  readonly from?: number;
  readonly to?: number;
  readonly last?: number;
}

/** Entries described when no range is asked for, and at most. */
const DESCRIBED_DEFAULT = 50;
export const DESCRIBED_MAX = 10_000;
/** Bytes of log read for a description. */
const DESCRIBED_BYTES_MAX = 8 * 1024 * 1024;

/** What is done where consensus is. */
export class ConsensusAdmin implements Omit<Admin, 'verify' | 'describeLog'> {
  readonly #consensus: ConsensusNode;
  readonly #recovery: Recovery;

  constructor(consensus: ConsensusNode) {
    this.#consensus = consensus;
    this.#recovery = new Recovery(consensus);
  }

  requireMember(): Member {
    assertRunning(this.#consensus.standing);
    const { member } = this.#consensus;
    if (member === undefined) throw new RaftError('not-a-member', 'This node belongs to no cluster yet.');
    return member;
  }

  async transferLeadership(to?: NodeId, options: CallOptions = {}): Promise<NodeId> {
    checkCallOptions(options);
    if (to !== undefined) checkId(to);
    const consensus = this.#consensus;
    const member = this.requireMember();
    const from = consensus.leaderId;
    if (from === '') throw new RaftError('no-leader', 'There is no leader to take over from.');
    const target = to ?? bestSuccessor(consensus.standing, (id) => isAlive(consensus.standing, id));
    if (target === from) return target;
    if (!member.conf.voters.includes(target)) throw new RaftError('not-a-voter', `${target} is not a voter.`);
    if (member.isLeader) {
      consensus.duties.handover.transfer(target, options.timeoutMs ?? consensus.options.tuning.callTimeoutMs);
    } else {
      await this.#askLeader(from, target, options);
    }
    await consensus.waiters.until(() => consensus.leaderId !== '' && consensus.leaderId !== from, options);
    if (consensus.leaderId !== target)
      throw new RaftError('transfer-refused', `${consensus.leaderId} leads now, not ${target}.`, {
        leaderHint: consensus.leaderId,
      });
    return target;
  }

  #askLeader(leader: NodeId, target: NodeId, options: CallOptions): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#consensus.options.tuning.callTimeoutMs;
    return new Promise((resolve, reject) => {
      this.#consensus.peers.call(leader, 'transfer', encodeId(target), timeoutMs, ({ error }) =>
        error === undefined ? resolve() : reject(error),
      );
    });
  }

  async stepDown(options: CallOptions = {}): Promise<void> {
    checkCallOptions(options);
    if (!this.requireMember().isLeader) return;
    await this.transferLeadership(undefined, options);
  }

  async campaign(options: CallOptions = {}): Promise<boolean> {
    checkCallOptions(options);
    const consensus = this.#consensus;
    const member = this.requireMember();
    if (member.isLeader) return true;
    member.core.campaign();
    consensus.wake();
    const term = consensus.term;
    await consensus.waiters.until(
      () => consensus.leaderId !== '' && (member.isLeader || consensus.term > term || member.soft.role === 'follower'),
      options,
    );
    return member.isLeader;
  }

  async snapshot(options: CallOptions = {}): Promise<SnapshotInfo> {
    checkCallOptions(options);
    const member = this.requireMember();
    if (member.appliedIndex === 0)
      throw new RaftError('index-compacted', 'Nothing is applied yet: there is nothing to take a snapshot of.');
    return member.maker.takeNow(() => member.snapshotMeta());
  }

  async compact(upTo?: number): Promise<number> {
    if (upTo !== undefined) requireInteger('upTo', upTo, 0, Number.MAX_SAFE_INTEGER);
    const member = this.requireMember();
    return member.maker.compact(upTo ?? member.maker.snapshotIndex);
  }

  /** Of the log, as `describeLog` is asked for them. Errors: invalid-argument, and those of storage. */
  async logEntries(range: LogRange = {}): Promise<readonly Entry[]> {
    requireKnown('describeLog', range, DESCRIBE_RANGE_NAMES);
    for (const [name, value] of Object.entries(range))
      if (value !== undefined) requireInteger(name, value, 0, Number.MAX_SAFE_INTEGER);
    const member = this.requireMember();
    const end = member.view.lastIndex();
    const to = Math.min(range.to ?? end, end);
    const from = Math.max(
      member.view.firstIndex(),
      range.from ?? to + 1 - Math.min(range.last ?? DESCRIBED_DEFAULT, DESCRIBED_MAX),
    );
    if (from > to) return [];
    const until = Math.min(to, from + DESCRIBED_MAX - 1) + 1;
    const cached = member.view.peek(from, until, DESCRIBED_BYTES_MAX);
    return cached ?? (await this.#consensus.store.entries(from, until, DESCRIBED_BYTES_MAX));
  }

  async describeMetadata(): Promise<NodeMetadata> {
    const member = this.requireMember();
    const stored = await this.#consensus.store.snapshot();
    const snapshot =
      stored === undefined
        ? undefined
        : { index: stored.meta.index, term: stored.meta.term, bytes: stored.bytes, digest: stored.digest };
    return {
      hardState: member.hard,
      config: clusterConfig(member.conf, member.confVersion),
      snapshot,
      firstIndex: member.view.firstIndex(),
      lastIndex: member.view.lastIndex(),
    };
  }

  export(): AsyncIterable<Uint8Array> {
    this.requireMember();
    return exportStore(this.#consensus.store);
  }

  autopilot(): AutopilotTable | undefined {
    return this.#consensus.view.autopilot();
  }

  async planRecovery(): Promise<RecoveryPlan> {
    return this.#recovery.plan();
  }

  async recover(token: string): Promise<{ readonly epoch: number; readonly removed: readonly NodeId[] }> {
    return this.#recovery.confirm(token);
  }

  explain(): Explanation {
    return this.#consensus.view.explain();
  }
}

export class NodeAdmin extends ConsensusAdmin implements Admin {
  readonly #application: Pick<ApplicationNode, 'divergence' | 'state'>;

  constructor(consensus: ConsensusNode, application: Pick<ApplicationNode, 'divergence' | 'state'>) {
    super(consensus);
    this.#application = application;
  }

  async verify(options: CallOptions = {}): Promise<VerifyReport> {
    checkCallOptions(options);
    this.requireMember();
    return this.#application.divergence.verify(options);
  }

  async describeLog(range: LogRange = {}): Promise<readonly EntryInfo[]> {
    const entries = await this.logEntries(range);
    return entries.map((entry) => describeEntry(entry, this.#application.state.machine));
  }
}
