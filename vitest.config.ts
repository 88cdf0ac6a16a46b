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

const config: ViteUserConfig = {
  test: { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], environment: 'node', testTimeout: 60_000 },
};

export default config;
