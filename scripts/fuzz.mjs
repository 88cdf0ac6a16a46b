// npm run fuzz: hostile inputs for every decoder, of the wire and of the proof.
//   npm run fuzz                    1,000,000 of a fresh seed
//   npm run fuzz -- --inputs 5000   so many
//   npm run fuzz -- --seed NAME     those of a seed again
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string' } } });
if (!/^[1-9]\d*$/.test(values.inputs)) {
  console.error(`--inputs: ${values.inputs} is no number of inputs`);
  process.exit(1);
}
const seed = values.seed ?? randomUUID();
const env = { ...process.env, FUZZ_INPUTS: values.inputs, FUZZ_SEED: seed };
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const files = ['test/wire/fuzz.test.ts', 'test/trust/fuzz.test.ts'];
const { status } = spawnSync(process.execPath, [vitest, 'run', ...files], { cwd: root, env, stdio: 'inherit' });
console.log(`seed ${seed}`);
process.exit(status ?? 1);
