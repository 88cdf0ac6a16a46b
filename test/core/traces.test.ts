/** Every trace prints what is written beside it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replayTrace } from './trace.ts';

const folder = join(import.meta.dirname, 'traces');
const update = process.env['TABRAFT_UPDATE_TRACES'] === '1';

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(file, () => {
    const text = readFileSync(join(folder, file), 'utf8');
    const now = replayTrace(text);
    if (update) writeFileSync(join(folder, file), now);
    else expect(now).toBe(text);
  });
}
