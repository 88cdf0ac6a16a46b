import { isBuiltin } from 'node:module';
import type { UserConfig, UserConfigFnObject } from 'vite';
import { production } from './scripts/production.mjs';

/** The demo: a static site served by the same process as the signaling server. */
const demo: UserConfig = {
  root: 'demo',
  plugins: [production],
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
  inspector: 'src/inspector/index.ts',
  testing: 'src/testing/index.ts',
  'testing-playwright': 'src/testing/playwright/index.ts',
  cli: 'src/cli/main.ts',
  'signaling-server': 'signaling/server.ts',
  signaling: 'signaling/bin.ts',
};

/** Installed beside the package. Everything else is in it: what a page loads imports nothing by name, so that a script tag is enough. */
const external = /^(?:ws|lmdb|vitest|node-datachannel|@playwright\/test)(?:\/|$)/;

/** Once for production and once for development, where mistakes are told; package.json says which bundler gets which. */
const libraryIn = (outDir: string): UserConfig => ({
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir,
    emptyOutDir: true,
    license: { fileName: 'THIRD-PARTY.md' },
    target: 'es2022',
    minify: false,
    sourcemap: true,
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
  library: { ...libraryIn('dist'), plugins: [production] },
  'library-development': libraryIn('dist/development'),
  conformance,
  'bench-core': benchCore,
  'bench-node': benchNode,
};
const config: UserConfigFnObject = ({ mode }) => modes[mode] ?? demo;

export default config;
