/** A Ready in a few bytes: a checksum per field that says something, so that a difference can be named. */
import { crc32 } from '../../codec/crc32.ts';
import { pack } from '../../codec/pack.ts';
import type { Message, PersistMark, Ready } from '../../core/types.ts';
import { packMessage, packRun, packSnapshot } from './trace-codec.ts';
import type { TraceReader, TraceWriter } from './trace-format.ts';

/** A place in this list is part of the format: append only. */
const FIELDS = [
  'softState',
  'hardState',
  'snapshot',
  'entries',
  'committedEntries',
  'messages',
  'messagesAfterPersist',
  'readStates',
  'mark',
  'mustSync',
] as const;
export type ReadyField = (typeof FIELDS)[number];

/** By field; a field that says nothing is not there. */
export type ReadyHash = ReadonlyMap<ReadyField, number>;

export function hashReady(ready: Ready, redacted: boolean): ReadyHash {
  const hash = new Map<ReadyField, number>();
  const { softState, hardState, snapshot, entries, committedEntries, mark } = ready;
  if (softState !== undefined) hash.set('softState', crc32(pack([softState.role, softState.leader])));
  if (hardState !== undefined) hash.set('hardState', crc32(pack([hardState.term, hardState.vote, hardState.commit])));
  if (snapshot !== undefined) hash.set('snapshot', crc32(packSnapshot(snapshot, redacted)));
  if (entries.length > 0) hash.set('entries', crc32(packRun(entries, redacted)));
  if (committedEntries.length > 0) hash.set('committedEntries', crc32(packRun(committedEntries, redacted)));
  if (ready.messages.length > 0) hash.set('messages', hashMessages(ready.messages, redacted));
  if (ready.messagesAfterPersist.length > 0) hash.set('messagesAfterPersist', hashMessages(ready.messagesAfterPersist, redacted));
  if (ready.readStates.length > 0)
    hash.set('readStates', crc32(pack(ready.readStates.map(({ context, index, rejected }) => [context, index, rejected]))));
  if (mark !== undefined) hash.set('mark', crc32(pack(markFields(mark))));
  if (ready.mustSync) hash.set('mustSync', 1);
  return hash;
}

/** A mark that decides nothing looks as it always did. */
function markFields({ term, index, logTerm, snapshotIndex, commitWith = 0 }: PersistMark): readonly number[] {
  const fields = [term, index, logTerm, snapshotIndex];
  return commitWith === 0 ? fields : [...fields, commitWith];
}

function hashMessages(messages: readonly Message[], redacted: boolean): number {
  let hash = 0;
  for (const message of messages) hash = crc32(packMessage(message, redacted), hash);
  return hash;
}

/** The fields in which two Readys differ. */
export function differingFields(a: ReadyHash, b: ReadyHash): readonly ReadyField[] {
  return FIELDS.filter((field) => a.get(field) !== b.get(field));
}

export function writeHash(writer: TraceWriter, hash: ReadyHash): void {
  let present = 0;
  FIELDS.forEach((field, place) => {
    if (hash.has(field)) present |= 1 << place;
  });
  writer.number(present);
  for (const field of FIELDS) {
    const value = hash.get(field);
    if (value !== undefined) writer.number(value);
  }
}

/** Errors: corrupt. */
export function readHash(reader: TraceReader): ReadyHash {
  const present = reader.number();
  const hash = new Map<ReadyField, number>();
  FIELDS.forEach((field, place) => {
    if ((present & (1 << place)) !== 0) hash.set(field, reader.number());
  });
  return hash;
}
