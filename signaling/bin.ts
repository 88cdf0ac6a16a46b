#!/usr/bin/env node
/**
 * tabraft-signaling: PORT (8080), HOST (127.0.0.1), DIRECTORY (where rooms are remembered; none without it),
 * ORIGINS (allowed pages, separated by commas, or *).
 */
import { createSignalingServer } from './server.ts';

function portFrom(text: string | undefined): number {
  const port = Number(text ?? '8080');
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT must be a whole number from 0 to 65535, got ${text}.`);
}

async function main(): Promise<void> {
  const { PORT, HOST, DIRECTORY, ORIGINS } = process.env;
  const server = await createSignalingServer({
    port: portFrom(PORT),
    host: HOST,
    directory: DIRECTORY,
    origins: ORIGINS === undefined || ORIGINS === '*' ? ORIGINS : ORIGINS.split(',').map((origin) => origin.trim()),
  });
  console.log(`tabraft signaling: ${server.url}`);
  const stop = (): void => void server.close().then(() => process.exit(0));
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
