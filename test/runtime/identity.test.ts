/** B7: two processes of one identity, as a copied browser profile makes them. */
import { expect, test } from 'vitest';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { Cluster } from './cluster.ts';

test('a second process of an identity that is alive ends, says why, and the first goes on', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const [original] = cluster.followers();
  const image = original?.disk.room('test').get(original.node.id);
  if (original === undefined || image === undefined) throw new Error('a follower expected');
  const disk = new MemoryDisk();
  disk.room('test').set(original.node.id, image.clone());
  // Links are made through the room: who is not let in has none.
  await expect(cluster.open({ disk, transport: new MemoryHub().transport() })).rejects.toMatchObject({ code: 'identity-in-use' });
  expect(await original.node.propose({ type: 'add', amount: 1 })).toBe(1);
});
