/** Configurations and snapshot points as plain arrays, to be packed into messages and records, and back with all checks. */
import { isNodeId } from '../core/conf/node-id.ts';
import { RaftError } from '../core/errors.ts';
import { CLUSTER_CONTEXT_BYTES_MAX, MEMBER_CONTEXT_BYTES_MAX } from '../core/limits.ts';
import type { ConfState, MemberContext, NodeId, SnapshotMeta } from '../core/types.ts';
import { CONFIGURATION_MEMBERS_MAX } from './limits.ts';

/** [voters, votersOutgoing, learners, learnersNext, witnesses, autoLeave, [[id, context], …], context] */
export function confStateParts(conf: ConfState): readonly unknown[] {
  const members = conf.members.map((member) => [member.id, member.context]);
  return [
    conf.voters,
    conf.votersOutgoing,
    conf.learners,
    conf.learnersNext,
    conf.witnesses,
    conf.autoLeave,
    members,
    conf.context,
  ];
}

/** Byte fields are views on what was unpacked. Errors: message-invalid. */
export function confStateFrom(parts: unknown): ConfState {
  if (!Array.isArray(parts) || parts.length !== 8 || !Array.isArray(parts[6])) refuse('shape');
  const autoLeave: unknown = parts[5];
  const context: unknown = parts[7];
  if (typeof autoLeave !== 'boolean' || !isContext(context, CLUSTER_CONTEXT_BYTES_MAX)) refuse('shape');
  if (parts[6].length > CONFIGURATION_MEMBERS_MAX) refuse('too many members');
  const conf: ConfState = {
    voters: ids(parts[0]),
    votersOutgoing: ids(parts[1]),
    learners: ids(parts[2]),
    learnersNext: ids(parts[3]),
    witnesses: ids(parts[4]),
    autoLeave,
    members: parts[6].map(memberFrom),
    context,
  };
  if (conf.voters.length === 0) refuse('no voters');
  return conf;
}

/** [index, term, configuration, data or null] */
export function snapshotMetaParts(meta: SnapshotMeta): readonly unknown[] {
  return [meta.index, meta.term, confStateParts(meta.conf), meta.data ?? null];
}

/** Errors: message-invalid. */
export function snapshotMetaFrom(parts: unknown): SnapshotMeta {
  if (!Array.isArray(parts) || parts.length !== 4) refuse('shape');
  const index: unknown = parts[0];
  const term: unknown = parts[1];
  const data: unknown = parts[3];
  if (!isPosition(index) || !isPosition(term)) refuse('index or term');
  if (data !== null && !(data instanceof Uint8Array)) refuse('data');
  return { index, term, conf: confStateFrom(parts[2]), data: data ?? undefined };
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function ids(value: unknown): readonly NodeId[] {
  if (!Array.isArray(value) || value.length > CONFIGURATION_MEMBERS_MAX) refuse('ids');
  for (const id of value) if (!isNodeId(id)) refuse('ids');
  if (new Set(value).size !== value.length) refuse('an id twice');
  return value;
}

function memberFrom(value: unknown): MemberContext {
  if (!Array.isArray(value) || value.length !== 2) refuse('member');
  const id: unknown = value[0];
  const context: unknown = value[1];
  if (!isNodeId(id) || !isContext(context, MEMBER_CONTEXT_BYTES_MAX)) refuse('member');
  return { id, context };
}

function isContext(value: unknown, bytesMax: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length <= bytesMax;
}

function refuse(what: string): never {
  throw new RaftError('message-invalid', `encoded configuration: ${what}`);
}
