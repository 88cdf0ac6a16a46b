/** The state before the first command: made anew each time, and of something that handlers can change in place. */
import { RaftError } from '../core/errors.ts';
import { kindOf } from './containers.ts';
import { IS_DEVELOPMENT } from './development.ts';

interface Definition<S> {
  readonly initial: () => S;
}

/** Errors: invalid-argument. What `initial` throws comes as it is. */
export function initialOf<S>({ initial }: Definition<S>): S {
  const state = initial();
  if (state !== undefined && state !== null && typeof state !== 'object')
    throw invalid(
      `initial() made a ${typeof state}; it must make an object, an array, a Map or a Set, which handlers change in place.`,
    );
  if ('then' in Object(state) && typeof Reflect.get(Object(state), 'then') === 'function')
    throw invalid('initial() made a promise; the first state must be there at once, the same on every member.');
  if (IS_DEVELOPMENT) refuseShared(state, initial());
  else if (kindOf(state) !== undefined && state === initial()) throw shared();
  return state;
}

/** Two nodes of one page would change each other's state. What is frozen may be shared: the state gets a copy of its own. */
function refuseShared(first: unknown, second: unknown, depth = 0): void {
  const kind = kindOf(first);
  if (kind === undefined || typeof first !== 'object' || first === null || Object.isFrozen(first)) return;
  if (first === second) throw shared();
  if (depth > DEPTH_MAX || kindOf(second) !== kind) return;
  const others = [...partsOf(second)];
  for (const [i, part] of [...partsOf(first)].entries()) refuseShared(part, others[i], depth + 1);
}

/** Deeper than any state is written down by hand. */
const DEPTH_MAX = 16;

function partsOf(value: unknown): Iterable<unknown> {
  return value instanceof Map || value instanceof Set ? value.values() : Object.values(Object(value));
}

function shared(): RaftError {
  return invalid('initial() gave the same object twice; it must make a new one each time: initial: () => ({ ... }).');
}

function invalid(text: string): RaftError {
  return new RaftError('invalid-argument', text);
}
