#!/usr/bin/env node
/** `npm create tabraft`: makes an application, says how to start it, and starts it when asked to. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { HELP, Refusal, read } from './arguments.mjs';
import { generate } from './generate.mjs';

/** The package manager that runs this, as it says itself; npm otherwise. */
function packageManager() {
  const [name] = (process.env.npm_config_user_agent ?? '').split('/');
  return ['npm', 'pnpm', 'yarn', 'bun'].includes(name) ? name : 'npm';
}

function run(command, folder) {
  const { status, error } = spawnSync(command, { cwd: folder, stdio: 'inherit', shell: true });
  if (error !== undefined || status !== 0)
    throw new Refusal(`\`${command}\` failed${error ? `: ${error.message}` : ''}. The application is in ${folder}.`);
}

function main() {
  const { folder, template, start, help, version } = read(process.argv.slice(2));
  if (help) return console.log(HELP);
  if (version) return console.log(JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')).version);
  const target = resolve(folder);
  generate(target, template);
  const manager = packageManager();
  const steps = [`${manager} install`, `${manager} run dev`];
  console.log(`${target}: made of ${template}.`);
  if (start) for (const step of steps) run(step, target);
  else {
    const there = relative(process.cwd(), target);
    const lines = there === '' ? steps : [`cd ${/^[\w./\\-]+$/.test(there) ? there : JSON.stringify(there)}`, ...steps];
    console.log(
      `\nNow:\n\n${lines.map((line) => `  ${line}`).join('\n')}\n\nThen open the URL in three tabs: they are one cluster.`,
    );
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
