import type { UserConfig, UserConfigFnObject } from 'vite';

/** The demo: a static site served by the same process as the signaling server. */
const demo: UserConfig = {
  root: 'demo',
  base: './',
  build: { outDir: '../build/demo', emptyOutDir: true, target: 'es2022' },
  worker: { format: 'es' },
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

const config: UserConfigFnObject = ({ mode }) => (mode === 'conformance' ? conformance : demo);

export default config;
