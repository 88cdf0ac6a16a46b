import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LmdbStorage } from '../../src/storage/lmdb/lmdb-storage.ts';
import { entriesOf, readAll } from '../../src/testing/storage-suite/context.ts';
import { storageSuite } from '../../src/testing/storage-suite.ts';
import { FORMAT_2_ENTRIES, FORMAT_2_NODE, FORMAT_2_STATE } from './support/format-2.ts';

const path = mkdtempSync(join(tmpdir(), 'tabraft-lmdb-'));
afterAll(() => rmSync(path, { recursive: true, force: true }));

for (const { name, run } of storageSuite({ open: () => new LmdbStorage({ path }) })) test(`suite: ${name}`, run);

test('rooms become directories, whatever they are called', async () => {
  const root = join(path, 'names');
  for (const room of ['..', '/', 'a/../../b', 'ü'.repeat(128)]) {
    const store = await new LmdbStorage({ path: root }).acquire({ room });
    await store.close();
    expect((await new LmdbStorage({ path: root }).acquire({ room, preferred: store.identity.nodeId })).identity.bootCount).toBe(
      1,
    );
  }
  expect(existsSync(join(path, 'b'))).toBe(false);
});

test('an environment that 138e393 wrote opens with all that was in it', async () => {
  const root = join(path, 'format-2');
  const directory = join(root, 'r-room', FORMAT_2_NODE);
  mkdirSync(directory, { recursive: true });
  const zipped = readFileSync(new URL('./fixtures/format-2.mdb.gz', import.meta.url));
  writeFileSync(join(directory, 'data.mdb'), gunzipSync(zipped));
  const store = await new LmdbStorage({ path: root }).acquire({ room: 'room', preferred: FORMAT_2_NODE });
  expect(store.identity.nodeId).toBe(FORMAT_2_NODE);
  expect(await store.load()).toMatchObject(FORMAT_2_STATE);
  expect(await readAll(store, 5, 14)).toEqual(FORMAT_2_ENTRIES);
  await store.write({ entries: entriesOf(15, 15, 3) });
  await store.close();
  expect((await (await new LmdbStorage({ path: root }).acquire({ room: 'room' })).load()).lastIndex).toBe(15);
});

/** Another process: opens a room, says who it is, appends entries one by one and says which are durable. */
describe('another process', () => {
  const root = join(path, 'processes');
  // Inside the project, so that the script finds its packages.
  const built = fileURLToPath(new URL('../../build/test-storage/', import.meta.url));
  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL('./support/lmdb-writer.ts', import.meta.url)),
        outDir: built,
        emptyOutDir: false,
        target: 'node20',
        rollupOptions: { output: { entryFileNames: 'writer.mjs' } },
      },
    });
  });

  function start(tracer: readonly string[], ...given: string[]): ChildProcess {
    const [command = '', ...rest] = [...tracer, process.execPath, join(built, 'writer.mjs'), root, ...given];
    return spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Lines as they come; resolves when one satisfies, or the process ended. */
  function until(child: ChildProcess, lines: string[], enough: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      let rest = '';
      child.stdout?.on('data', (text: Buffer) => {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts);
        if (enough()) resolve();
      });
      child.once('exit', () => resolve());
    });
  }

  test('holds its identity while it lives; killed, it leaves it with every acknowledged entry', async () => {
    const child = start([], 'held', '1000000', 'strict');
    const lines: string[] = [];
    await until(child, lines, () => lines.length > 50);
    const [nodeId] = lines;
    const other = await new LmdbStorage({ path: root }).acquire({ room: 'held', preferred: nodeId });
    expect(other.identity.nodeId).not.toBe(nodeId);
    await other.wipe();
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    const acknowledged = Number(lines.at(-1));
    const heir = await new LmdbStorage({ path: root }).acquire({ room: 'held' });
    expect(heir.identity).toMatchObject({ nodeId, bootCount: 1 });
    const { lastIndex } = await heir.load();
    expect(acknowledged).toBeGreaterThan(40);
    expect(lastIndex).toBeGreaterThanOrEqual(acknowledged);
    expect(await readAll(heir, 1, lastIndex)).toEqual(entriesOf(1, lastIndex, 1, 100));
    await heir.close();
  });

  const strace = spawnSync('strace', ['-V']).status === 0;
  test.skipIf(!strace)(
    `strict syncs before each write resolves${strace ? '' : ' (strace is not installed: not shown)'}`,
    async () => {
      const calls = join(path, 'calls');
      const lines: string[] = [];
      const child = start(['strace', '-f', '-e', 'trace=fsync,fdatasync,msync,write', '-o', calls], 'traced', '40', 'strict');
      await until(child, lines, () => false);
      expect(lines).toHaveLength(41);
      const traced = readFileSync(calls, 'utf8').split('\n');
      const said = (text: string): number => traced.findIndex((line) => line.includes(`write(1, "${text}\\n"`));
      for (let n = 2; n <= 40; n += 1) {
        const between = traced.slice(said(String(n - 1)) + 1, said(String(n)));
        const synced = between.filter((line) => /(?:fsync|fdatasync|msync)(?:\(| resumed>).*= 0/.test(line));
        expect(synced.length, `syncs before entry ${n} was acknowledged`).toBeGreaterThanOrEqual(1);
      }
    },
  );
});
