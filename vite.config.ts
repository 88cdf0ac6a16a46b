import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Plugin, UserConfig, UserConfigFnObject } from 'vite';
import { leanSimplePeer } from './scripts/lean-simple-peer.mjs';
import { production } from './scripts/production.mjs';

/** The demo: a static site served by the same process as the signaling server. */
const demo: UserConfig = {
  root: 'demo',
  plugins: [production, leanSimplePeer],
  base: './',
  build: { outDir: '../build/demo', emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
};

/** What `npm start` loads: plain JavaScript for Node, packages left where they are installed. */
const server: UserConfig = {
  plugins: [production],
  publicDir: false,
  build: {
    ssr: 'signaling/server.ts',
    outDir: 'build/server',
    emptyOutDir: true,
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'signaling.mjs' } },
  },
};

/** The package's files, by the names that package.json exports. */
const entries: Readonly<Record<string, string>> = {
  index: 'src/index.ts',
  core: 'src/core/index.ts',
  node: 'src/node.ts',
  structures: 'src/structures/index.ts',
  text: 'src/text/index.ts',
  react: 'src/bindings/react.ts',
  vue: 'src/bindings/vue.ts',
  svelte: 'src/bindings/svelte.ts',
  solid: 'src/bindings/solid.ts',
  signals: 'src/bindings/signals.ts',
  metrics: 'src/metrics/index.ts',
  inspector: 'src/inspector/index.ts',
  testing: 'src/testing/index.ts',
  'testing-playwright': 'src/testing/playwright/index.ts',
  cli: 'src/cli/main.ts',
  'signaling-server': 'signaling/server.ts',
  signaling: 'signaling/bin.ts',
  cloudflare: 'signaling/cloudflare/worker.ts',
};

/** Installed beside the package. Everything else is in it: what a page loads imports nothing by name, so that a script tag is enough. */
const external = /^(?:ws|redis|lmdb|vitest|node-datachannel|@playwright\/test|yjs|react|vue|solid-js)(?:\/|$)/;

/** The scripts of the package's workers: each a file that needs no other, so that it can also be copied, or served, by itself. */
const workers: Readonly<Record<string, string>> = {
  'files-worker': 'src/storage/opfs/files-worker.ts',
  'ticker-worker': 'src/front-door/ticker-worker.ts',
};

/**
 * In the package a worker's URL is `new URL('./files-worker.js', import.meta.url)` as it is written here, and not what the
 * bundler makes of it: it is the form that the bundlers of applications look for. `toWorkers` leads from the build's folder to
 * that of the workers.
 */
function workerUrls(toWorkers: './' | '../'): Plugin {
  const marker = (name: string): string => `__tabraft_url_of_${name.replaceAll('-', '_')}__`;
  return {
    name: 'tabraft-worker-urls',
    enforce: 'pre',
    transform(code) {
      let changed = code;
      for (const [name, source] of Object.entries(workers)) {
        const [file = ''] = source.split('/').slice(-1);
        changed = changed.replace(new RegExp(`new URL\\('[\\w./]*/${file}', import\\.meta\\.url\\)`), marker(name));
      }
      return changed === code ? undefined : { code: changed, map: null };
    },
    renderChunk(code, { fileName }) {
      let changed = code;
      for (const name of Object.keys(workers)) {
        const path = posix.relative(posix.dirname(fileName), posix.join(toWorkers, `${name}.js`));
        const url = `new URL('${path.startsWith('.') ? path : `./${path}`}', import.meta.url)`;
        changed = changed.replaceAll(marker(name), url);
      }
      return changed === code ? undefined : { code: changed, map: null };
    },
  };
}

/** Once for production and once for development, where mistakes are told; package.json says which bundler gets which. */
const libraryIn = (outDir: string): UserConfig => ({
  publicDir: false,
  build: {
    outDir,
    emptyOutDir: true,
    license: { fileName: 'THIRD-PARTY.md' },
    target: 'es2022',
    minify: false,
    // The development build is read as it is.
    sourcemap: outDir === 'dist',
    lib: {
      entry: entries,
      formats: ['es'],
      fileName: (_format, name) => `${name}.js`,
    },
    rollupOptions: {
      external: (id) => external.test(id) || isBuiltin(id),
      output: { chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});

/** The rest of the package: its workers. After `library`, which empties the folder. */
const libraryWorkers: UserConfig = {
  publicDir: false,
  plugins: [production],
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: { entry: { ...workers }, formats: ['es'], fileName: (_format, name) => `${name}.js` },
  },
};

/** What the conformance harness loads: plain ES modules. */
const conformance: UserConfig = {
  plugins: [production],
  build: {
    outDir: 'build/conformance',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    lib: {
      entry: { adapter: 'test/conformance/adapter.ts', pure: 'test/conformance/pure.ts' },
      formats: ['es'],
      fileName: (_f, name) => `${name}.mjs`,
    },
  },
};

/** What `npm run bench:core` runs. */
const benchCore: UserConfig = {
  plugins: [production],
  publicDir: false,
  build: {
    ssr: 'bench/core/main.ts',
    outDir: 'build/bench',
    emptyOutDir: false,
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'core.mjs' } },
  },
};

/** What `npm run bench:node` runs. */
const benchNode: UserConfig = {
  plugins: [production],
  publicDir: false,
  build: {
    ssr: 'bench/node/main.ts',
    outDir: 'build/bench-node',
    emptyOutDir: true,
    target: 'node20',
    rollupOptions: { output: { entryFileNames: 'node.mjs' } },
  },
};

const modes: Readonly<Record<string, UserConfig>> = {
  demo,
  server,
  library: { ...libraryIn('dist'), plugins: [production, leanSimplePeer, workerUrls('./')] },
  'library-development': { ...libraryIn('dist/development'), plugins: [leanSimplePeer, workerUrls('../')] },
  'library-workers': libraryWorkers,
  conformance,
  'bench-core': benchCore,
  'bench-node': benchNode,
};
const config: UserConfigFnObject = ({ mode }) => modes[mode] ?? demo;

export default config;
