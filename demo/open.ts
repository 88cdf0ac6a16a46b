/** Opens the node and shows it to the console: `window.tabraft.node`. */
import { type RaftNode, raft, recoverNode } from '../src/index.ts';
import { type Shared, type SharedCommands, type SharedQueries, theatre } from './machine.ts';

export type DemoNode = RaftNode<Shared, SharedCommands, SharedQueries>;

/** What the page gives to the console and to automation. */
export interface Handle {
  readonly raft: typeof raft;
  /** For a room whose majority is gone for good (docs/OPERATIONS.md). */
  readonly recoverNode: typeof recoverNode;
  readonly room: string;
  /** The running node; undefined until it has its identity, or when opening failed. */
  node: DemoNode | undefined;
  /** Why opening failed. */
  error: unknown;
}

declare global {
  interface Window {
    tabraft?: Handle;
  }
}

export function handleFor(room: string): Handle {
  const handle: Handle = { raft, recoverNode, room, node: undefined, error: undefined };
  window.tabraft = handle;
  return handle;
}

export function enter(room: string, name: string): Promise<DemoNode> {
  // Recorded, for the inspector's time travel; the recording ends by itself when it is full.
  return raft.enter(room, theatre, { name, record: true, openRoom: true });
}
