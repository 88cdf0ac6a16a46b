/** What a page pays for the inspector: its own bytes, nothing of the library, and nothing when it runs on a server. */
import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, test } from 'vitest';

/** Of what is loaded at once, minified and compressed. */
const BYTES_MAX = 30_000;

async function bundle(): Promise<readonly Rollup.OutputChunk[]> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: { write: false, target: 'es2022', lib: { entry: 'src/inspector/index.ts', formats: ['es'], fileName: 'inspector' } },
  });
  return [built]
    .flat()
    .flatMap((one) => ('output' in one ? one.output : []))
    .filter((file) => file.type === 'chunk');
}

test(`less than ${BYTES_MAX} bytes, and no file of the rest of the house`, async () => {
  const chunks = await bundle();
  const entry = chunks.find(({ isEntry }) => isEntry);
  const files = Object.keys(entry?.modules ?? {}).map((path) => path.replace(/^.*\/src\//, 'src/'));
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((path) => !path.startsWith('src/inspector/'))).toEqual([]);
  expect(gzipSync(entry?.code ?? '', { level: 9 }).length).toBeLessThan(BYTES_MAX);
});

test('loading it where there is no page does nothing', async () => {
  const { INSPECTOR_TAG, TabraftInspector } = await import('../../src/inspector/index.ts');
  expect(INSPECTOR_TAG).toBe('tabraft-inspector');
  expect(TabraftInspector).toBeTypeOf('function');
});
