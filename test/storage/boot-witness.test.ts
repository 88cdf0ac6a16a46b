/** A copy of a store from before comes back: what a witness kept apart from it can tell. */
import { expect, test } from 'vitest';
import {
  requireNoRollback,
  type WebStorage,
  WebStorageWitness,
  WITNESSED_IDENTITIES_MAX,
  witnessedBoots,
} from '../../src/storage/boot-witness.ts';
import { openPacked } from '../../src/storage/packed/open-packed.ts';
import type { BootWitness } from '../../src/storage/storage.ts';
import { copyTables, type DiskEvent, ModelledDisk } from '../../src/testing/modelled-disk.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';

function webStorage(): WebStorage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

const open = (disk: ModelledDisk, witness: BootWitness, durability: 'strict' | 'relaxed' = 'strict') =>
  openPacked({
    medium: disk.open(),
    room: 'room',
    nodeId: 'node',
    bootNonce: 'boot',
    durability,
    onFault: undefined,
    fresh: disk.tables().meta.size === 0,
    nowMs: 0,
    witness,
  });

test('a copy of the disk from before is refused, the disk itself is not', async () => {
  const witness = new WebStorageWitness(webStorage());
  const disk = new ModelledDisk();
  await (await open(disk, witness))?.close();
  const old = ModelledDisk.from(copyTables(disk.tables()));
  const second = await open(disk, witness);
  await second?.load();
  await second?.write({ entries: entriesOf(1, 3, 1) });
  await second?.close();
  await expect(open(old, witness)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('older copy') });
  expect(await open(disk, witness)).toBeDefined();
});

test('the witness is told after the store has it durably, also in a relaxed store: a power cut raises no false alarm', async () => {
  for (const durability of ['strict', 'relaxed'] as const) {
    const disk = new ModelledDisk();
    const events: string[] = [];
    disk.onStep = ({ step, durability: asked }: DiskEvent) => void events.push(`${step} ${asked}`);
    const witness: BootWitness = {
      read: async () => undefined,
      write: async () => void events.push('told'),
      forget: async () => undefined,
    };
    await open(disk, witness, durability);
    expect(events).toEqual(['called strict', 'applied strict', 'durable strict', 'told']);
  }
});

test('one that hangs, throws or talks nonsense is not waited for, and refuses nothing', async () => {
  const told = (read: () => Promise<number | undefined>): Promise<number | undefined> =>
    witnessedBoots({ read, write: async () => undefined, forget: async () => undefined }, { room: 'r', nodeId: 'n' }, 1);
  expect(await told(() => new Promise(() => undefined))).toBeUndefined();
  expect(await told(() => Promise.reject(new Error('broken')))).toBeUndefined();
  expect(await told(async () => Number.POSITIVE_INFINITY)).toBeUndefined();
  expect(await told(async () => 4)).toBe(4);
  for (const witnessed of [undefined, 0, 3]) expect(() => requireNoRollback(3, witnessed)).not.toThrow();
  expect(() => requireNoRollback(3, 4)).toThrow('opened 4 times');
});

test('in localStorage: so many identities, the least recently opened go; what is damaged counts for nothing', async () => {
  const storage = webStorage();
  const witness = new WebStorageWitness(storage);
  const id = (n: number) => ({ room: 'a room: with signs', nodeId: `n${n}` });
  for (let n = 0; n < WITNESSED_IDENTITIES_MAX + 3; n += 1) await witness.write(id(n), n + 1);
  await witness.write(id(3), 9);
  await witness.write(id(100), 1);
  expect(await witness.read(id(3))).toBe(9);
  expect(await witness.read(id(4))).toBeUndefined();
  expect(await witness.read({ ...id(3), room: 'another' })).toBeUndefined();
  expect(JSON.parse(storage.kept.get('tabraft:boots') ?? '')).toHaveLength(WITNESSED_IDENTITIES_MAX);
  await witness.forget(id(3));
  expect(await witness.read(id(3))).toBeUndefined();
  storage.setItem('tabraft:boots', '[["x",1],["y","z"],3,null]');
  expect(await witness.read(id(5))).toBeUndefined();
  storage.setItem('tabraft:boots', '{{{');
  expect(await witnessedBoots(witness, id(5))).toBeUndefined();
});
