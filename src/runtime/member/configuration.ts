/** What the configuration keeps beside a member's id, and for the whole cluster: the opaque contexts of the core. */
import { pack, packValue, unpack, unpackValue } from '../../codec/pack.ts';
import type { ConfState, NodeId } from '../../core/types.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { ClusterConfig, MemberInfo, Suffrage } from '../api/api.ts';

/** Longest name of a member, in characters. */
export const NAME_CHARACTERS_MAX = 64;
/** Longest name of a device, in characters. */
export const DEVICE_CHARACTERS_MAX = 64;

export interface MemberContextFields {
  readonly name: string;
  readonly priority: number;
  /** What it shall be once caught up: a voter, or a learner for good. */
  readonly wants: Suffrage;
  /** Which failure domain it shares with others (one browser profile is one); '' for its own. */
  readonly profileDomain: string;
  /** Public key of the node, raw; empty when it has none. */
  readonly publicKey: Uint8Array;
  /** It keeps the log and may not write: a learner for good. */
  readonly reader: boolean;
  readonly meta: unknown;
  /** The voter of this device whose storage was lost, in whose place this one comes; '' for none. */
  readonly replaces: NodeId;
  /** What proves that it does (trust/succession); only on the way in: the leader that takes it in checks it and leaves it out. */
  readonly succession: Uint8Array;
}

/** Decisions that must be the same on every member: in the configuration, never in a node's own options. */
export interface ClusterSettings {
  readonly machineVersion: number;
  readonly votersTarget: number;
  /** Commands are taken only where so many voters hold them before they are acknowledged. */
  readonly minCopies: number;
  readonly sessionsMax: number;
  readonly sessionTtlMs: number;
  readonly digestEveryEntries: number;
}

const FORMAT = 1;
const NO_KEY: Uint8Array = new Uint8Array(0);

export const MEMBER_DEFAULTS: MemberContextFields = {
  name: '',
  priority: 0,
  wants: 'voter',
  profileDomain: '',
  publicKey: NO_KEY,
  reader: false,
  meta: undefined,
  replaces: '',
  succession: NO_KEY,
};
export const SETTINGS_DEFAULTS: ClusterSettings = {
  machineVersion: 1,
  votersTarget: 3,
  minCopies: 1,
  sessionsMax: 4_096,
  sessionTtlMs: 24 * 60 * 60 * 1000,
  digestEveryEntries: 1_000,
};

export function encodeMember(fields: MemberContextFields): Uint8Array {
  const { name, priority, wants, profileDomain, publicKey, meta, replaces, reader, succession } = fields;
  const shortName = name.slice(0, NAME_CHARACTERS_MAX);
  const row = [FORMAT, shortName, priority, wants, profileDomain, publicKey, packValue(meta), replaces, reader];
  return pack(succession.length === 0 ? row : [...row, succession]);
}

type MemberRow = readonly [number, string, number, Suffrage, string, Uint8Array, Uint8Array, NodeId, boolean?, Uint8Array?];

/** Never throws: a context that cannot be read is a member without a name. */
export function decodeMember(context: Uint8Array | undefined): MemberContextFields {
  if (context === undefined || context.length === 0) return MEMBER_DEFAULTS;
  try {
    const [, name, priority, wants, profileDomain, publicKey, meta, replaces, reader, succession] = unpack(context) as MemberRow;
    return {
      name: String(name),
      priority: Number(priority),
      wants,
      profileDomain: String(profileDomain),
      publicKey: publicKey instanceof Uint8Array ? publicKey : NO_KEY,
      meta: unpackValue(meta),
      replaces: String(replaces),
      reader: reader === true,
      succession: succession instanceof Uint8Array ? succession : NO_KEY,
    };
  } catch {
    return MEMBER_DEFAULTS;
  }
}

export function encodeSettings(settings: ClusterSettings): Uint8Array {
  return pack([
    FORMAT,
    settings.machineVersion,
    settings.votersTarget,
    settings.sessionsMax,
    settings.sessionTtlMs,
    settings.digestEveryEntries,
    // As it was before there was a choice, where nobody has chosen.
    ...(settings.minCopies === SETTINGS_DEFAULTS.minCopies ? [] : [settings.minCopies]),
  ]);
}

/** What contexts say, for as long as these are in a configuration: the duties of a leader look at all of them on every tick. */
const settingsIn: WeakMap<Uint8Array, ClusterSettings> = new WeakMap();
const fieldsIn: WeakMap<Uint8Array, MemberContextFields> = new WeakMap();

export function decodeSettings(context: Uint8Array): ClusterSettings {
  if (context.length === 0) return SETTINGS_DEFAULTS;
  const known = settingsIn.get(context);
  if (known !== undefined) return known;
  const settings = Object.freeze(readSettings(context));
  settingsIn.set(context, settings);
  return settings;
}

function readSettings(context: Uint8Array): ClusterSettings {
  try {
    const [, machineVersion, votersTarget, sessionsMax, sessionTtlMs, digestEveryEntries, minCopies] = unpack(
      context,
    ) as number[];
    return {
      ...SETTINGS_DEFAULTS,
      ...withoutUndefined({ machineVersion, votersTarget, sessionsMax, sessionTtlMs, digestEveryEntries, minCopies }),
    };
  } catch {
    return SETTINGS_DEFAULTS;
  }
}

function withoutUndefined(values: Readonly<Record<string, number | undefined>>): Partial<ClusterSettings> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'number'));
}

/** For this node's own use: callers get `meta` from clusterConfig, a value of their own each time. */
export function contextOf(conf: ConfState, id: NodeId): MemberContextFields {
  const context = contextBytes(conf, id);
  if (context === undefined) return MEMBER_DEFAULTS;
  const known = fieldsIn.get(context);
  if (known !== undefined) return known;
  const fields = Object.freeze(decodeMember(context));
  fieldsIn.set(context, fields);
  return fields;
}

function contextBytes(conf: ConfState, id: NodeId): Uint8Array | undefined {
  return conf.members.find((member) => member.id === id)?.context;
}

export function suffrageOf(conf: ConfState, id: NodeId): Suffrage | 'none' {
  if (conf.witnesses.includes(id)) return 'witness';
  if (conf.voters.includes(id) || conf.votersOutgoing.includes(id)) return 'voter';
  return conf.learners.includes(id) || conf.learnersNext.includes(id) ? 'learner' : 'none';
}

/**
 * What a member may do: what it was taken in as, whether or not it votes already. undefined for who is no member.
 */
export function roleIn(conf: ConfState, id: NodeId): MemberRole | undefined {
  const suffrage = suffrageOf(conf, id);
  if (suffrage === 'none') return undefined;
  const { reader, wants } = contextOf(conf, id);
  if (suffrage === 'learner' && reader) return 'reader';
  return suffrage === 'learner' && wants !== 'voter' ? 'learner' : 'voter';
}

export function rolesIn(conf: ConfState): readonly (readonly [id: NodeId, role: MemberRole])[] {
  return memberIds(conf).map((id) => [id, roleIn(conf, id) ?? 'learner'] as const);
}

export function memberIds(conf: ConfState): NodeId[] {
  return [...new Set([...conf.voters, ...conf.votersOutgoing, ...conf.learners, ...conf.learnersNext])].sort();
}

export function clusterConfig(conf: ConfState, version: number): ClusterConfig {
  const members = memberIds(conf).map((id): MemberInfo => {
    const { name, priority, meta } = decodeMember(contextBytes(conf, id));
    const suffrage = suffrageOf(conf, id);
    return { id, suffrage: suffrage === 'none' ? 'learner' : suffrage, name, priority, meta };
  });
  const { voters, learners, witnesses, votersOutgoing, learnersNext, autoLeave } = conf;
  return { version, voters, learners, witnesses, votersOutgoing, learnersNext, autoLeave, members };
}
