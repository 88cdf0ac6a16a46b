/**
 * One node for a page, whoever asks for it: opened by the first, shared by all, stopped some time after the last has gone. A component
 * that is mounted twice at once, or a module that is loaded anew, gets the node that is there.
 */
import { RaftError } from '../core/errors.ts';
import { holding, type Readable } from './readable.ts';

/** A node that nobody wants any more is stopped after so long, in ms: a remount within it finds it running. */
export const KEPT_MS = 1_000;

export type Opening<N> =
  | { readonly kind: 'opening'; readonly node: undefined; readonly error: undefined }
  | { readonly kind: 'open'; readonly node: N; readonly error: undefined }
  | { readonly kind: 'failed'; readonly node: undefined; readonly error: unknown };

const OPENING = { kind: 'opening', node: undefined, error: undefined } as const;

interface Stoppable {
  stop(): Promise<void>;
}

interface Held {
  readonly state: Readable<Opening<unknown>>;
  readonly opened: Promise<Stoppable | undefined>;
  users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const held = new Map<string, Held>();
/** The last node under a key on its way out: the next one waits, since both would want one identity. */
const leaving = new Map<string, Promise<unknown>>();

export interface Hold<N> {
  readonly state: Readable<Opening<N>>;
  /** Once; more do no harm. */
  release(): void;
}

/** `key` names the node within the page: the room's name, as a rule. What `open` throws becomes `failed`. */
export function holdNode<N extends Stoppable>(key: string, open: () => Promise<N>): Hold<N> {
  if (typeof key !== 'string' || typeof open !== 'function')
    throw new RaftError(
      'invalid-argument',
      "A node is held under a key: holdNode('a-room', () => raft.enter('a-room', machine)).",
    );
  let found = held.get(key);
  if (found === undefined) {
    found = start(key, open);
    held.set(key, found);
  }
  const mine = found;
  clearTimeout(mine.timer);
  mine.users += 1;
  let isHeld = true;
  return {
    state: mine.state as Readable<Opening<N>>,
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      mine.users -= 1;
      if (mine.users === 0) mine.timer = setTimeout(() => end(key, mine), KEPT_MS);
    },
  };
}

function start<N extends Stoppable>(key: string, open: () => Promise<N>): Held {
  const state = holding<Opening<unknown>>(OPENING);
  const opened = (leaving.get(key) ?? Promise.resolve())
    .then(() => open())
    .then(
      (node) => {
        state.set({ kind: 'open', node, error: undefined });
        return node;
      },
      (error: unknown) => {
        // Whoever asks next tries again.
        if (held.get(key)?.state === state) held.delete(key);
        state.set({ kind: 'failed', node: undefined, error });
        return undefined;
      },
    );
  return { state, opened, users: 0, timer: undefined };
}

function end(key: string, mine: Held): void {
  if (mine.users > 0) return;
  if (held.get(key) === mine) held.delete(key);
  const gone: Promise<unknown> = mine.opened
    .then((node) => node?.stop())
    .catch(() => undefined)
    .finally(() => {
      if (leaving.get(key) === gone) leaving.delete(key);
    });
  leaving.set(key, gone);
}
