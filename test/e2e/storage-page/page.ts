/** A page of the built package, as an application bundles it: one node, driven by the test as `lab`. */
import {
  type BrowserStorageKind,
  browserStorage,
  defineStateMachine,
  importNode,
  RaftError,
  type RaftNode,
  raft,
  recoverNode,
} from '../../../src/index.ts';

const tally = defineStateMachine<{ sum: number }>()({
  initial: () => ({ sum: 0 }),
  commands: {
    add: (state, { by }: { by: number }) => {
      state.sum += by;
      return state.sum;
    },
  },
});
type Node = RaftNode<{ sum: number }, typeof tally.commands, Record<never, never>>;

export interface Opened {
  readonly id: string;
  readonly kind: string;
  readonly fallback: string;
}

let node: Node | undefined;
function open(): Node {
  if (node === undefined) throw new Error('not open');
  return node;
}

const lab = {
  /** The code of a failure instead. */
  enter: async (room: string, storage: BrowserStorageKind): Promise<Opened | string> => {
    try {
      node = await raft.enter(room, tally, { storage, openRoom: true });
      const { id, storageKind: kind, storageFallback: fallback } = node.status;
      return { id, kind, fallback };
    } catch (error) {
      if (RaftError.is(error)) return error.code;
      throw error;
    }
  },
  ready: (): Promise<void> => open().ready,
  voters: (): number => open().config.voters.length,
  add: (by: number): Promise<number> => open().propose({ type: 'add', by }),
  sum: (): Promise<number> => open().read((state) => state.sum),
  stop: (): Promise<void> => open().stop(),
  /** Brings a dump of the node into another room of this device, where it goes on alone. */
  duplicate: async (room: string, storage: BrowserStorageKind): Promise<string> => {
    const id = await importNode(browserStorage(storage), room, open().admin.export());
    await open().stop();
    await recoverNode(browserStorage(storage), room, id);
    return id;
  },
};
export type Lab = typeof lab;
Object.assign(globalThis, { lab });
