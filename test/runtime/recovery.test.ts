/** When a majority is gone for good: one survivor goes on in a new epoch, and the old members are told. */
import { expect, test } from 'vitest';
import { importNode, recoverNode } from '../../src/front-door/device-tools.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { Cluster } from './cluster.ts';

test('a survivor goes on alone with all it held, and a member of the old epoch is refused visibly', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  await cluster.leader().node.propose({ type: 'add', amount: 7 });
  await cluster.leader().node.barrier();
  await Promise.all(nodes.map(({ node }) => node.barrier()));
  await Promise.all(nodes.map(({ node }) => node.stop({ transfer: false })));
  const [survivor, old] = nodes;
  if (survivor === undefined || old === undefined) throw new Error('nodes expected');
  const { epoch, removed } = await recoverNode(new MemoryStorage({ disk: survivor.disk, durable: true }), 'test');
  expect(epoch).toBe(2);
  expect(removed).toHaveLength(2);
  const alone = await cluster.open({ disk: survivor.disk });
  await alone.node.ready;
  expect(alone.node.config.voters).toEqual([alone.node.id]);
  expect(await alone.node.propose({ type: 'add', amount: 1 })).toBe(8);
  const late = await cluster.open({ disk: old.disk });
  await expect(late.node.ready).rejects.toMatchObject({
    code: 'stopped',
    cause: expect.objectContaining({ code: 'epoch-mismatch' }),
  });
});

test('an exported node comes in elsewhere as a new one, and can be recovered into a cluster of its own', async () => {
  await using cluster = new Cluster();
  await using elsewhere = new Cluster();
  await cluster.of(1);
  const { node } = cluster.leader();
  await node.propose({ type: 'note', text: 'moved' });
  await node.admin.snapshot();
  await node.propose({ type: 'note', text: 'too' });
  const disk = new MemoryDisk();
  const storage = new MemoryStorage({ disk, durable: true });
  const id = await importNode(storage, 'test', node.admin.export());
  expect(id).not.toBe(node.id);
  await recoverNode(storage, 'test', id);
  const moved = await elsewhere.open({ disk });
  await moved.node.ready;
  expect(await moved.node.read((state) => [...state.log])).toEqual(['moved', 'too']);
});

test('a damaged dump brings nothing in', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  const chunks: Uint8Array[] = [];
  for await (const chunk of cluster.leader().node.admin.export()) chunks.push(chunk.slice());
  const last = chunks.at(-1);
  if (last === undefined) throw new Error('no dump');
  last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;
  const disk = new MemoryDisk();
  async function* damaged(): AsyncIterable<Uint8Array> {
    yield* chunks;
  }
  await expect(importNode(new MemoryStorage({ disk, durable: true }), 'test', damaged())).rejects.toMatchObject({
    code: 'corrupt',
  });
  expect(disk.room('test').size).toBe(0);
});
