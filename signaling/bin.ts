#!/usr/bin/env node
/** tabraft-signaling: the signaling server as a process. What it can be told is in settings.ts, and in --help. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RaftError } from '../src/core/errors.ts';
import { createSignalingServer } from './server.ts';
import { settingsFrom, warningsFor } from './settings.ts';

/** Exit code for a wrong call, as most tools have it; anything else that goes wrong is 1. */
const WRONG_CALL = 2;

function version(): string {
  const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json');
  const { version: text } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string };
  return text;
}

async function main(): Promise<void> {
  const told = settingsFrom(process.argv.slice(2), process.env);
  if ('help' in told) return console.log(told.help);
  if ('version' in told) return console.log(version());
  const { drainMs, ...options } = told.settings;
  const server = await createSignalingServer(options);
  console.log(`tabraft signaling: ${server.url}`);
  for (const warning of warningsFor(told.settings)) console.warn(warning);
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1); // asked twice: at once
    stopping = true;
    void server.close({ retryAfterMs: drainMs }).then(() => process.exit(0));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(RaftError.is(error) && error.code === 'invalid-argument' ? WRONG_CALL : 1);
});
