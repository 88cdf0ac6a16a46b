/** tabraft as a page embeds it: strict durability, WebRTC links, everything but the place of storage at its default. */
import { defineStateMachine, type RaftNode, raft } from '../../src/index.ts';
import { type Contestant, MARK, TABS } from './contestant.ts';

const machine = defineStateMachine<Map<string, string>>()({
  initial: () => new Map<string, string>(),
  commands: {
    set: (state, { key, value }: { key: string; value: string }) => {
      state.set(key, value);
    },
  },
});
type Node = RaftNode<Map<string, string>, typeof machine.commands, Record<never, never>>;

export function tabraft(): Contestant {
  let node: Node | undefined;
  const opened = (): Node => {
    if (node === undefined) throw new Error('not open');
    return node;
  };
  return {
    async open(room) {
      const storage = location.search === '?storage=opfs' ? 'opfs' : 'indexeddb';
      node = await raft.enter(room, machine, { storage });
      await node.ready;
    },
    formed: () => opened().config.voters.length === TABS,
    write: (key, value) => opened().propose({ type: 'set', key, value }),
    onMark: (listener) =>
      void opened().subscribe(
        (state) => state.get(MARK),
        (value) => listener(value ?? ''),
      ),
  };
}
