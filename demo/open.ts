/** Opens the node and shows it to the console: `window.tabraft.node`. */
import { browserStorage, openClient, type RaftNode, raft, recoverNode, type Transport } from '../src/index.ts';
import { FaultyTransport } from './break/faulty-transport.ts';
import { SlowDisk } from './break/slow-disk.ts';
import { type Shared, type SharedCommands, type SharedQueries, theatre } from './machine.ts';
import type { Entrance } from './room.ts';

export type DemoNode = RaftNode<Shared, SharedCommands, SharedQueries>;

/** What the page gives to the console and to automation. */
export interface Handle {
  readonly raft: typeof raft;
  /** For a page that is to be no member. */
  readonly openClient: typeof openClient;
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
  const handle: Handle = { raft, openClient, recoverNode, room, node: undefined, error: undefined };
  window.tabraft = handle;
  return handle;
}

/** The node, and the faults that can be put into its links on purpose. */
export interface Entered {
  readonly node: DemoNode;
  readonly faults: FaultyTransport;
  readonly disk: SlowDisk;
}

export async function enter({ room, link }: Entrance, name: string): Promise<Entered> {
  let faults: FaultyTransport | undefined;
  const interpose = (inner: Transport): Transport => {
    const made = FaultyTransport.around(inner);
    faults = made.faults;
    return made.transport;
  };
  const disk = new SlowDisk(browserStorage());
  // Recorded, for the inspector's time travel; the recording ends by itself when it is full.
  const options = { name, record: true, interpose, storage: disk.storage };
  const opening =
    link === undefined ? raft.enter(room, theatre, { ...options, openRoom: true }) : raft.enter(link, theatre, options);
  const node = await opening;
  if (faults === undefined) throw new Error('The transport was not made through the demo.');
  return { node, faults, disk };
}
