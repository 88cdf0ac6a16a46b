/** Signals of any library, and for bindings of your own: the readables themselves, and one function that feeds a signal from one. */
import type { Readable } from './readable.ts';

export { commandOf, type Progress, type WatchedCommand } from './command.ts';
export { type Hold, holdNode, type Opening } from './opening.ts';
export {
  type Leadership,
  leaderOf,
  pendingOf,
  presenceOf,
  type Readable,
  type Readiness,
  readyOf,
  type StateNode,
  stateOf,
  statusOf,
} from './readable.ts';

/** Puts a readable's value into a signal, now and after each change: feed(stateOf(node, select), (value) => (mine.value = value)). */
export function feed<T>(readable: Readable<T>, put: (value: T) => void): () => void {
  const end = readable.subscribe(() => put(readable.get()));
  put(readable.get());
  return end;
}
