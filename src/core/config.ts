/** What a node can be told about how to run the algorithm. Nothing here is replicated. */
import { type Compat, makeCompat } from './compat.ts';
import { isNodeId } from './conf/node-id.ts';
import { RaftError } from './errors.ts';
import * as limits from './limits.ts';
import type { RandomSource } from './random.ts';
import type { TraceSink } from './trace.ts';
import { type Entry, NO_LIMIT, type NodeId } from './types.ts';

/** Election timeouts are drawn from [minTicks, maxTicks). */
export interface ElectionTimeoutRange {
  readonly minTicks: number;
  readonly maxTicks: number;
}

/**
 * `safe`: every read is confirmed by a round of heartbeats (§6.4). `lease`: a leader that heard a quorum less than an
 * election timeout ago answers at once (§6.4.1); void after a pause. `lease-unchecked`: a leader always answers at
 * once, as etcd-io/raft does in lease mode; only for comparison with it. `lease-on-request`: keeps a lease that the
 * environment asks about (`inLease`) for the readers that want it; every read asked of the core is confirmed by a round.
 */
export type ReadMode = 'safe' | 'lease' | 'lease-on-request' | 'lease-unchecked';

export interface Config {
  readonly id: NodeId;
  /** Where election timeouts come from. */
  readonly random: RandomSource;

  /** Ticks of silence until a node may think the leader gone; also how long check-quorum and a transfer wait. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** undefined: [electionTicks, 2 * electionTicks). */
  readonly electionTimeoutRange: ElectionTimeoutRange | undefined;
  /** Ask before raising the term (§9.6). */
  readonly preVote: boolean;
  /** A leader that does not hear a quorum steps down, and voters that hear their leader refuse candidates (§6.2, §4.2.3). */
  readonly checkQuorum: boolean;
  /** A voter refuses a candidate of lower priority than its own, unless that has the longer log. */
  readonly priority: number;
  /** The leader of two may go on alone, if it has proof that nobody else can have been elected: docs/CORE.md, "The last voter". */
  readonly goesAlone: boolean;
  /**
   * A leader that goes may leave its vote of the next term to its successor. So a node that may have led starts in the
   * next term, with its vote spent: every build that may open the store must do so.
   */
  readonly proxyVotes: boolean;

  readonly maxAppendBytes: number;
  readonly maxAppendEntries: number;
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  readonly maxUncommittedBytes: number;
  readonly maxCommittedBytes: number;
  readonly maxEntryBytes: number;
  /** What an entry counts for in maxAppendBytes and maxCommittedBytes. Must be positive. */
  readonly entryBytes: (entry: Entry) => number;
  /** Tell followers of a new commit index at once; otherwise with the next append or heartbeat. */
  readonly broadcastCommit: boolean;
  /** The environment writes while the node goes on: entries are applied only once they are durable here. */
  readonly asyncStorageWrites: boolean;
  /** A snapshot nobody reports on is taken for lost after so many ticks; 0: never. */
  readonly snapshotTimeoutTicks: number;
  /** Proposals that reach a follower go on to the leader. */
  readonly forwardProposals: boolean;
  /** A change that cannot be applied is refused when it is proposed. */
  readonly validateConfChanges: boolean;

  readonly readMode: ReadMode;
  readonly maxReads: number;

  /** Where it differs from etcd-io/raft: only for comparison with it. */
  readonly compat: Compat;

  /** State and change of state are checked after every input: for tests and simulation. */
  readonly checkInvariants: boolean;
  readonly trace: TraceSink | undefined;
}

export type ConfigInput = Pick<Config, 'id' | 'random'> &
  Partial<Omit<Config, 'compat'>> & { readonly compat?: Partial<Compat> | undefined };

/** Fills in the defaults and checks the ranges. Errors: invalid-argument, naming the option and what is allowed. */
export function makeConfig(input: ConfigInput): Config {
  const electionTicks = input.electionTicks ?? limits.ELECTION_TICKS;
  const config: Config = {
    electionTicks,
    heartbeatTicks: limits.HEARTBEAT_TICKS,
    electionTimeoutRange: undefined,
    preVote: true,
    checkQuorum: true,
    priority: 0,
    goesAlone: false,
    proxyVotes: false,
    maxAppendBytes: limits.APPEND_BYTES_MAX,
    maxAppendEntries: limits.APPEND_ENTRIES_MAX,
    maxInflightMessages: limits.INFLIGHT_MESSAGES_MAX,
    maxInflightBytes: limits.INFLIGHT_BYTES_MAX,
    maxUncommittedBytes: limits.UNCOMMITTED_BYTES_MAX,
    maxCommittedBytes: limits.COMMITTED_BYTES_MAX,
    maxEntryBytes: limits.ENTRY_BYTES_MAX,
    entryBytes: defaultEntryBytes,
    broadcastCommit: true,
    asyncStorageWrites: true,
    snapshotTimeoutTicks: electionTicks * limits.SNAPSHOT_TIMEOUT_ELECTIONS,
    forwardProposals: true,
    validateConfChanges: true,
    readMode: 'safe',
    maxReads: limits.READS_MAX,
    checkInvariants: false,
    trace: undefined,
    ...input,
    compat: makeCompat(input.compat),
  };
  validate(config);
  return config;
}

export function defaultEntryBytes(entry: Entry): number {
  return entry.data.length + limits.ENTRY_OVERHEAD_BYTES;
}

const COUNTS = [
  ['electionTicks', 2, 1_000_000],
  ['heartbeatTicks', 1, 1_000_000],
  ['priority', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['maxAppendBytes', 0, NO_LIMIT],
  ['maxAppendEntries', 1, NO_LIMIT],
  ['maxInflightMessages', 1, NO_LIMIT],
  ['maxInflightBytes', 1, NO_LIMIT],
  ['maxUncommittedBytes', 1, NO_LIMIT],
  ['maxCommittedBytes', 1, NO_LIMIT],
  ['maxEntryBytes', 1, NO_LIMIT],
  ['snapshotTimeoutTicks', 0, NO_LIMIT],
  ['maxReads', 1, NO_LIMIT],
] as const;

function validate(config: Config): void {
  if (!isNodeId(config.id)) {
    throw new RaftError(
      'invalid-argument',
      `id: must be 1 to ${limits.NODE_ID_CHARS_MAX} characters, none of them a control character`,
    );
  }
  for (const [name, min, max] of COUNTS) {
    const value = config[name];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new RaftError('invalid-argument', `${name}: ${value} is not a whole number from ${min} to ${max}`);
    }
  }
  if (config.heartbeatTicks >= config.electionTicks) {
    throw new RaftError('invalid-argument', `heartbeatTicks: must be below electionTicks (${config.electionTicks})`);
  }
  if (config.electionTimeoutRange !== undefined) validateRange(config.electionTimeoutRange, config.electionTicks);
  if (config.proxyVotes && !config.compat.durableTermFirst) {
    throw new RaftError(
      'invalid-argument',
      'proxyVotes: needs compat.durableTermFirst, so that a raised term is not spoken in too early',
    );
  }
  if (config.readMode !== 'safe' && !config.checkQuorum) {
    throw new RaftError('invalid-argument', 'readMode: lease reads need checkQuorum');
  }
}

/** Errors: invalid-argument. */
export function validateRange(range: ElectionTimeoutRange, electionTicks: number): void {
  const { minTicks, maxTicks } = range;
  const whole = Number.isSafeInteger(minTicks) && Number.isSafeInteger(maxTicks);
  if (!whole || minTicks < electionTicks || maxTicks <= minTicks) {
    throw new RaftError(
      'invalid-argument',
      `electionTimeoutRange: must be whole ticks with electionTicks (${electionTicks}) <= minTicks < maxTicks`,
    );
  }
}
