/** Chaos in real tabs, in its short form: eight faults of a seed that is the commit's own, so that each commit tries others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { commitOf } from '../../scripts/chaos.mjs';

const FAULTS = 8;

test('eight faults in real tabs: every promise is kept', async () => {
  test.setTimeout(240_000);
  const out = 'build/chaos-short';
  const run = spawn(process.execPath, [
    'scripts/chaos.mjs',
    '--seed',
    commitOf() || 'none',
    '--faults',
    String(FAULTS),
    '--out',
    out,
  ]);
  let said = '';
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(run, 'exit')) as [number | null];
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining(`${FAULTS} faults, 0 findings`) });
  const report = JSON.parse(readFileSync(`${out}/report.json`, 'utf8')) as {
    readonly faults: readonly { readonly kind: string }[];
  };
  expect(new Set(report.faults.map(({ kind }) => kind)).size).toBe(FAULTS);
});
