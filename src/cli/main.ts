#!/usr/bin/env node
/** `npx tabraft`: looks into the stores of edge nodes and into dumps, moves them, and recovers a cluster without a majority. */
import { RaftError } from '../core/errors.ts';
import { run } from './commands.ts';

run(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const text = RaftError.is(error) ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error);
    process.stderr.write(`tabraft: ${text}\n`);
    process.exitCode = 1;
  },
);
