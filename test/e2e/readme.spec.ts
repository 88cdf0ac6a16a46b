/** The README's example, word for word: it type-checks, and it works in two tabs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { site } from '../../scripts/site.mjs';
import { expect, FORMING_MS, test } from './cluster.ts';

const EXAMPLE_LINES_MAX = 25;

function run(...parameters: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** Writes the example and what it needs to be a page; `tabraft` is this repository's front door. */
function unpack(folder: string): void {
  const [, code = ''] = /^```ts\n(import [\s\S]*?)^```$/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  expect(code).toContain("from 'tabraft'");
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(EXAMPLE_LINES_MAX);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'example.ts'), `${code}export {};\n`);
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>example</title><body><script type="module" src="./example.ts"></script>',
  );
  const front = resolve('src/index.ts');
  const compilerOptions = { noEmit: true, paths: { tabraft: [front] }, isolatedDeclarations: false, declaration: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: resolve('tsconfig.json'), compilerOptions, include: ['example.ts', resolve('src/**/*.d.ts')] }),
  );
  writeFileSync(
    join(folder, 'vite.config.mjs'),
    `export default { base: './', resolve: { alias: { tabraft: ${JSON.stringify(front)} } }, build: { target: 'es2022' }, worker: { format: 'es' } };`,
  );
}

test('the example of the README type-checks and runs', async ({ profile }) => {
  mkdirSync('build', { recursive: true });
  const folder = mkdtempSync(resolve('build', 'readme-'));
  unpack(folder);
  expect(run('node_modules/typescript/bin/tsc', '-p', folder)).toEqual({ status: 0, output: '' });
  expect(run('node_modules/vite/bin/vite.js', 'build', folder, '--logLevel', 'error').status).toBe(0);

  const { attachSignaling } = (await import(resolve('build/server/signaling.mjs'))) as {
    attachSignaling(server: object): Promise<{ close(): Promise<void> }>;
  };
  const server = createServer(site(join(folder, 'dist')));
  const signaling = await attachSignaling(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
    const first = await profile.open(url);
    await expect(first.page.getByRole('button')).toHaveText('A1: free', { timeout: FORMING_MS });
    const second = await profile.open(url);
    await expect(second.page.getByRole('button')).toHaveText('A1: free', { timeout: FORMING_MS });
    await first.page.getByRole('button').click();
    await expect(first.page).toHaveTitle('mine');
    await expect(second.page.getByRole('button')).toHaveText(/^A1: tab /);
    await second.page.getByRole('button').click();
    await expect(second.page).toHaveTitle(/ was first$/);
  } finally {
    await signaling.close();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(folder, { recursive: true, force: true });
  }
});
