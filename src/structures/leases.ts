/** What somebody holds for a time, in log time: locks and semaphores. Whoever holds has a token; later tokens are larger, for ever. */
import { RaftError } from '../core/errors.ts';
import type { StateMachine } from '../state/types.ts';
import { leaseEnd, requireRoom, requireText, requireWhole } from './input.ts';
import type { BareQuery, Handler, Query } from './part.ts';

/** Locks that are held at once, by different names. */
export const LOCKS_MAX = 10_000;
/** Permits of one semaphore: each acquire looks at all of them. */
export const PERMITS_MAX = 1_000;

export type Lease = { readonly owner: string; readonly token: number; readonly until: number };
/** `token` is the fencing token: give it to what the lock guards, which refuses every smaller one than it has seen. */
export type Acquired = { readonly token: number; readonly until: number };

export type LockState = { lastToken: number; readonly held: Map<string, Lease> };
export type LockCommands = {
  readonly acquire: Handler<
    LockState,
    { readonly name: string; readonly owner: string; readonly ttlMs: number },
    Acquired | undefined
  >;
  readonly renew: Handler<
    LockState,
    { readonly name: string; readonly token: number; readonly ttlMs: number },
    Acquired | undefined
  >;
  readonly release: Handler<LockState, { readonly name: string; readonly token: number }, boolean>;
};
export type LockQueries = { readonly holder: Query<LockState, string, Lease | undefined> };

/**
 * Guarantee: in log order a lock is held by at most one token at a time, and every token is larger than all before it.
 * A holder may learn late that its lease is over: only the fencing token protects what lies outside the cluster.
 */
export function locks(): StateMachine<LockState, LockCommands, LockQueries> {
  return {
    initial: () => ({ lastToken: 0, held: new Map() }),
    commands: {
      /** Answers undefined while the lock is held, also by the same owner: two tabs may call themselves the same. */
      acquire: (state, { name, owner, ttlMs }, { now }) => {
        const until = leaseEnd(now, ttlMs);
        requireText(owner, 'owner');
        const lease = state.held.get(requireText(name, 'name'));
        if (lease !== undefined && lease.until > now) return undefined;
        if (lease === undefined && state.held.size >= LOCKS_MAX) dropExpired(state.held, now);
        if (lease === undefined) requireRoom(state.held.size, LOCKS_MAX, 'locks');
        state.lastToken += 1;
        state.held.set(name, { owner, token: state.lastToken, until });
        return { token: state.lastToken, until };
      },
      /** Sets the lease's end anew. Answers undefined when the lease is over or another's. */
      renew: ({ held }, { name, token, ttlMs }, { now }) => {
        const until = leaseEnd(now, ttlMs);
        const lease = held.get(requireText(name, 'name'));
        if (lease === undefined || lease.token !== token || lease.until <= now) return undefined;
        held.set(name, { owner: lease.owner, token, until });
        return { token, until };
      },
      /** Answers whether the lock was held with that token until now. */
      release: ({ held }, { name, token }, { now }) => {
        const lease = held.get(requireText(name, 'name'));
        return lease !== undefined && lease.token === token && held.delete(name) && lease.until > now;
      },
    },
    // Queries have no clock: the lease is shown with its end, also when that is over.
    queries: { holder: ({ held }, name) => held.get(name) },
  };
}

export type SemaphoreState = { lastToken: number; readonly held: Map<number, Lease> };
export type SemaphoreCommands = {
  readonly acquire: Handler<SemaphoreState, { readonly owner: string; readonly ttlMs: number }, Acquired | undefined>;
  readonly renew: Handler<SemaphoreState, { readonly token: number; readonly ttlMs: number }, Acquired | undefined>;
  readonly release: Handler<SemaphoreState, { readonly token: number }, boolean>;
};
export type SemaphoreQueries = { readonly holders: BareQuery<SemaphoreState, readonly Lease[]> };

/** Guarantee: in log order at most `permits` leases are held at a time. Errors: invalid-argument. */
export function semaphore(options: {
  readonly permits: number;
}): StateMachine<SemaphoreState, SemaphoreCommands, SemaphoreQueries> {
  const { permits } = options;
  if (!Number.isInteger(permits) || permits < 1 || permits > PERMITS_MAX)
    throw new RaftError('invalid-argument', `permits must be a whole number from 1 to ${PERMITS_MAX}.`);
  return {
    initial: () => ({ lastToken: 0, held: new Map() }),
    commands: {
      /** Answers undefined while all permits are held. */
      acquire: (state, { owner, ttlMs }, { now }) => {
        const until = leaseEnd(now, ttlMs);
        requireText(owner, 'owner');
        dropExpired(state.held, now);
        if (state.held.size >= permits) return undefined;
        state.lastToken += 1;
        state.held.set(state.lastToken, { owner, token: state.lastToken, until });
        return { token: state.lastToken, until };
      },
      renew: ({ held }, { token, ttlMs }, { now }) => {
        const until = leaseEnd(now, ttlMs);
        const lease = held.get(requireWhole(token, 'token', 1));
        if (lease === undefined || lease.until <= now) return undefined;
        held.set(token, { owner: lease.owner, token, until });
        return { token, until };
      },
      release: ({ held }, { token }, { now }) => {
        const lease = held.get(requireWhole(token, 'token', 1));
        return lease !== undefined && held.delete(token) && lease.until > now;
      },
    },
    queries: { holders: ({ held }) => [...held.values()] },
  };
}

function dropExpired<K>(held: Map<K, Lease>, now: number): void {
  for (const [key, lease] of [...held]) if (lease.until <= now) held.delete(key);
}
