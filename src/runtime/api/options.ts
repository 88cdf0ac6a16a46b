/** What a node is opened with, and the ranges in which every number must lie. */
import { RaftError } from '../../core/errors.ts';
import type { TraceSink } from '../../core/trace.ts';
import type { NodeId } from '../../core/types.ts';
import type { Signaling } from '../../signaling/signaling.ts';
import type { BootWitness, StorageProvider } from '../../storage/storage.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Access } from '../../trust/access.ts';
import type { Authorize } from '../../trust/authorize.ts';
import type { TrustGate } from '../../trust/links/gate.ts';
import { CALL_BODY_BYTES_MAX, MESSAGE_BYTES_MAX } from '../../wire/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { requireInteger } from '../ports/require-integer.ts';
import type { Crossing } from '../ports/seam.ts';
import type { RecordOptions } from '../record/recording.ts';
import type { TuningOptions, WantedSuffrage } from './api.ts';

/**
 * `enter` founds the room's cluster when it is fresh, else joins it; the others refuse what is not theirs:
 * `create` a room that has a cluster, `join` one that has none, `open` where this device holds no identity of it.
 */
export type EntryMode = 'enter' | 'create' | 'join' | 'open';

export interface NodeOptions {
  readonly room: string;
  readonly mode: EntryMode;
  readonly storage: StorageProvider;
  readonly transport: Transport;
  readonly signaling: Signaling;
  readonly clock: Clock;
  /**
   * How this node comes into the room: the proof is then under every link, and ids are keys. Undefined only where links cannot be
   * reached by strangers (simulation, tests of one part).
   */
  readonly access?: Access | undefined;
  /** Made of `access` when the node is opened. */
  readonly gate?: TrustGate | undefined;
  /** Who may do what beyond the roles: the same on every member, asked by the leader and again by each that applies. */
  readonly authorize?: Authorize | undefined;
  /** A name for people, shown in panels and kept in the configuration. At most 64 characters. */
  readonly name: string;
  /** `voter`: joins as a learner and is promoted when caught up. `learner`: stays one. */
  readonly suffrage: WantedSuffrage;
  /** Elections prefer members of a higher priority. 0 to 100. */
  readonly priority: number;
  /** The identity this tab held before a reload. */
  readonly preferred: NodeId | undefined;
  /** Identities of this device that vote, as far as is known: taken up before others. */
  readonly favoured?: readonly NodeId[] | undefined;
  /**
   * What to do when what this device stored cannot be read: `rejoin` (default) leaves it where it is and joins as a new
   * node, which takes the old one's vote; `refuse` rejects with `corrupt`.
   */
  readonly onCorrupt?: 'rejoin' | 'refuse' | undefined;
  /** Kept apart from the storage: finds an older copy of it that came back. */
  readonly bootWitness?: BootWitness | undefined;
  /** The identity in whose place this node comes. */
  readonly replaces?: NodeId | undefined;
  /** What proves that it may: made of the lost identity's key when the node is opened. */
  readonly succession?: Uint8Array | undefined;
  readonly tuning: TuningOptions;
  /** Who votes is decided by the leader, by these numbers. Default: AUTOPILOT_DEFAULTS. */
  readonly autopilot?: AutopilotOptions | undefined;
  /** How many shall vote in a cluster that this node founds. Default: 3. */
  readonly votersTarget?: number | undefined;
  /** In a cluster that this node founds: commands are refused (`no-quorum`) where fewer voters than this hold them before they are acknowledged. Default: 1. */
  readonly minCopies?: number | undefined;
  /** Names the device: of the voters of one device the autopilot makes one. '' for one of its own. At most 64 characters. */
  readonly device?: string | undefined;
  /** It does not go when a page is closed, and votes before those that do. */
  readonly lasting?: boolean | undefined;
  /**
   * It stores and votes, but leads only where fewer than three vote: of more it stands for election when nobody else can be elected, and
   * hands the office over. Of a pair it rather leads, because only a leader may go on alone when the other is gone.
   */
  readonly reluctant?: boolean | undefined;
  /** Records what the core is told, from its opening on (RaftNode.record). */
  readonly record?: RecordOptions | undefined;
  /** How consensus and application meet. Default: in one thread. */
  readonly crossing?: Crossing | undefined;
  /** Sees what the core does, and makes it check itself after every input: for tests and simulation. */
  readonly inspect?: { readonly trace: TraceSink; readonly checkInvariants: boolean } | undefined;
}

/** Times in ms. */
export interface AutopilotOptions {
  /** Off: voters are made and unmade by hand only. */
  readonly enabled: boolean;
  /** At most one vote per device, as soon as there is more than one device. */
  readonly oneVoterPerDevice: boolean;
  /** A learner must have been heard for so long before it votes; twice as long where its vote makes the number even. */
  readonly settleMs: number;
  /** A voter that is silent for so long is replaced; longer where silences end by themselves, up to `silentMsMax`. */
  readonly silentMs: number;
  readonly silentMsMax: number;
  /** A learner that stays away for so long is forgotten. */
  readonly forgetMs: number;
  /** The same where there are more than `membersCrowded` members. */
  readonly forgetCrowdedMs: number;
  readonly membersCrowded: number;
  /** Between two changes: newcomers that ask meanwhile are taken in together. */
  readonly intervalMs: number;
  /** Between two moves of leadership to a better voter, and from the start of one leadership to its first. */
  readonly moveMs: number;
  /** A leader that is slowed down (hidden, saving, late) for so long hands over to a voter that has not been for as long. */
  readonly calmMs: number;
}

export const AUTOPILOT_DEFAULTS: AutopilotOptions = {
  enabled: true,
  oneVoterPerDevice: true,
  settleMs: 1_000,
  silentMs: 6_000,
  silentMsMax: 60_000,
  forgetMs: 7 * 24 * 60 * 60 * 1000,
  forgetCrowdedMs: 60_000,
  membersCrowded: 32,
  intervalMs: 1_000,
  moveMs: 10_000,
  calmMs: 5_000,
};

/** Inclusive bounds of each number, by name. */
const AUTOPILOT_RANGES: Readonly<
  Record<Exclude<keyof AutopilotOptions, 'enabled' | 'oneVoterPerDevice'>, readonly [min: number, max: number]>
> = {
  settleMs: [0, 3_600_000],
  silentMs: [100, 3_600_000],
  silentMsMax: [100, 24 * 3_600_000],
  forgetMs: [1_000, 365 * 24 * 3_600_000],
  forgetCrowdedMs: [1_000, 365 * 24 * 3_600_000],
  membersCrowded: [2, 1_024],
  intervalMs: [0, 3_600_000],
  moveMs: [0, 3_600_000],
  calmMs: [0, 3_600_000],
};
/** Voters that a cluster may have as its target. */
export const MIN_COPIES_RANGE: readonly [min: number, max: number] = [1, 5];
export const VOTERS_TARGET_RANGE: readonly [min: number, max: number] = [1, 9];

/** Fills in what is missing. Errors: invalid-argument. */
export function resolveAutopilot(given: Partial<AutopilotOptions> = {}): AutopilotOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(AUTOPILOT_DEFAULTS, name))
      throw new RaftError('invalid-argument', `There is no autopilot option named ${name}.`);
  }
  const options: AutopilotOptions = { ...AUTOPILOT_DEFAULTS, ...given };
  for (const name of ['enabled', 'oneVoterPerDevice'] as const) {
    if (typeof options[name] !== 'boolean')
      throw new RaftError('invalid-argument', `autopilot.${name} is true or false, got ${String(options[name])}.`);
  }
  for (const [name, [min, max]] of Object.entries(AUTOPILOT_RANGES)) {
    requireInteger(`autopilot.${name}`, options[name as keyof typeof AUTOPILOT_RANGES], min, max);
  }
  requireInteger('autopilot.silentMsMax', options.silentMsMax, options.silentMs, AUTOPILOT_RANGES.silentMsMax[1]);
  return options;
}

export const TUNING_DEFAULTS: TuningOptions = {
  electionTimeoutMs: [750, 1500],
  heartbeatMs: 150,
  snapshotEveryEntries: 10_000,
  keepEntries: 2_000,
  inflightMessagesMax: 64,
  appendBytesMax: 256 * 1024,
  commandBytesMax: 1024 * 1024,
  callTimeoutMs: 10_000,
  pendingCallsMax: 10_000,
  sessionTtlMs: 24 * 60 * 60 * 1000,
  sessionsMax: 4_096,
  digestEveryEntries: 1_000,
  leaseReads: false,
};

/** Envelopes, entries and ids around commands in a message, in bytes, at the most. */
const AROUND_BYTES_MAX: number = 64 * 1024;

/** Inclusive bounds of each number, by name. */
const RANGES: Readonly<
  Record<Exclude<keyof TuningOptions, 'electionTimeoutMs' | 'leaseReads'>, readonly [min: number, max: number]>
> = {
  heartbeatMs: [5, 60_000],
  snapshotEveryEntries: [1, 100_000_000],
  keepEntries: [0, 100_000_000],
  inflightMessagesMax: [1, 100_000],
  // What one message can carry, less what goes around it.
  appendBytesMax: [1, MESSAGE_BYTES_MAX - AROUND_BYTES_MAX],
  commandBytesMax: [1, CALL_BODY_BYTES_MAX - AROUND_BYTES_MAX],
  callTimeoutMs: [1, 3_600_000],
  pendingCallsMax: [1, 1_000_000],
  sessionTtlMs: [1_000, 365 * 24 * 60 * 60 * 1000],
  sessionsMax: [1, 1_000_000],
  digestEveryEntries: [0, 100_000_000],
};

/** Fills in what is missing and refuses what cannot work, saying the range allowed. Errors: invalid-argument. */
export function resolveTuning(given: Partial<TuningOptions> = {}): TuningOptions {
  const tuning: TuningOptions = { ...TUNING_DEFAULTS, ...given };
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(TUNING_DEFAULTS, name))
      throw new RaftError('invalid-argument', `There is no tuning option named ${name}.`);
  }
  for (const [name, [min, max]] of Object.entries(RANGES)) {
    requireInteger(`tuning.${name}`, tuning[name as keyof typeof RANGES], min, max);
  }
  const [low, high] = tuning.electionTimeoutMs;
  requireInteger('tuning.electionTimeoutMs[0]', low, 10, 600_000);
  requireInteger('tuning.electionTimeoutMs[1]', high, low, 1_200_000);
  if (tuning.heartbeatMs * 2 > low) {
    throw new RaftError(
      'invalid-argument',
      `tuning.heartbeatMs must be at most half of electionTimeoutMs[0] (${low} ms), got ${tuning.heartbeatMs}.`,
    );
  }
  return tuning;
}
