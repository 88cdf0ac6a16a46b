/** Two clusters founded in one room: what the device that was not told of the other does when it comes back. */
import { expect, test } from 'vitest';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import type { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { Cluster, type Opened } from './cluster.ts';

/** Founds under a server that nobody else hears of, and is gone; meanwhile another founds where everybody looks. */
async function foundedTwice(cluster: Cluster, use: (early: Opened) => Promise<unknown>): Promise<Opened> {
  const early = await cluster.open({ signaling: new MemorySignalingHub().signaling() });
  await early.node.ready;
  await use(early);
  await early.node.stop();
  const other = await cluster.open();
  await other.node.ready;
  await other.node.propose({ type: 'add', amount: 7 });
  return early;
}

/** The memory server answers while the node opens: nobody is handed a node that has ended. */
async function isTurnedAway(cluster: Cluster, disk: MemoryDisk): Promise<void> {
  await expect(cluster.open({ disk })).rejects.toMatchObject({ code: 'cluster-mismatch' });
}

test('a founder whose cluster nobody used is told so, and joins the room’s when it is opened again', async () => {
  await using cluster = new Cluster();
  const early = await foundedTwice(cluster, () => Promise.resolve());
  await isTurnedAway(cluster, early.disk);
  const again = await cluster.open({ disk: early.disk });
  expect(again.node.id).not.toBe(early.node.id);
  await again.node.ready;
  expect(await again.node.read((state) => state.balance)).toBe(7);
});

test('a founder whose cluster holds a write keeps it: only people can say which of the two is to go', async () => {
  await using cluster = new Cluster();
  const early = await foundedTwice(cluster, ({ node }) => node.propose({ type: 'note', text: 'kept' }));
  for (let opening = 0; opening < 2; opening++) await isTurnedAway(cluster, early.disk);
});
