import 'fake-indexeddb/auto';
import { test } from 'vitest';
import { IdbStorage } from '../../src/storage/idb/idb-storage.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { FakeLocks } from './support/locks.ts';

const locks = new FakeLocks().asLocks();
for (const { name, run } of storageSuite({ open: () => new IdbStorage({ locks }) })) test(`suite: ${name}`, run);
