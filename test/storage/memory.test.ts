import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import type { StoreFault } from '../../src/storage/storage.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';

const suiteDisk = new MemoryDisk();
for (const { name, run } of storageSuite({ open: () => new MemoryStorage({ disk: suiteDisk }) })) test(`suite: ${name}`, run);

test('a crash loses what is in flight, keeps what was acknowledged and frees the identity', async () => {
  const disk = new MemoryDisk();
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let calls = 0;
  const onWrite = (): Promise<void> | void => {
    calls += 1;
    return calls > 1 ? gate : undefined;
  };
  const store = new MemoryStorage({ disk, onWrite }).open({ room: 'r' });
  await store.write({ entries: entriesOf(1, 3, 1) });
  const lost = store.write({ entries: entriesOf(4, 6, 1) });
  expect(store.term(6)).toBe(1);
  store.crash();
  open();
  await expect(lost).rejects.toMatchObject({ code: 'storage-closed' });
  const next = new MemoryStorage({ disk }).open({ room: 'r' });
  expect(next.identity).toMatchObject({ nodeId: store.identity.nodeId, bootCount: 1 });
  expect((await next.load()).lastIndex).toBe(3);
});

test('a failed write fails the later ones too, tells onFault once, and load makes a new start from the disk', async () => {
  let full = true;
  const onWrite = (): void => {
    if (full) throw new RaftError('quota', 'no room');
  };
  const faults: StoreFault[] = [];
  const store = new MemoryStorage({ onWrite }).open({ room: 'r', onFault: (fault) => faults.push(fault) });
  const first = store.write({ entries: entriesOf(1, 1, 1) });
  const second = store.write({ entries: entriesOf(2, 2, 1) });
  await expect(first).rejects.toMatchObject({ code: 'quota' });
  await expect(second).rejects.toMatchObject({ code: 'quota' });
  await expect(store.write({ entries: entriesOf(3, 3, 1) })).rejects.toMatchObject({ code: 'quota' });
  expect(faults.map((fault) => fault.code)).toEqual(['quota']);
  full = false;
  expect((await store.load()).lastIndex).toBe(0);
  await store.write({ entries: entriesOf(1, 2, 2) });
  expect((await store.load()).lastIndex).toBe(2);
});

test('an injected fault reaches the owner', async () => {
  const faults: StoreFault[] = [];
  const store = new MemoryStorage().open({ room: 'r', onFault: (fault) => faults.push(fault) });
  store.fail({ code: 'storage-closed', message: 'deleted by the browser' });
  expect(faults).toMatchObject([{ code: 'storage-closed', message: 'deleted by the browser' }]);
  await expect(store.write({ entries: entriesOf(1, 1, 1) })).rejects.toMatchObject({ code: 'storage-closed' });
});
