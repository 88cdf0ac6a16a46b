/** The parts of a trace that are more than numbers: configuration, first state, messages, changes; and redaction. */
import { packChange, unpackChange } from '../../codec/conf-change.ts';
import { confStateFrom, confStateParts, snapshotMetaFrom, snapshotMetaParts } from '../../codec/conf-state.ts';
import { encodeEntries, encodeEntriesOnce } from '../../codec/entries.ts';
import { pack, unpack } from '../../codec/pack.ts';
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { type Config, type ConfigInput, makeConfig } from '../../core/config.ts';
import { RaftError } from '../../core/errors.ts';
import type { RandomSource } from '../../core/random.ts';
import type { InitialState } from '../../core/raw-node.ts';
import { type ConfChange, type Entry, type Message, makeEntry, NO_BYTES, type SnapshotMeta } from '../../core/types.ts';
import { decodeRecordedMessage, encodeRecordedMessage } from '../../wire/codec.ts';

/** What is a function is not recorded: randomness is a record of its own, sizes are the core's default. */
export function packConfig(config: Config): Uint8Array {
  const { random: _random, trace: _trace, entryBytes: _entryBytes, ...plain } = config;
  return pack(plain);
}

/** Errors: corrupt, invalid-argument. */
export function unpackConfig(bytes: Uint8Array, random: RandomSource): Config {
  const plain = unpack(bytes);
  if (typeof plain !== 'object' || plain === null) throw new RaftError('corrupt', 'The trace has no configuration.');
  const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== null));
  return makeConfig({ ...(given as unknown as ConfigInput), random });
}

export function packInitial({ hardState, conf, applied }: InitialState): Uint8Array {
  const { term, vote, commit } = hardState;
  return pack([term, vote, commit, applied, conf.voters.length === 0 ? null : confStateParts(conf)]);
}

/** Errors: corrupt. */
export function unpackInitial(bytes: Uint8Array): InitialState {
  const parts = unpack(bytes);
  if (!Array.isArray(parts) || parts.length !== 5) throw new RaftError('corrupt', 'The trace has no initial state.');
  const [term, vote, commit, applied, conf] = parts as [number, string, number, number, unknown];
  return { hardState: { term, vote, commit }, conf: conf === null ? EMPTY_CONF : confStateFrom(conf), applied };
}

export function packMessage(message: Message, redacted: boolean): Uint8Array {
  return encodeRecordedMessage(redacted ? redactMessage(message) : message);
}

/** Errors: message-invalid. */
export const unpackMessage: (bytes: Uint8Array) => Message = decodeRecordedMessage;

export function packConfChange(change: ConfChange): Uint8Array {
  return packChange(makeEntry(0, 0, 'conf', 0, NO_BYTES, change));
}

export const unpackConfChange: (bytes: Uint8Array) => ConfChange = unpackChange;

export function packRun(entries: readonly Entry[], redacted: boolean): Uint8Array {
  return redacted ? encodeEntries(entries.map(redactEntry)) : encodeEntriesOnce(entries);
}

export function packSnapshot(meta: SnapshotMeta, redacted: boolean): Uint8Array {
  return pack(snapshotMetaParts(redacted ? redactSnapshot(meta) : meta));
}

/** Errors: message-invalid. */
export function unpackSnapshot(bytes: Uint8Array): SnapshotMeta {
  return snapshotMetaFrom(unpack(bytes));
}

/** Zeros of the same length: sizes count for the core's limits, contents do not. */
export function redactBytes(data: Uint8Array): Uint8Array {
  return data.length === 0 ? NO_BYTES : new Uint8Array(data.length);
}

function redactEntry(entry: Entry): Entry {
  if (entry.data.length === 0) return entry;
  return makeEntry(entry.index, entry.term, entry.type, entry.time, redactBytes(entry.data), entry.change);
}

function redactSnapshot(meta: SnapshotMeta): SnapshotMeta {
  return meta.data === undefined ? meta : { ...meta, data: redactBytes(meta.data) };
}

function redactMessage(message: Message): Message {
  if (message.type === 'append-request' || message.type === 'propose-request')
    return { ...message, entries: message.entries.map(redactEntry) };
  if (message.type === 'snapshot-request') return { ...message, snapshot: redactSnapshot(message.snapshot) };
  return message;
}
