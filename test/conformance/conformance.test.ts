/** Replays the transcripts and tables of another implementation where they are at hand; says so where they are not. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as adapter from './adapter.ts';

const folder = resolve(
  process.env['TABRAFT_CONFORMANCE'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'conformance'),
);
const present = existsSync(join(folder, 'env.mjs'));

interface Replayed {
  readonly pos: number;
  readonly cmd: string;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
}

interface Harness {
  replay(text: string, adapter: unknown): readonly Replayed[];
  normalise(lines: readonly string[], mode: string): readonly string[];
}

describe.skipIf(!present)('etcd-io/raft says the same', async () => {
  const harness = (present ? await import(/* @vite-ignore */ pathToFileURL(join(folder, 'env.mjs')).href) : undefined) as Harness;
  for (const set of present ? ['etcd-interaction', 'etcd-random'] : []) {
    test(set, () => {
      for (const file of readdirSync(join(folder, set)).filter((name) => name.endsWith('.txt'))) {
        for (const { pos, cmd, expected, actual } of harness.replay(readFileSync(join(folder, set, file), 'utf8'), adapter)) {
          const where = `${file}:${pos} ${cmd}`;
          expect([where, ...harness.normalise(actual, 'strict')]).toEqual([where, ...harness.normalise(expected, 'strict')]);
        }
      }
    });
  }
});

test.skipIf(present)('conformance transcripts are not at hand: nothing was replayed', () => {
  console.info(`no transcripts at ${folder}`);
  expect(present).toBe(false);
});
