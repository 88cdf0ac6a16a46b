/** Things that are to be done once in a cluster, whoever does them: sending a mail, charging a card, seeding a room. */
import type { StateMachine } from '../state/types.ts';
import { leaseEnd, requireRoom, requireText, requireWhole } from './input.ts';
import type { Handler, Query } from './part.ts';

/** Tasks that are remembered, done ones among them: forgetting one would let it be done again. */
export const TASKS_MAX = 100_000;

type Claim = { readonly kind: 'claimed'; readonly owner: string; readonly token: number; readonly until: number };
type Done<R> = { readonly kind: 'done'; readonly result: R };
export type OnceState<R> = { lastToken: number; readonly tasks: Map<string, Claim | Done<R>> };
/** `claimed`: it is the caller's to do, until then. `busy`: somebody else is at it. `done`: here is what came of it. */
export type OnceAnswer<R> =
  | { readonly kind: 'claimed'; readonly token: number; readonly until: number }
  | { readonly kind: 'busy'; readonly until: number }
  | Done<R>;
export type OnceCommands<R> = {
  readonly claim: Handler<OnceState<R>, { readonly task: string; readonly owner: string; readonly ttlMs: number }, OnceAnswer<R>>;
  readonly finish: Handler<OnceState<R>, { readonly task: string; readonly token: number; readonly result: R }, boolean>;
  readonly abandon: Handler<OnceState<R>, { readonly task: string; readonly token: number }, boolean>;
  readonly forget: Handler<OnceState<R>, { readonly task: string }, boolean>;
};
export type OnceQueries<R> = { readonly result: Query<OnceState<R>, string, Done<R> | undefined> };

/**
 * Guarantee: of all who try a task at most one result is kept, everybody after that gets it, and in log order at most one is at it at
 * a time. Whose claim is over may still be at work: what it does outside needs the token, or must bear being done twice.
 */
export function once<R>(): StateMachine<OnceState<R>, OnceCommands<R>, OnceQueries<R>> {
  return {
    initial: () => ({ lastToken: 0, tasks: new Map() }),
    commands: {
      claim: (state, { task, owner, ttlMs }, { now }) => {
        const until = leaseEnd(now, ttlMs);
        requireText(owner, 'owner');
        const known = state.tasks.get(requireText(task, 'task'));
        if (known?.kind === 'done') return { kind: 'done', result: known.result };
        if (known !== undefined && known.until > now) return { kind: 'busy', until: known.until };
        if (known === undefined) requireRoom(state.tasks.size, TASKS_MAX, 'tasks');
        state.lastToken += 1;
        state.tasks.set(task, { kind: 'claimed', owner, token: state.lastToken, until });
        return { kind: 'claimed', token: state.lastToken, until };
      },
      /** Answers whether this is the result that is kept: not when the claim is over and another has it. */
      finish: ({ tasks }, { task, token, result }) => {
        const known = tasks.get(requireText(task, 'task'));
        if (known?.kind !== 'claimed' || known.token !== requireWhole(token, 'token', 1)) return false;
        tasks.set(task, { kind: 'done', result });
        return true;
      },
      /** Gives the task back at once. Answers whether it was the caller's. */
      abandon: ({ tasks }, { task, token }) => {
        const known = tasks.get(requireText(task, 'task'));
        return known?.kind === 'claimed' && known.token === requireWhole(token, 'token', 1) && tasks.delete(task);
      },
      /** From now on the task may be done again. Answers whether it was done. */
      forget: ({ tasks }, { task }) => tasks.get(requireText(task, 'task'))?.kind === 'done' && tasks.delete(task),
    },
    queries: {
      result: ({ tasks }, task) => {
        const known = tasks.get(task);
        return known?.kind === 'done' ? known : undefined;
      },
    },
  };
}
