import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { BrowserStorage, type BrowserStorageKind } from '../../src/storage/browser-storage.ts';
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import type { NodeStore } from '../../src/storage/storage.ts';
import { entriesOf } from '../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { FakeLocks } from './support/locks.ts';
import { ModelledFiles } from './support/modelled-files.ts';
import { ModelledStores } from './support/modelled-stores.ts';

let rooms = 0;
function newRoom(): string {
  rooms += 1;
  return `room-${rooms}`;
}

/** One browser profile, with a room of its own. */
class Profile {
  readonly locks: FakeLocks = new FakeLocks();
  readonly files: ModelledStores = new ModelledStores(this.locks.asLocks());
  readonly room: string = newRoom();

  storage(keep: BrowserStorageKind): BrowserStorage {
    const tables = new IdbStorage({ locks: this.locks.asLocks(), persist: false });
    return new BrowserStorage({ files: this.files, tables, keep, locks: this.locks.asLocks() });
  }

  open(keep: BrowserStorageKind, preferred?: string): Promise<NodeStore> {
    return this.storage(keep).acquire({ room: this.room, preferred });
  }

  async databases(): Promise<readonly string[]> {
    const prefix = `tabraft:${this.room}:`;
    return (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(prefix) ? [name.slice(prefix.length)] : []));
  }
}

async function append(store: NodeStore, count: number): Promise<void> {
  const { lastIndex } = await store.load();
  const batch = {
    hardState: { term: 7, vote: 'me', commit: lastIndex },
    entries: entriesOf(lastIndex + 1, lastIndex + count, 7),
  };
  await store.write(batch);
}
const lastIndex = async (store: NodeStore): Promise<number> => (await store.load()).lastIndex;
const unavailable = (): never => {
  throw new RaftError('storage-unavailable', 'There is no storage worker.');
};
const full = (): never => {
  throw new RaftError('quota', 'No room.');
};

for (const keep of ['opfs', 'indexeddb'] as const) {
  const profile = new Profile();
  for (const { name, run } of storageSuite({ open: () => profile.storage(keep) })) test(`suite, ${keep}: ${name}`, run);
}

describe('a node', () => {
  test('moves to where it is asked for, and back, with its id, votes and log; nothing is left in the other place', async () => {
    const profile = new Profile();
    const first = await profile.open('indexeddb');
    const { nodeId } = first.identity;
    expect(first.identity.kept).toEqual({ kind: 'indexeddb', fallback: '' });
    await append(first, 5);
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await first.identityKey.save(pair);
    await first.close();
    const publicKey = await crypto.subtle.exportKey('jwk', pair.publicKey);
    for (const [keep, kind, last] of [
      ['opfs', 'opfs', 5],
      ['auto', 'opfs', 6],
      ['indexeddb', 'indexeddb', 7],
      ['auto', 'opfs', 8],
    ] as const) {
      const store = await profile.open(keep, nodeId);
      expect(store.identity).toMatchObject({ nodeId, kept: { kind, fallback: '' } });
      expect(await store.load()).toMatchObject({ lastIndex: last, hardState: { term: 7, vote: 'me' } });
      const kept = await store.identityKey.load();
      expect(kept && (await crypto.subtle.exportKey('jwk', kept.publicKey))).toEqual(publicKey);
      await append(store, 1);
      await store.close();
      expect(await profile.databases()).toEqual(kind === 'opfs' ? [] : [nodeId]);
      expect(await profile.files.ids(profile.room)).toEqual(kind === 'opfs' ? [nodeId] : []);
      expect(profile.locks.names).toEqual([]);
    }
  });

  test('that is open in another tab stays where it is; the next tab takes an identity of its own', async () => {
    const profile = new Profile();
    const held = await profile.open('indexeddb');
    await append(held, 3);
    const other = await profile.open('opfs');
    expect(other.identity.nodeId).not.toBe(held.identity.nodeId);
    await append(held, 1);
    expect(await lastIndex(held)).toBe(4);
    await Promise.all([held.close(), other.close()]);
  });

  test('is found by recency among both places', async () => {
    const profile = new Profile();
    const [older, newer] = [await profile.open('opfs'), await profile.open('indexeddb')];
    await Promise.all([older.close(), newer.close()]);
    const adopted = await profile.open('opfs');
    expect(adopted.identity.nodeId).toBe(newer.identity.nodeId);
    const left = await profile.open('opfs');
    expect(left.identity.nodeId).toBe(older.identity.nodeId);
    await Promise.all([adopted.close(), left.close()]);
  });

  test('is wiped wherever it lies', async () => {
    const profile = new Profile();
    const first = await profile.open('indexeddb');
    await append(first, 1);
    await first.close();
    const store = await profile.open('opfs', first.identity.nodeId);
    await store.wipe();
    expect(await profile.databases()).toEqual([]);
    expect(await profile.files.ids(profile.room)).toEqual([]);
  });
});

describe('where there are no files', () => {
  test("'auto' keeps the node in IndexedDB and says why; 'opfs' is refused; nothing is asked twice", async () => {
    const profile = new Profile();
    profile.files.onOpen = unavailable;
    await expect(profile.open('opfs')).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect(profile.locks.names).toEqual([]);
    profile.files.opened = 0;
    const store = await profile.open('auto');
    expect(store.identity.kept).toEqual({ kind: 'indexeddb', fallback: 'There is no storage worker.' });
    expect(profile.files.opened).toBe(1);
    await append(store, 2);
    await store.close();
    // The same node: it is not moved, and not left behind.
    const again = await profile.open('auto', store.identity.nodeId);
    expect(again.identity).toMatchObject({ nodeId: store.identity.nodeId, kept: { kind: 'indexeddb' } });
    expect(again.identity.kept?.fallback).not.toBe('');
    await again.close();
    await expect(profile.open('opfs', store.identity.nodeId)).rejects.toMatchObject({ code: 'storage-unavailable' });
    // Files are back: so is the node.
    profile.files.onOpen = undefined;
    const moved = await profile.open('auto', store.identity.nodeId);
    expect(moved.identity.kept).toEqual({ kind: 'opfs', fallback: '' });
    expect(await lastIndex(moved)).toBe(2);
    await moved.close();
  });

  test.each(['auto', 'indexeddb', 'opfs'] as const)('a node that lies in them is not replaced by a new one: %s', async (keep) => {
    const profile = new Profile();
    const store = await profile.open('opfs');
    await append(store, 2);
    await store.close();
    profile.files.onOpen = unavailable;
    for (const preferred of [store.identity.nodeId, undefined]) {
      profile.files.opened = 0;
      await expect(profile.open(keep, preferred)).rejects.toMatchObject({ code: 'storage-unavailable' });
      expect(profile.files.opened).toBe(1);
    }
    expect(await profile.databases()).toEqual([]);
    expect(profile.locks.names).toEqual([]);
    profile.files.onOpen = undefined;
    const back = await profile.open(keep);
    expect(back.identity.nodeId).toBe(store.identity.nodeId);
    expect(await lastIndex(back)).toBe(2);
    await back.close();
  });
});

describe('a disk', () => {
  test.each(['auto', 'opfs'] as const)(
    'without room for a second copy: the node is opened where it lies, and says so: %s',
    async (keep) => {
      const profile = new Profile();
      const store = await profile.open('indexeddb');
      await append(store, 2);
      await store.close();
      profile.files.onOpen = full;
      const stayed = await profile.open(keep, store.identity.nodeId);
      expect(stayed.identity).toMatchObject({ nodeId: store.identity.nodeId, kept: { kind: 'indexeddb', fallback: 'No room.' } });
      await append(stayed, 1);
      await stayed.close();
      profile.files.onOpen = undefined;
      const moved = await profile.open(keep, store.identity.nodeId);
      expect(moved.identity.kept).toEqual({ kind: 'opfs', fallback: '' });
      expect(await lastIndex(moved)).toBe(3);
      await moved.close();
    },
  );

  test('that fails once in the middle of the way, at every call: the node is where it was, or where it was to go, whole', async () => {
    for (let at = 1, untouched = false; !untouched; at += 1) {
      const profile = new Profile();
      const first = await profile.open('indexeddb');
      const { nodeId } = first.identity;
      await append(first, 4);
      await first.close();
      const disk = new ModelledFiles();
      profile.files.folders.set(`${profile.room}/${nodeId}`, disk);
      let calls = 0;
      disk.onCall = (_call, when) => {
        if (when === 'before') calls += 1;
        if (when === 'before' && calls === at) throw new DOMException('The disk fails.', 'UnknownError');
      };
      let failed = false;
      const store = await profile.open('opfs', nodeId).catch((error: unknown) => {
        // Opening what has moved already may fail like any opening; it loses nothing.
        expect(RaftError.is(error, 'storage'), String(error)).toBe(true);
        failed = true;
        return profile.open('opfs', nodeId);
      });
      untouched = calls < at;
      disk.onCall = undefined;
      expect(store.identity.nodeId, `call ${at}`).toBe(nodeId);
      expect(await store.load()).toMatchObject({ lastIndex: 4, hardState: { term: 7, vote: 'me' } });
      const { kept } = store.identity;
      if (untouched) expect({ kept, failed }).toEqual({ kept: { kind: 'opfs', fallback: '' }, failed: false });
      if (kept?.kind === 'indexeddb') expect(kept.fallback).toContain('The disk fails');
      await append(store, 1);
      await store.close();
      expect(profile.locks.names).toEqual([]);
      const later = await profile.open('opfs', nodeId);
      expect(later.identity).toMatchObject({ nodeId, kept: { kind: 'opfs', fallback: '' } });
      expect(await lastIndex(later)).toBe(5);
      await later.close();
      expect(await profile.databases()).toEqual([]);
    }
  });
});
