/** The loop around the core, where snapshots and entries come closer together than the disk can follow. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { append, LoneReplica, snapshot, turn } from './lone-replica.ts';

test('S12: nothing is applied between two snapshots in flight: what stands behind the second waits for its state', async () => {
  let written = (): void => {};
  const lone = new LoneReplica({
    write: ({ snapshot: stored }) =>
      stored?.staged.meta.index === 9 ? new Promise((resolve) => (written = resolve)) : Promise.resolve(),
  });
  await lone.receive(snapshot(3));
  await lone.receive(append(4, 6));
  // The second is on its way to the disk when the state of the first is there.
  await lone.receive(snapshot(9));
  await lone.restored();
  expect([...lone.done]).toEqual(['restore']);
  // Who looks meanwhile sees the first one's state, and its index.
  expect(lone.replica.appliedIndex).toBe(3);
  written();
  await turn();
  await lone.receive(append(10, 10));
  expect([...lone.done]).toEqual(['restore']);
  await lone.restored();
  expect(lone.done).toEqual(['restore', 'restore', 'apply 10']);
  expect(lone.replica.appliedIndex).toBe(10);
  expect(lone.faults).toEqual([]);
});

test('S12: of two snapshots one is restored after the other, so that the older state cannot come last', async () => {
  const lone = new LoneReplica();
  await lone.receive(snapshot(3));
  await lone.receive(snapshot(9));
  expect(lone.restoresUnderWay).toBe(1);
  await lone.restored();
  expect(lone.restoresUnderWay).toBe(1);
  await lone.restored();
  expect([lone.done, lone.replica.appliedIndex, lone.restoresUnderWay]).toEqual([['restore', 'restore'], 9, 0]);
});

test('A7: an entry right behind a restored snapshot that cannot be applied stops the node, with what was wrong', async () => {
  const wrong = new RaftError('version-mismatch', 'Of a later build.');
  const lone = new LoneReplica({
    apply: () => {
      throw wrong;
    },
  });
  await lone.receive(snapshot(3));
  await lone.receive(append(4, 4));
  expect(lone.faults).toEqual([]);
  await lone.restored();
  expect(lone.faults).toEqual([wrong]);
  expect(lone.replica.isStopped).toBe(true);
  expect(lone.replica.appliedIndex).toBe(3);
});

test('a snapshot that was stored before an older one was read back is restored in its place: the state has its own index', async () => {
  let read = (): void => {};
  const disk = new Promise<void>((resolve) => {
    read = resolve;
  });
  const node = new LoneReplica({ read: () => disk });
  await node.receive(snapshot(5));
  await node.receive(snapshot(9));
  expect(node.replica.appliedIndex).toBe(0);
  read();
  await turn();
  await node.restored();
  expect([node.done, node.replica.appliedIndex]).toEqual([['restore'], 9]);
  await node.restored();
  expect([node.done, node.replica.appliedIndex]).toEqual([['restore', 'restore'], 9]);
});
