/** The bodies of calls between runtimes: encoded here, checked here. Errors of every decoder: message-invalid. */
import { pack, unpack } from '../codec/pack.ts';
import { isNodeId } from '../core/conf/node-id.ts';
import { RaftError } from '../core/errors.ts';
import { CHANGE_STEPS_MAX } from '../core/limits.ts';
import { type ConfChangeOp, type ConfChangeStep, type ConfChangeTransition, NO_NODE, type NodeId } from '../core/types.ts';
import { TOKEN_CHARS_MAX } from './limits.ts';

/** Commands of one forwarded proposal. */
export const PROPOSE_COUNT_MAX = 8_192;
/** Members of one introduction. */
export const INTRODUCED_MAX = 1_024;

export interface ChangeRequest {
  readonly steps: readonly ConfChangeStep[];
  readonly transition: ConfChangeTransition;
  /** Only if the configuration in force is this version; 0 for any. */
  readonly ifVersion: number;
}

export interface JoinRequest {
  /** Whether it is one, and the context short enough, is judged where it is answered: with config-invalid. */
  readonly nodeId: NodeId;
  readonly context: Uint8Array;
  /** The invite that it has proven to hold, as the member says that asks for it; '' or missing for none. */
  readonly inviteId?: string;
  /** Of a member that asks for somebody who knew the room's secret: how often that had been changed; 0 or missing for never. */
  readonly secretEpoch?: number;
}
/** Who belongs to the cluster, as a member says. */
export interface Introduction {
  /** Index of the configuration. */
  readonly version: number;
  readonly term: number;
  readonly voters: readonly NodeId[];
  /** Those that do not vote. */
  readonly others: readonly NodeId[];
}

export interface JoinReply {
  readonly clusterId: string;
  readonly epoch: number;
  /** Undefined from a build that tells none. */
  readonly introduction: Introduction | undefined;
}

/** What a node is doing; `removed` and `stopped` are for good. */
export type NodeRole = 'leader' | 'candidate' | 'pre-candidate' | 'follower' | 'learner' | 'removed' | 'stopped';

/** What slows a node down, or does not: for choosing who votes and who leads. */
export interface Surroundings {
  /** Its storage has almost no room left. */
  readonly shortOfSpace: boolean;
  /** Its page is hidden: its timers and its network may be held back. */
  readonly hidden: boolean;
  /** Its device saves power or data. */
  readonly saving: boolean;
  /** Its ticks come late: it has more to do than it can. */
  readonly late: boolean;
  /** It does not go when a page is closed. */
  readonly lasting: boolean;
  /** Of three or more voters the others should rather lead. */
  readonly reluctant: boolean;
}

/** In the order of their bits. A build that knows the first only takes any other number for "not short". */
const SURROUNDINGS: readonly (keyof Surroundings)[] = ['shortOfSpace', 'hidden', 'saving', 'late', 'lasting', 'reluctant'];

/** The bits from here on are a number more. */
const SURROUNDINGS_END = 2 ** 8;
/** Voters that may fail, at the most, as a report tells. */
const TOLERANCE_MAX = 1_024;

/** What a node tells another of itself: for panels and for routing, never for safety. */
export interface PeerReport extends Surroundings {
  readonly role: NodeRole;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly last: number;
  readonly leaderId: NodeId;
  /** Of a leader that hears a majority: how many more voters may fail. */
  readonly failureTolerance: number | undefined;
  /** Index of the configuration in force there; 0 from a build that does not tell. */
  readonly confVersion: number;
  /** Told to who knows an older configuration. */
  readonly introduction: Introduction | undefined;
}

const OPS: readonly ConfChangeOp[] = ['voter', 'learner', 'witness', 'remove', 'update'];
const TRANSITIONS: readonly ConfChangeTransition[] = ['auto', 'implicit', 'explicit'];
const ROLES: readonly NodeRole[] = ['leader', 'candidate', 'pre-candidate', 'follower', 'learner', 'removed', 'stopped'];

export function encodeProposal(data: readonly Uint8Array[]): Uint8Array {
  return pack(data);
}

/** The commands are copies: the link's buffer is not held by the log. */
export function decodeProposal(body: Uint8Array): Uint8Array[] {
  return list(unpack(body), PROPOSE_COUNT_MAX).map((item) => bytes(item).slice());
}

export function encodeChange(change: ChangeRequest): Uint8Array {
  const steps = change.steps.map((step) => [OPS.indexOf(step.op), step.id, step.context ?? null]);
  return pack([steps, TRANSITIONS.indexOf(change.transition), change.ifVersion]);
}

export function decodeChange(body: Uint8Array): ChangeRequest {
  const [steps, transition, ifVersion] = list(unpack(body), 3);
  return {
    steps: list(steps, CHANGE_STEPS_MAX).map((item) => {
      const [op, id, context] = list(item, 3);
      return { op: oneOf(OPS, op), id: text(id), context: context === null ? undefined : bytes(context).slice() };
    }),
    transition: oneOf(TRANSITIONS, transition),
    ifVersion: integer(ifVersion),
  };
}

export function encodeJoin(request: JoinRequest): Uint8Array {
  const { nodeId, context, inviteId = '', secretEpoch = 0 } = request;
  // As it was before either was known, where there is neither.
  if (secretEpoch > 0) return pack([nodeId, context, inviteId, secretEpoch]);
  return pack(inviteId === '' ? [nodeId, context] : [nodeId, context, inviteId]);
}

export function decodeJoin(body: Uint8Array): JoinRequest {
  const [nodeId, context, inviteId = '', secretEpoch = 0] = list(unpack(body), 4);
  const request = { nodeId: text(nodeId), context: bytes(context).slice(), ...(inviteId !== '' && { inviteId: text(inviteId) }) };
  return secretEpoch === 0 ? request : { ...request, secretEpoch: integer(secretEpoch) };
}

export function encodeJoinReply(reply: JoinReply): Uint8Array {
  const { clusterId, epoch, introduction } = reply;
  return pack(introduction === undefined ? [clusterId, epoch] : [clusterId, epoch, introductionParts(introduction)]);
}

export function decodeJoinReply(body: Uint8Array): JoinReply {
  const [clusterId, epoch, introduction] = list(unpack(body), 3);
  return { clusterId: text(clusterId), epoch: integer(epoch), introduction: introductionFrom(introduction) };
}

export function encodeReport(report: PeerReport): Uint8Array {
  const { role, term, commit, applied, last, leaderId, confVersion, introduction } = report;
  const tolerance = report.failureTolerance === undefined ? 0 : report.failureTolerance + 1;
  const flags = SURROUNDINGS.reduce((bits, name, bit) => bits + (report[name] ? 2 ** bit : 0), tolerance * SURROUNDINGS_END);
  const parts = [ROLES.indexOf(role), term, commit, applied, last, leaderId, flags, confVersion];
  return pack(introduction === undefined ? parts : [...parts, introductionParts(introduction)]);
}

export function decodeReport(body: Uint8Array): PeerReport {
  const [role, term, commit, applied, last, leaderId, bits, confVersion, introduction] = list(unpack(body), 9);
  const flags = integer(bits);
  const tolerance = Math.min(Math.floor(flags / SURROUNDINGS_END), TOLERANCE_MAX);
  const has = (name: keyof Surroundings): boolean => Math.floor(flags / 2 ** SURROUNDINGS.indexOf(name)) % 2 === 1;
  return {
    role: oneOf(ROLES, role),
    term: integer(term),
    commit: integer(commit),
    applied: integer(applied),
    last: integer(last),
    leaderId: leaderId === NO_NODE ? NO_NODE : nodeIdIn(leaderId),
    failureTolerance: tolerance === 0 ? undefined : tolerance - 1,
    shortOfSpace: has('shortOfSpace'),
    hidden: has('hidden'),
    saving: has('saving'),
    late: has('late'),
    lasting: has('lasting'),
    reluctant: has('reluctant'),
    confVersion: confVersion === undefined ? 0 : integer(confVersion),
    introduction: introductionFrom(introduction),
  };
}

/** Told to a newcomer that cannot be taken in: no majority is heard. */
export interface QuorumReport {
  readonly alive: number;
  readonly need: number;
  readonly missing: readonly MissingVoter[];
}

interface MissingVoter {
  readonly id: NodeId;
  readonly name: string;
  readonly how: 'left' | 'silent' | 'stopped';
  readonly forMs: number;
}

const HOWS: readonly MissingVoter['how'][] = ['left', 'silent', 'stopped'];

export function encodeQuorumReport({ alive, need, missing }: QuorumReport): Uint8Array {
  return pack([alive, need, missing.map(({ id, name, how, forMs }) => [id, name, HOWS.indexOf(how), forMs])]);
}

export function decodeQuorumReport(body: Uint8Array): QuorumReport {
  const [alive, need, missing] = list(unpack(body), 3);
  return {
    alive: integer(alive),
    need: integer(need),
    missing: list(missing, INTRODUCED_MAX).map((item) => {
      const [id, name, how, forMs] = list(item, 4);
      return { id: nodeIdIn(id), name: text(name), how: oneOf(HOWS, how), forMs: integer(forMs) };
    }),
  };
}

function introductionParts({ version, term, voters, others }: Introduction): readonly unknown[] {
  return [version, term, voters, others];
}

function introductionFrom(value: unknown): Introduction | undefined {
  if (value === undefined) return undefined;
  const [version, term, voters, others] = list(value, 4);
  return {
    version: integer(version),
    term: integer(term),
    voters: list(voters, INTRODUCED_MAX).map(nodeIdIn),
    others: list(others, INTRODUCED_MAX).map(nodeIdIn),
  };
}

export function encodeIndex(index: number): Uint8Array {
  return pack(index);
}

export function decodeIndex(body: Uint8Array): number {
  return integer(unpack(body));
}

export function encodeId(id: NodeId): Uint8Array {
  return pack(id);
}

export function decodeId(body: Uint8Array): NodeId {
  return nodeIdIn(unpack(body));
}

function invalid(what: string): RaftError {
  return new RaftError('message-invalid', `A call carries ${what}.`);
}

function list(value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw invalid('a list that is none, or too long');
  return value;
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid('bytes that are none');
  return value;
}

function nodeIdIn(value: unknown): NodeId {
  if (!isNodeId(value)) throw invalid('a node id that is none');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value.length > TOKEN_CHARS_MAX) throw invalid('a text that is none, or too long');
  return value;
}

function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid('a number that is no count');
  return value;
}

function oneOf<T>(values: readonly T[], at: unknown): T {
  const value = typeof at === 'number' ? values[at] : undefined;
  if (value === undefined) throw invalid('a choice that does not exist');
  return value;
}
