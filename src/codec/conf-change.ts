/** The encoded form of a membership change, the payload of a `conf` entry: [transition, [[op, id, context], …], context]. */
import { brokenChange } from '../core/conf/conf-change.ts';
import { RaftError } from '../core/errors.ts';
import type { ConfChange, ConfChangeOp, ConfChangeStep, ConfChangeTransition, Entry } from '../core/types.ts';
import { pack, unpack } from './pack.ts';

// A position in these lists is part of the format: append only.
const TRANSITIONS: readonly ConfChangeTransition[] = ['auto', 'implicit', 'explicit'];
const OPS: readonly ConfChangeOp[] = ['voter', 'learner', 'witness', 'remove', 'update'];

/** Errors: invalid-argument for an entry without a change, config-invalid for a change that could not be read again. */
export function packChange(entry: Entry): Uint8Array {
  const change = entry.change;
  if (change === undefined) throw new RaftError('invalid-argument', 'entries: a conf entry without a change');
  const broken = brokenChange(change);
  if (broken !== undefined) throw new RaftError('config-invalid', `entries: a membership change with ${broken}`);
  const steps = change.steps.map((step) => [OPS.indexOf(step.op), step.id, step.context ?? null]);
  return pack([TRANSITIONS.indexOf(change.transition), steps, change.context ?? null]);
}

/** Contexts are views on `bytes`. Errors: message-invalid. */
export function unpackChange(bytes: Uint8Array): ConfChange {
  const value = unpack(bytes);
  if (!Array.isArray(value) || value.length !== 3 || !Array.isArray(value[1])) refuse();
  const transition = nth(TRANSITIONS, value[0]);
  const change = { transition, steps: value[1].map(toStep), context: toContext(value[2]) };
  return brokenChange(change) === undefined ? change : refuse();
}

function toStep(value: unknown): ConfChangeStep {
  if (!Array.isArray(value) || value.length !== 3) refuse();
  const op = nth(OPS, value[0]);
  const id: unknown = value[1];
  if (typeof id !== 'string') refuse();
  return { op, id, context: toContext(value[2]) };
}

function nth<T>(list: readonly T[], position: unknown): T {
  return (typeof position === 'number' ? list[position] : undefined) ?? refuse();
}

function toContext(value: unknown): Uint8Array | undefined {
  if (value === null) return undefined;
  return value instanceof Uint8Array ? value : refuse();
}

function refuse(): never {
  throw new RaftError('message-invalid', 'encoded entries: a malformed membership change');
}
