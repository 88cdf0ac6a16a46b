/** The SQLite storage in Cloudflare's own runtime (miniflare): an object of its own for each test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { builtWorker, miniflareOf } from '../support/miniflare.ts';

let script = '';
let miniflare: Miniflare | undefined;
const folder = mkdtempSync(join(tmpdir(), 'tabraft-sqlite-'));

beforeAll(async () => {
  script = await builtWorker('test/storage/support/sqlite-worker.ts');
  await start();
});
afterAll(async () => {
  await miniflare?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Again: everything in memory is lost, as in an eviction. */
async function start(): Promise<void> {
  await miniflare?.dispose();
  miniflare = miniflareOf({ script, folder, className: 'SuiteObject', bindings: {} });
  await miniflare.ready;
}

async function ask(name: string): Promise<unknown> {
  if (miniflare === undefined) throw new Error('miniflare does not run');
  const response = await miniflare.dispatchFetch(`http://suite/${encodeURIComponent(name)}`);
  const { ok, answer } = (await response.json()) as { readonly ok: boolean; readonly answer: unknown };
  if (!ok) throw new Error(String(answer));
  return answer;
}

for (const { name } of storageSuite({ open: () => new MemoryStorage() })) test(`suite: ${name}`, () => ask(name).then(() => {}));

test('a value too long for one row is kept in several, which go with it', async () => {
  expect(await ask('large')).toEqual({
    same: true,
    scanned: [
      [5, 2 * 1024 * 1024 + 17],
      [6, 1],
    ],
    short: [1, 2],
    left: 0,
  });
});

test('of a transaction that fails in the middle nothing is kept', async () => {
  expect(await ask('half')).toEqual({ code: 'storage', after: [['a', 1]] });
});

test('an object that is evicted while a node is open comes back as that node, with its vote and log', async () => {
  const nodeId = await ask('write');
  await start();
  expect(await ask('read')).toEqual({
    ...{ nodeId, bootCount: 1, clusterId: 'c', term: 3, vote: nodeId, commit: 20, lastIndex: 20, bytes: 2_000 },
  });
});

test('a small write costs little more than one row', async () => {
  const rows = await ask('rows');
  expect(rows).toBeGreaterThanOrEqual(1);
  expect(rows).toBeLessThan(1.3);
});
