/** Ready-made structures, each a state machine with one guarantee; `compose` puts several into one cluster. */

export { type Composed, type ComposeOptions, compose, type Part, type Parts } from './compose.ts';
export { type Acquired, type Lease, locks, semaphore } from './leases.ts';
export { ledger } from './ledger.ts';
export { uniqueNames } from './names.ts';
export { counter, map, type RegisterAnswer, register } from './values.ts';
export { type Claimed, type DeadJob, workQueue } from './work-queue.ts';
