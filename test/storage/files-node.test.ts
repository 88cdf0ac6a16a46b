/** Files on a real disk: a process that is killed, and the system calls that a write costs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entriesOf, readAll } from '../../src/testing/storage-suite/context.ts';
import { openOnFiles } from './support/files.ts';
import { nodeFolder } from './support/node-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'tabraft-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const built = fileURLToPath(new URL('../../build/test-storage/', import.meta.url));

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: fileURLToPath(new URL('./support/files-writer.ts', import.meta.url)),
      outDir: built,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'files-writer.mjs' } },
    },
  });
});

function start(name: string, count: number, tracer: readonly string[] = []): { child: ChildProcess; path: string } {
  const path = join(root, name);
  mkdirSync(path);
  const [command = '', ...rest] = [...tracer, process.execPath, join(built, 'files-writer.mjs'), path, String(count)];
  return { child: spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] }), path };
}

/** The lines it says, until there are enough or it ends. */
function said(child: ChildProcess, enough: number): Promise<string[]> {
  return new Promise((resolve) => {
    let text = '';
    const lines = (): string[] => text.split('\n').slice(0, -1);
    child.stdout?.on('data', (more: Buffer) => {
      text += more;
      if (lines().length >= enough) resolve(lines());
    });
    child.once('exit', () => resolve(lines()));
  });
}

test('a process killed while it writes leaves every acknowledged entry', async () => {
  const { child, path } = start('killed', 1_000_000);
  const lines = await said(child, 200);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
  const store = await openOnFiles(nodeFolder(path));
  const { lastIndex } = await store.load();
  expect(lastIndex).toBeGreaterThanOrEqual(Number(lines.at(-1)));
  expect(await readAll(store, 1, lastIndex)).toEqual(entriesOf(1, lastIndex, 1, 100));
  await store.close();
});

const strace = spawnSync('strace', ['-V']).status === 0;
test.skipIf(!strace)(
  `one write and one sync for each entry${strace ? '' : ' (strace is not installed: not shown)'}`,
  async () => {
    const calls = join(root, 'calls');
    const { child } = start('traced', 40, ['strace', '-f', '-e', 'trace=fsync,fdatasync,write,pwrite64', '-o', calls]);
    expect(await said(child, 1000)).toHaveLength(40);
    const traced = readFileSync(calls, 'utf8').split('\n');
    const saidAt = (n: number): number => traced.findIndex((line) => line.includes(`write(1, "${n}\\n"`));
    for (let n = 2; n <= 40; n += 1) {
      const between = traced.slice(saidAt(n - 1) + 1, saidAt(n));
      expect(between.filter((line) => /f(?:data)?sync\(\d+\) += 0/.test(line)).length, `syncs of entry ${n}`).toBe(1);
      expect(between.filter((line) => line.includes('pwrite64(')).length, `writes of entry ${n}`).toBe(1);
    }
  },
);
