/** Jobs that workers claim for a time: what a worker does not finish comes back, what fails too often is put aside. */
import { RaftError } from '../core/errors.ts';
import type { StateMachine } from '../state/types.ts';
import { leaseEnd, requireRoom, requireText, requireWhole } from './input.ts';
import type { BareQuery, Handler } from './part.ts';

/** Jobs of one queue, waiting, claimed and dead together. A full queue takes no more: nothing is dropped. */
export const JOBS_MAX = 10_000;
/** Jobs that are claimed at once: each claim looks at all of them. */
export const CLAIMS_MAX = 1_000;
/** Largest number of attempts. */
export const ATTEMPTS_MAX = 1_000;

type Job<T> = { readonly payload: T; readonly attempts: number };
type ClaimedJob<T> = Job<T> & { readonly token: number; readonly worker: string; readonly until: number };
export type DeadJob<T> = Job<T> & { readonly reason: string };
/** `token` says which claim of the job this is; it grows with every claim and fences like that of a lock. */
export type Claimed<T> = {
  readonly id: number;
  readonly payload: T;
  readonly attempt: number;
  readonly token: number;
  readonly until: number;
};

export type QueueState<T> = {
  lastId: number;
  lastToken: number;
  readonly waiting: Map<number, Job<T>>;
  readonly claimed: Map<number, ClaimedJob<T>>;
  readonly dead: Map<number, DeadJob<T>>;
};
type Held = { readonly id: number; readonly token: number };
export type QueueCommands<T> = {
  readonly add: Handler<QueueState<T>, { readonly payload: T }, number>;
  readonly claim: Handler<QueueState<T>, { readonly worker: string; readonly ttlMs: number }, Claimed<T> | undefined>;
  readonly complete: Handler<QueueState<T>, Held, boolean>;
  readonly fail: Handler<QueueState<T>, Held & { readonly reason: string }, boolean>;
  readonly bury: Handler<QueueState<T>, { readonly id: number }, boolean>;
};
export type QueueQueries<T> = {
  readonly counts: BareQuery<QueueState<T>, { readonly waiting: number; readonly claimed: number; readonly dead: number }>;
  readonly dead: BareQuery<QueueState<T>, readonly (DeadJob<T> & { readonly id: number })[]>;
};

/**
 * Guarantee: every job that was acknowledged is completed exactly once or put aside after `attempts` claims, and in log order a job
 * has at most one claim at a time. A worker whose claim is over may still be at work: what it does outside needs the token.
 * Errors: invalid-argument.
 */
export function workQueue<T>(options: {
  readonly attempts: number;
}): StateMachine<QueueState<T>, QueueCommands<T>, QueueQueries<T>> {
  const { attempts } = options;
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > ATTEMPTS_MAX)
    throw new RaftError('invalid-argument', `attempts must be a whole number from 1 to ${ATTEMPTS_MAX}.`);
  return {
    initial: () => ({ lastId: 0, lastToken: 0, waiting: new Map(), claimed: new Map(), dead: new Map() }),
    commands: {
      /** Answers the job's id. */
      add: (state, { payload }) => {
        requireRoom(state.waiting.size + state.claimed.size + state.dead.size, JOBS_MAX, 'jobs');
        state.lastId += 1;
        state.waiting.set(state.lastId, { payload, attempts: 0 });
        return state.lastId;
      },
      /** Takes the job that waits longest. Answers undefined when none waits. */
      claim: (state, { worker, ttlMs }, { now }) => claim(state, attempts, requireText(worker, 'worker'), ttlMs, now),
      /** Answers whether the claim still held; if not, the job is another's or will be. */
      complete: (state, held, { now }) => heldJob(state, held, now) !== undefined && state.claimed.delete(held.id),
      /** Gives the job back before its claim is over. It waits as the last, or is dead if this was its last attempt. */
      fail: (state, held, { now }) => {
        requireText(held.reason, 'reason');
        const job = heldJob(state, held, now);
        if (job === undefined) return false;
        giveBack(state, attempts, held.id, job, held.reason);
        return true;
      },
      /** Forgets a dead job. */
      bury: ({ dead }, { id }) => dead.delete(requireWhole(id, 'id', 1)),
    },
    queries: {
      counts: ({ waiting, claimed, dead }) => ({ waiting: waiting.size, claimed: claimed.size, dead: dead.size }),
      dead: ({ dead }) => [...dead].map(([id, job]) => ({ id, ...job })),
    },
  };
}

function claim<T>(state: QueueState<T>, attempts: number, worker: string, ttlMs: number, now: number): Claimed<T> | undefined {
  const until = leaseEnd(now, ttlMs);
  for (const [id, job] of [...state.claimed]) if (job.until <= now) giveBack(state, attempts, id, job, 'The claim expired.');
  const [next] = state.waiting;
  if (next === undefined) return undefined;
  requireRoom(state.claimed.size, CLAIMS_MAX, 'claims');
  const [id, { payload, attempts: before }] = next;
  state.lastToken += 1;
  state.waiting.delete(id);
  state.claimed.set(id, { payload, attempts: before + 1, token: state.lastToken, worker, until });
  return { id, payload, attempt: before + 1, token: state.lastToken, until };
}

function heldJob<T>(state: QueueState<T>, { id, token }: Held, now: number): ClaimedJob<T> | undefined {
  const job = state.claimed.get(requireWhole(id, 'id', 1));
  return job !== undefined && job.token === token && job.until > now ? job : undefined;
}

function giveBack<T>(state: QueueState<T>, attempts: number, id: number, job: Job<T>, reason: string): void {
  state.claimed.delete(id);
  if (job.attempts >= attempts) state.dead.set(id, { payload: job.payload, attempts: job.attempts, reason });
  else state.waiting.set(id, { payload: job.payload, attempts: job.attempts });
}
