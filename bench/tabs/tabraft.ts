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
  const events: { atMs: number; what: string }[] = [];
  const note = (what: string): void => void events.push({ atMs: performance.now(), what });
  const opened = (): Node => {
    if (node === undefined) throw new Error('not open');
    return node;
  };
  return {
    async open(room) {
      const storage = new URLSearchParams(location.search).get('storage') === 'opfs' ? 'opfs' : 'indexeddb';
      node = await raft.enter(room, machine, { storage });
      node.on('leader', ({ term }) => note(`leader of term ${term}`));
      node.on('snapshot', ({ kind }) => note(`snapshot ${kind}`));
      node.on('config', () => note('config'));
      node.on('fault', ({ error }) => note(`fault ${error.code}`));
      await node.ready;
    },
    events,
    formed: () => opened().config.voters.length === TABS,
    write: (key, value) => opened().propose({ type: 'set', key, value }),
    onMark: (listener) =>
      void opened().subscribe(
        (state) => state.get(MARK),
        (value) => listener(value ?? ''),
      ),
  };
}
