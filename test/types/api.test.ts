/** Good usage compiles with exact types; bad usage does not. Checked by the type checker; the runner only proves that it is looked at. */
import { expect, test } from 'vitest';
import type { raft } from '../../src/index.ts';
import type { RaftNode } from '../../src/runtime/api/api.ts';
import { defineStateMachine } from '../../src/state/typed-machine.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const exactly = <A, B>(same: Equal<A, B>): void => void same;

const kv = defineStateMachine<Map<string, string>>()({
  initial: () => new Map<string, string>(),
  commands: {
    set: (state, { key, value }: { key: string; value: string }) => {
      const old = state.get(key);
      state.set(key, value);
      return old;
    },
    del: (state, { key }: { key: string }) => state.delete(key),
    clear: (state) => {
      const { size } = state;
      state.clear();
      return size;
    },
  },
  queries: { get: (state, key: string) => state.get(key), size: (state) => state.size },
});
type Node = RaftNode<Map<string, string>, typeof kv.commands, NonNullable<typeof kv.queries>>;

const bare = defineStateMachine<{ n: number }>()({
  initial: () => ({ n: 0 }),
  commands: { up: (state, _input, context) => (state.n += context.index) },
});
type Bare = RaftNode<{ n: number }, typeof bare.commands, NonNullable<typeof bare.queries>>;

async function goodUsage(node: Node, plain: Bare): Promise<void> {
  const old = await node.propose({ type: 'set', key: 'x', value: '1' });
  exactly<typeof old, string | undefined>(true);
  const gone = await node.propose({ type: 'del', key: 'x' }, { timeoutMs: 500, signal: AbortSignal.timeout(1) });
  exactly<typeof gone, boolean>(true);
  const count = await node.propose({ type: 'clear' });
  exactly<typeof count, number>(true);
  const { result, index } = await node.proposeDetailed({ type: 'clear' });
  exactly<[typeof result, typeof index], [number, typeof index]>(true);
  const [first, second] = await node.batch([
    { type: 'set', key: 'k', value: 'v' },
    { type: 'del', key: 'k' },
  ]);
  exactly<[typeof first, typeof second], [string | undefined, boolean]>(true);
  const value = await node.query('get', 'x', { consistency: 'local' });
  exactly<typeof value, string | undefined>(true);
  const size = await node.query('size');
  exactly<typeof size, number>(true);
  const read = await node.read((state) => state.size, { consistency: { atLeast: 3 } });
  exactly<typeof read, number>(true);
  for await (const change of node.changes()) {
    if (change.type === 'del') exactly<[typeof change.input.key, typeof change.result], [string, boolean]>(true);
  }
  exactly<Awaited<ReturnType<typeof plain.propose<{ type: 'up' }>>>, number>(true);
}

const shadowed = defineStateMachine<{ n: number }>()({
  initial: () => ({ n: 0 }),
  commands: { file: (state, { type }: { type: string }) => type.length + state.n },
});

async function ownTypeField(
  node: RaftNode<{ n: number }, typeof shadowed.commands, NonNullable<typeof shadowed.queries>>,
): Promise<void> {
  // @ts-expect-error a field of one's own named type is the command's name
  await node.propose({ type: 'file' });
}

/** One wrong option is one error: what comes after keeps its types. */
async function oneMistake(enter: typeof raft.enter): Promise<void> {
  // @ts-expect-error a typo in an option
  const node = await enter('room', kv, { signalling: 'wss://example.test' });
  const old = await node.propose({ type: 'set', key: 'x', value: '1' });
  exactly<typeof old, string | undefined>(true);
  const bytes = await enter('room', {
    apply: (command) => command,
    snapshot: () => new Uint8Array(0),
    restore: () => {},
  });
  const answer = await bytes.propose(new Uint8Array(1));
  exactly<typeof answer, Uint8Array>(true);
  const bareNode = await enter('room', bare);
  const up = await bareNode.propose({ type: 'up' });
  exactly<typeof up, number>(true);
  // @ts-expect-error a machine without queries has none
  await bareNode.query('get');
}

async function badUsage(node: Node, plain: Bare): Promise<void> {
  // @ts-expect-error an unknown command
  await node.propose({ type: 'nope' });
  // @ts-expect-error a wrong input
  await node.propose({ type: 'set', key: 1, value: '1' });
  // @ts-expect-error a missing input
  await node.propose({ type: 'del' });
  // @ts-expect-error an unknown query
  await node.query('nope');
  // @ts-expect-error a query without its input
  await node.query('get');
  // @ts-expect-error a machine without queries has none
  await plain.query('get');
  // @ts-expect-error a reader must not write
  await node.read((state) => state.size, { consistency: 'eventual' });
  // @ts-expect-error an unknown event
  node.on('nothing', () => {});
  // @ts-expect-error status is read only
  node.status.term = 3;
}

test('good and bad usage are functions that the type checker has read', () => {
  expect([goodUsage.length, badUsage.length, oneMistake.length, ownTypeField.length]).toEqual([2, 2, 1, 1]);
});
