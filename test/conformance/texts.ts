/** Between the harness's plain values (numbers for members, texts for payloads) and ours. */
import {
  type ConfChange,
  type ConfChangeOp,
  type ConfState,
  type Entry,
  makeEntry,
  NO_BYTES,
  NO_NODE,
} from '../../src/core/types.ts';
import type * as H from './harness.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Members are numbers there, and strings compared by code unit here: padded, the orders agree. */
const ID_DIGITS = 20;

export function idOf(id: number): string {
  return id === 0 ? NO_NODE : String(id).padStart(ID_DIGITS, '0');
}

export function numberOf(id: string): number {
  return id === NO_NODE ? 0 : Number(id);
}

export function bytesOf(text: string): Uint8Array {
  return text === '' ? NO_BYTES : encoder.encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : decoder.decode(bytes);
}

const OPS: Readonly<Record<string, ConfChangeOp>> = { v: 'voter', l: 'learner', r: 'remove', u: 'update' };
const LETTERS: Readonly<Record<ConfChangeOp, H.Change['op']>> = {
  voter: 'v',
  learner: 'l',
  remove: 'r',
  update: 'u',
  witness: 'v',
};

/** Changes that were proposed in the old form: it only shows in how they are printed. */
const oldForm = new WeakSet<ConfChange>();

export function changeOf({ v1, transition, changes }: H.ProposedChange): ConfChange {
  // There, a step for nobody is one that its proposer took back; here it is none.
  const named = changes.filter(({ id }) => id !== 0);
  const steps = named.map(({ op, id }) => ({ op: OPS[op] as ConfChangeOp, id: idOf(id), context: undefined }));
  const change: ConfChange = { transition: v1 ? 'auto' : transition, steps, context: undefined };
  if (v1) oldForm.add(change);
  return change;
}

export function entryOut(entry: Entry): H.Entry {
  const { change } = entry;
  if (change === undefined) {
    return { term: entry.term, index: entry.index, kind: 'normal', text: textOf(entry.data), changes: [], raw: entry };
  }
  return {
    term: entry.term,
    index: entry.index,
    kind: oldForm.has(change) ? 'conf-v1' : 'conf-v2',
    text: '',
    changes: change.steps.map(({ op, id }) => ({ op: LETTERS[op], id: numberOf(id) })),
    raw: entry,
  };
}

export function entryIn(entry: H.Entry): Entry {
  if (entry.raw !== undefined) return entry.raw as Entry;
  if (entry.kind === 'normal') return makeEntry(entry.index, entry.term, 'normal', 0, bytesOf(entry.text), undefined);
  const change = changeOf({ v1: entry.kind === 'conf-v1', transition: 'auto', changes: entry.changes });
  return makeEntry(entry.index, entry.term, 'conf', 0, NO_BYTES, change);
}

export function confOut(conf: ConfState): H.ConfState {
  return {
    voters: conf.voters.map(numberOf),
    votersOutgoing: conf.votersOutgoing.map(numberOf),
    learners: conf.learners.map(numberOf),
    learnersNext: conf.learnersNext.map(numberOf),
    autoLeave: conf.autoLeave,
  };
}

export function confIn(conf: H.ConfState): ConfState {
  const ids = (numbers: readonly number[] | undefined): string[] => (numbers ?? []).map(idOf).sort();
  return {
    voters: ids(conf.voters),
    votersOutgoing: ids(conf.votersOutgoing),
    learners: ids(conf.learners),
    learnersNext: ids(conf.learnersNext),
    witnesses: [],
    autoLeave: conf.autoLeave,
    members: [],
    context: NO_BYTES,
  };
}

/** Bytes of an entry in the peer's encoding: its limits are in those. */
export function encodedBytes(entry: Entry): number {
  const data = entry.change === undefined ? entry.data.length : changeBytes(entry.change);
  return 2 + 1 + varintBytes(entry.term) + 1 + varintBytes(entry.index) + (data === 0 ? 0 : 1 + varintBytes(data) + data);
}

function changeBytes(change: ConfChange): number {
  if (oldForm.has(change)) return change.steps.reduce((sum, step) => sum + 5 + varintBytes(numberOf(step.id)), 0);
  const steps = change.steps.reduce((sum, step) => sum + 5 + varintBytes(numberOf(step.id)), 0);
  return steps === 0 && change.transition === 'auto' ? 0 : 2 + steps;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
