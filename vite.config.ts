import { isBuiltin } from 'node:module';
import type { UserConfig, UserConfigFnObject } from 'vite';

/** The demo: a static site served by the same process as the signaling server. */
const demo: UserConfig = {
  root: 'demo',
  base: './',
  build: { outDir: '../build/demo', emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
};

/** What `npm start` loads: plain JavaScript for Node, packages left where they are installed. */
const server: UserConfig = {
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
  cli: 'src/cli/main.ts',
  'signaling-server': 'signaling/server.ts',
  signaling: 'signaling/bin.ts',
};

/** Installed with the package; simple-peer is not among them: its prebuilt file is inlined, so that no bundler meets CommonJS. */
const external = new Set(['idb', 'msgpackr', 'ws', 'lmdb', 'vitest']);

const library: UserConfig = {
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: {
      entry: entries,
      formats: ['es'],
      fileName: (_format, name) => `${name}.js`,
    },
    rollupOptions: {
      external: (id) => external.has(id) || isBuiltin(id),
      output: { chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
};

/** What the conformance harness loads: plain ES modules. */
const conformance: UserConfig = {
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
  library,
  conformance,
  'bench-core': benchCore,
  'bench-node': benchNode,
};
const config: UserConfigFnObject = ({ mode }) => modes[mode] ?? demo;

export default config;
