import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { LmdbStorage } from '../../src/storage/lmdb/lmdb-storage.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';

const path = mkdtempSync(join(tmpdir(), 'tabraft-lmdb-'));
afterAll(() => rmSync(path, { recursive: true, force: true }));

for (const { name, run } of storageSuite({ open: () => new LmdbStorage({ path }) })) test(`suite: ${name}`, run);
