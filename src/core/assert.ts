/**
 * Only for broken invariants: what must hold whatever the environment does. Faults of the environment are
 * RaftErrors with a code of their own.
 */
import { RaftError } from './errors.ts';

export function assert(condition: boolean, broken: string): asserts condition {
  if (!condition) throw new RaftError('invariant', broken);
}

/** As a failed assert, where the message is put together only when it is needed: on the paths of every message. */
export function broken(what: string): never {
  throw new RaftError('invariant', what);
}

/** For the branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new RaftError('invariant', `unreachable: ${String(value)}`);
}
