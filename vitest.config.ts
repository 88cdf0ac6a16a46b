import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

// vitest's summary of failures needs Map.groupBy, which Node 20 lacks.
function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T, i: number) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  let i = 0;
  for (const item of items) {
    const key = keyOf(item, i++);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
if (!('groupBy' in Map)) Object.assign(Map, { groupBy });

// Node would be given Solid's build for servers, which follows no signals.
const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const solid = source('node_modules/solid-js/dist/solid.js');

const config: ViteUserConfig = {
  resolve: {
    alias: [
      { find: /^solid-js$/, replacement: solid },
      // Examples are tried with what is in the tree.
      { find: /^tabraft$/, replacement: source('src/index.ts') },
      { find: /^tabraft\/testing$/, replacement: source('src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    environment: 'node',
    testTimeout: 60_000,
    // All cores: vitest leaves one for itself, which on two cores means one test file after another.
    maxWorkers: availableParallelism(),
  },
};

export default config;
