/** What package.json promises is what the build makes, from sources that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Plugin, UserConfig } from 'vite';
import { expect, test } from 'vitest';
import { production } from '../../scripts/production.mjs';
import configure from '../../vite.config.ts';

interface PackageFile {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly development: string; readonly default: string }>
  >;
}

const described = JSON.parse(readFileSync('package.json', 'utf8')) as PackageFile;
const library = configure({ mode: 'library', command: 'build' });
const workers = configure({ mode: 'library-workers', command: 'build' });
const entriesOf = ({ build }: UserConfig): Readonly<Record<string, string>> =>
  (build?.lib || { entry: {} }).entry as Readonly<Record<string, string>>;
const entries = { ...entriesOf(library), ...entriesOf(workers) };

function entryOf(file: string): string | undefined {
  expect(file).toMatch(/^\.\/dist\/[\w-]+\.js$/);
  return entries[basename(file, '.js')];
}

test('every export is an entry of the build, and its types come from the same source', () => {
  const targets = Object.entries(described.exports).filter(([name]) => name !== './package.json');
  expect(targets.length).toBeGreaterThan(3);
  for (const [name, target] of targets) {
    if (typeof target === 'string') throw new Error(`${name} has no types`);
    const source = entryOf(target.default);
    expect(source, name).toBeDefined();
    expect(target.types, name).toBe(`./dist/types/${source?.replace(/\.ts$/, '.d.ts')}`);
    // A worker is the same file for both builds.
    if (name.endsWith('-worker')) continue;
    // Types first, and of the two builds the one for development under the condition that bundlers set.
    expect(Object.keys(target), name).toEqual(['types', 'development', 'default']);
    expect(target.development, name).toBe(target.default.replace('./dist/', './dist/development/'));
  }
});

test('every command is an entry of the build, and a script', () => {
  for (const [name, file] of Object.entries(described.bin)) {
    const source = entryOf(file) ?? '';
    expect(existsSync(source), name).toBe(true);
    expect(readFileSync(source, 'utf8'), name).toMatch(/^#!\/usr\/bin\/env node\n/);
  }
});

test('every entry has a source, and is exported or a command', () => {
  const named = [
    ...Object.values(described.bin),
    ...Object.values(described.exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default])),
  ];
  for (const [name, source] of Object.entries(entries)) {
    expect(existsSync(source), source).toBe(true);
    expect(named).toContain(`./dist/${name}.js`);
  }
});

test('what is bundled is not installed as well, and what is imported by name is', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const external = library.build?.rollupOptions?.external as (id: string) => boolean;
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) expect(external(name), name).toBe(true);
  for (const name of ['idb', 'msgpackr', 'msgpackr/pack', 'simple-peer']) expect(external(name), name).toBe(false);
});

test('the production build has none of what only a development build says', () => {
  const answer = (id: string): unknown => (production.load as (id: string) => unknown)(id);
  expect(answer('/anywhere/src/state/development.ts')).toBe('export const IS_DEVELOPMENT = false;');
  expect(answer('/anywhere/src/state/draft.ts')).toBeUndefined();
  expect(library.plugins).toContain(production);
  expect(configure({ mode: 'library-development', command: 'build' }).plugins ?? []).not.toContain(production);
});

test('a worker of the package is asked for in the form that bundlers look for, from wherever the code comes to lie', () => {
  const names = Object.keys(entriesOf(workers));
  expect(names).toEqual(['files-worker', 'ticker-worker']);
  for (const [mode, up] of [
    ['library', ''],
    ['library-development', '../'],
  ] as const) {
    const plugins = [configure({ mode, command: 'build' }).plugins].flat(3);
    const plugin = plugins.find((one): one is Plugin => !!one && 'name' in one && one.name === 'tabraft-worker-urls');
    const transform = plugin?.transform as unknown as (code: string) => { readonly code: string };
    const render = plugin?.renderChunk as unknown as (
      code: string,
      chunk: { readonly fileName: string },
    ) => { readonly code: string };
    for (const name of names) {
      const { code } = transform(`new Worker(new URL('../storage/${name}.ts', import.meta.url), { type: 'module' })`);
      expect(code).not.toContain('.ts');
      const made = (fileName: string): string => render(code, { fileName }).code;
      const at = (path: string): string => `new Worker(new URL('${path}', import.meta.url), { type: 'module' })`;
      expect(made('index.js')).toBe(at(`${up === '' ? './' : up}${name}.js`));
      expect(made('chunks/browser-1.js')).toBe(at(`../${up}${name}.js`));
    }
  }
});
