/**
 * `npm run package:check`: packs the package as npm would, and uses the tarball as strangers do: four bundlers, two builds, a stock
 * TypeScript template, Node without a page and without optional packages, the commands; and weighs it against its budgets. Needs
 * `npm run build` before.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import * as esbuild from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const described = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** A child that hangs has left something open: ms. */
const CHILD_MS = 30_000;
/** How many parts of a weight are named. */
const LARGEST_SHOWN = 6;
/** What only a development build says. */
const SAID_IN_DEVELOPMENT = 'returned what looks like a new state';

/** Bytes, min+gz with esbuild, of what is loaded: what a change may not go beyond. Lower one when it has room. */
const BUDGETS = {
  'a tab, over its own WebRTC': 177_000,
  'a tab, over simple-peer': 182_000,
  'tabraft/core': 21_500,
  'RaftError alone': 2_500,
  'tabraft/react': 5_000,
  'tabraft/vue': 5_000,
  'tabraft/svelte': 5_000,
  'tabraft/solid': 5_000,
  'tabraft/signals': 5_000,
  'tabraft/structures': 6_000,
  'tabraft/text': 5_000,
};
const ALL_A_TAB_NEEDS = "import { raft, defineStateMachine } from 'tabraft'; console.log(raft, defineStateMachine);";

const failures = [];
const work = mkdtempSync(join(tmpdir(), 'tabraft-package-'));
const app = join(work, 'app');

async function check(name, run) {
  try {
    const said = await run();
    console.log(`  ok      ${name}${said ? `: ${said}` : ''}`);
  } catch (error) {
    failures.push(name);
    console.log(`  FAILED  ${name}: ${error.message}`);
  }
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

/** Runs a program in the scratch application; it must end by itself. */
function run(command, args, cwd = app) {
  const { status, stdout, stderr, signal } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: CHILD_MS });
  return { status: signal ? `killed by ${signal}` : status, output: `${stdout}${stderr}`.trim() };
}

/** The tarball, unpacked where an installation would put it, beside its dependencies and nothing else. */
function install() {
  const packed = run('npm', ['pack', '--ignore-scripts', '--pack-destination', work], root);
  must(packed.status === 0, packed.output);
  const [tarball] = readdirSync(work).filter((name) => name.endsWith('.tgz'));
  const home = join(app, 'node_modules', 'tabraft');
  mkdirSync(home, { recursive: true });
  must(run('tar', ['-xzf', join(work, tarball), '-C', home, '--strip-components=1'], work).status === 0, 'tar');
  // Its dependencies; optional packages are not there.
  for (const name of Object.keys(described.dependencies))
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  return join(work, tarball);
}

function entry(name, text) {
  const path = join(app, name);
  writeFileSync(path, text);
  return path;
}

/** What is loaded with the entry, and the chunk that is loaded later under this name: `{ atOnce, later, files }`, the files with their bytes. */
async function weigh(name, text, lazily) {
  const input = entry(`weigh-${name.replaceAll(/\W/g, '-')}.js`, text);
  const built = await esbuild.build({
    entryPoints: [input],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    outdir: join(app, 'out'),
    write: false,
    metafile: true,
    external: ['react', 'vue', 'solid-js', 'yjs'],
    logLevel: 'silent',
  });
  must(built.warnings.length === 0, built.warnings.map(({ text: line }) => line).join());
  const { outputs } = built.metafile;
  const begin = Object.keys(outputs).find((path) => outputs[path].entryPoint !== undefined && /weigh-[^/]*$/.test(path));
  const loaded = (isWanted) => {
    const found = new Set();
    const load = (path) => {
      if (found.has(path) || outputs[path] === undefined) return;
      found.add(path);
      for (const { path: imported, kind } of outputs[path].imports)
        if (kind === 'import-statement' || isWanted(imported)) load(imported);
    };
    load(begin);
    return found;
  };
  const bytesOf = (paths) =>
    built.outputFiles
      .filter(({ path }) => [...paths].some((one) => path.endsWith(one.split('/').pop())))
      .reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);
  const atOnce = bytesOf(loaded(() => false));
  const all = loaded((imported) => lazily !== undefined && imported.includes(lazily));
  const files = Object.assign({}, ...[...all].map((path) => outputs[path].inputs));
  return {
    atOnce,
    later: bytesOf(all) - atOnce,
    files: Object.entries(files).map(([path, { bytesInOutput }]) => [path, bytesInOutput]),
  };
}

/** The largest parts, minified and not compressed: where a diet would begin. */
function largest(files) {
  const parts = files.map(([path, bytes]) => [/([^/]+?)(?:-[\w-]{8})?\.js$/.exec(path)?.[1] ?? path, bytes]);
  const sorted = parts.sort(([, a], [, b]) => b - a).slice(0, LARGEST_SHOWN);
  return sorted.map(([part, bytes]) => `${part} ${Math.round(bytes / 1000)}`).join(', ');
}

async function weights() {
  const named = {
    'a tab, over its own WebRTC': [ALL_A_TAB_NEEDS, 'native-link'],
    'a tab, over simple-peer': [ALL_A_TAB_NEEDS, 'simple-peer-link'],
    'RaftError alone': ["import { RaftError } from 'tabraft'; console.log(RaftError);"],
  };
  for (const [name, budget] of Object.entries(BUDGETS)) {
    await check(`weight of ${name}`, async () => {
      const [text = `import * as all from '${name}'; console.log(all);`, lazily] = named[name] ?? [];
      const { atOnce, later, files } = await weigh(name, text, lazily);
      const bytes = atOnce + later;
      must(bytes <= budget, `${bytes} bytes gzipped, at most ${budget}`);
      if (later === 0) return `${bytes} bytes gzipped`;
      return `${bytes} bytes gzipped, of which ${later} later; the largest parts (kB minified): ${largest(files)}`;
    });
  }
}

const FOR_BROWSERS = `${ALL_A_TAB_NEEDS}
import { compose, list } from 'tabraft/structures';
import { stateOf } from 'tabraft/signals';
import { raftStore } from 'tabraft/svelte';
console.log(compose, list, stateOf, raftStore);`;

/** What a bundler made of it for production: no names are left to resolve, and nothing of the development build. */
function clean(code) {
  const bare = [...code.matchAll(/(?:^|[;\n}])\s*import\s*(?:[\w*{}\s,$]+from\s*)?["']([^."'/][^"']*)["']/g)].map(
    (match) => match[1],
  );
  must(bare.length === 0, `imports ${bare.join()}`);
  must(!code.includes(SAID_IN_DEVELOPMENT), 'the development build was taken');
}

const textIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => /\.m?js$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');

async function bundlers() {
  const input = entry('browser.js', FOR_BROWSERS);
  await check('esbuild', async () => {
    const { warnings, outputFiles } = await esbuild.build({
      entryPoints: [input],
      bundle: true,
      format: 'esm',
      write: false,
      outdir: 'x',
      splitting: true,
    });
    must(warnings.length === 0, warnings.map(({ text }) => text).join());
    clean(outputFiles.map(({ text }) => text).join('\n'));
  });
  await check('rollup', async () => {
    const warnings = [];
    const bundle = await rollup({
      input,
      plugins: [nodeResolve({ exportConditions: ['production'] })],
      onwarn: ({ message }) => warnings.push(message),
    });
    const { output } = await bundle.generate({ format: 'es' });
    must(warnings.length === 0, warnings.join());
    clean(output.map(({ code }) => code ?? '').join('\n'));
  });
  const viteIn = async (mode, conditions) => {
    const outDir = join(app, `vite-${mode}`);
    await vite({
      configFile: false,
      root: app,
      mode,
      logLevel: 'silent',
      resolve: { conditions },
      build: { outDir, minify: false, rollupOptions: { input }, target: 'es2022' },
    });
    return textIn(outDir);
  };
  await check('vite', async () => clean(await viteIn('production', ['module', 'browser', 'production'])));
  await check('vite, the development build', async () =>
    must((await viteIn('development', ['module', 'browser', 'development'])).includes(SAID_IN_DEVELOPMENT), 'was not taken'),
  );
  const webpackIn = (mode) =>
    new Promise((resolve, reject) => {
      const path = join(app, `webpack-${mode}`);
      const options = { mode, entry: input, output: { path }, devtool: false, performance: { hints: false }, context: app };
      webpack(options, (error, stats) => {
        const { errors = [], warnings = [] } = stats?.toJson() ?? {};
        const said = [...errors, ...warnings].map(({ message }) => message);
        if (error || said.length > 0) reject(error ?? new Error(said.join()));
        else resolve(textIn(path));
      });
    });
  await check('webpack', async () => clean(await webpackIn('production')));
  await check('webpack, the development build', async () =>
    must((await webpackIn('development')).includes(SAID_IN_DEVELOPMENT), 'was not taken'),
  );
}

/** Vite's template for TypeScript, and stricter: what is wrong in our own types would show. */
const TEMPLATE = {
  target: 'ES2022',
  lib: ['ES2022', 'DOM', 'DOM.Iterable'],
  module: 'ESNext',
  moduleResolution: 'bundler',
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  types: [],
};

const TYPED = `import { defineStateMachine, raft } from 'tabraft';
import { compose, counter } from 'tabraft/structures';
import { stateOf } from 'tabraft/signals';
import { raftStore } from 'tabraft/svelte';
const machine = defineStateMachine<{ n: number }>()({
  initial: () => ({ n: 0 }),
  commands: { add: (state, { by }: { by: number }) => (state.n += by) },
});
export const node = await raft.enter('room', machine, OPTIONS);
const end = node.subscribe((state) => state.n, (n: number) => console.log(n));
end();
end[Symbol.dispose]();
export const sum: number = await node.propose({ type: 'add', by: 1 });
export const shown = [stateOf(node, (state) => state.n), raftStore(node, (state) => state.n), compose({ a: counter() })];
`;

function types() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: TEMPLATE, files: ['typed.ts'] }));
  const compiled = (options) => {
    entry('typed.ts', TYPED.replace('OPTIONS', options));
    return run(process.execPath, [tsc, '-p', app]);
  };
  return check('types in a stock template, and one mistake is one error', () => {
    const good = compiled("{ signaling: 'wss://example.test' }");
    must(good.status === 0, good.output);
    const bad = compiled("{ signalling: 'wss://example.test' }")
      .output.split('\n')
      .filter((line) => line.includes('error TS'));
    must(bad.length === 1 && bad[0].includes("'signaling'"), bad.join('\n'));
  });
}

async function inNode() {
  for (const name of [
    'tabraft',
    'tabraft/core',
    'tabraft/node',
    'tabraft/structures',
    'tabraft/signals',
    'tabraft/svelte',
    'tabraft/testing',
  ]) {
    await check(`import '${name}' without a page, silently`, () => {
      const { status, output } = run(process.execPath, ['--input-type=module', '-e', `await import('${name}')`]);
      must(status === 0 && output === '', `${status} ${output}`);
    });
  }
  await check('entering without a page is refused, and the process ends', () => {
    const script =
      "import { raft } from 'tabraft'; await raft.enter('room', { initial: () => ({}), commands: {} }, { signaling: 'ws://localhost:1' }).catch((e) => console.log(e.code));";
    const { status, output } = run(process.execPath, ['--input-type=module', '-e', script]);
    must(status === 0 && /^[\w-]+-unavailable$/.test(output), `${status} ${output}`);
  });
  await check('the command without lmdb: help, version, and what is missing', () => {
    const cli = join(app, 'node_modules', 'tabraft', described.bin.tabraft);
    const said = ['--help', '--version'].map((flag) => run(process.execPath, [cli, flag]));
    must(
      said.every(({ status }) => status === 0),
      said.map(({ output }) => output).join('\n'),
    );
    must(said[0].output.includes('usage: tabraft') && said[1].output === described.version, said[1].output);
    const missing = run(process.execPath, [cli, 'check', join(app, 'nowhere')]);
    must(missing.status !== 0 && missing.output.includes('invalid-argument'), missing.output);
  });
}

function contents() {
  return check('what is in it', () => {
    const home = join(app, 'node_modules', 'tabraft');
    const paths = Object.values(described.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    const missing = [...paths, ...Object.values(described.bin), 'dist/THIRD-PARTY.md', 'LICENSE'].filter(
      (path) => !existsSync(join(home, path)),
    );
    must(missing.length === 0, `missing: ${missing.join()}`);
    const bytes = readdirSync(home, { recursive: true }).reduce((sum, name) => {
      const info = statSync(join(home, name));
      return sum + (info.isFile() ? info.size : 0);
    }, 0);
    return `${Math.round(bytes / 1024)} KiB`;
  });
}

async function linters(tarball) {
  await check('publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true });
    must(messages.length === 0, messages.map((message) => formatMessage(message, pkg, { color: false })).join('\n'));
  });
  await check('are the types wrong', async () => {
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    // ESM only: what require() and node10 make of it is known.
    const told = (result.problems ?? []).filter(
      ({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10',
    );
    must(told.length === 0, JSON.stringify(told.slice(0, 5)));
  });
}

try {
  console.log('== the package, from its tarball');
  const tarball = install();
  await contents();
  await types();
  await inNode();
  await bundlers();
  await linters(tarball);
  await weights();
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'all well' : `${failures.length} failed: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
