/** Ready-made structures, each a state machine with one guarantee; `compose` puts several into one cluster. */

export { type Composed, type ComposeOptions, compose, type Part, type Parts } from './compose.ts';
export { type Handle, use } from './handle.ts';
export {
  type Compare,
  type KeyEntry,
  type KeyEvent,
  keySpace,
  type Operation,
  type Transacted,
  type Transaction,
  watchKeys,
} from './key-space.ts';
export { type Acquired, type Lease, locks, semaphore } from './leases.ts';
export { ledger } from './ledger.ts';
export { type ListItem, type ListPlace, list } from './list.ts';
export { uniqueNames } from './names.ts';
export { type OnceAnswer, once } from './once.ts';
export { counter, map, type RegisterAnswer, register } from './values.ts';
export { type Claimed, type DeadJob, workQueue } from './work-queue.ts';
