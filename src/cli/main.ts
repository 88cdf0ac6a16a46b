#!/usr/bin/env node
/** `npx tabraft`: members at the edge, what can be asked of them, and what can be done with their stores while they are stopped. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RaftError } from '../core/errors.ts';
import { isLiveVerb, runLive } from './live/verbs.ts';

/** From the end of the work to the end of the process, at most: ms. */
const EXIT_MS = 1_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function version(): string {
  const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

/** Each loads what it needs: a process can be asked from where a member could not run. */
async function main([name = '', ...rest]: readonly string[]): Promise<number> {
  if (isLiveVerb(name)) return runLive(name, rest, say);
  if (name === 'peer') return (await import('./peer/main.ts')).runPeer(rest, version(), say);
  return (await import('./commands.ts')).run(name === '' ? [] : [name, ...rest], say);
}

/** What has been said goes out first; a thread of a package that stays would keep the process. */
function leaveSoon(): void {
  setTimeout(() => process.exit(), EXIT_MS).unref();
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
    leaveSoon();
  },
  (error: unknown) => {
    const text = RaftError.is(error) ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error);
    process.stderr.write(`tabraft: ${text}\n`);
    process.exitCode = RaftError.is(error, 'invalid-argument') || RaftError.is(error, 'room-invalid') ? 2 : 1;
    leaveSoon();
  },
);
