/**
 * `npm start`: builds what is older than its sources, then serves the demo and the signaling WebSocket from one process
 * on one port. PORT (default 8080, or the next free one unless PORT is given), HOST (default 127.0.0.1).
 * What the signaling server must remember of rooms is in .tabraft/.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { site } from './site.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const DEFAULT_PORT = 8080;
/** How many ports after the default are tried before giving up. */
const PORTS_TRIED = 20;
/** Sockets that are still open so long after a stop was asked for are cut: ms. */
const SHUTDOWN_MS = 3_000;

/** Builds a vite mode when its output is missing or older than any source. TABRAFT_BUILT=1 trusts what is there. */
function build(mode, output, sources) {
  const target = join(root, output);
  const built = existsSync(target) ? statSync(target).mtimeMs : 0;
  if (built > 0 && (process.env.TABRAFT_BUILT === '1' || newest(sources) < built)) return;
  console.log(`building ${mode} …`);
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build', '--mode', mode, '--logLevel', 'warn'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`The build of ${mode} failed.`);
}

function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const full = join(root, path);
    const info = statSync(full);
    const time = info.isDirectory() ? newest(readdirSync(full).map((name) => join(path, name))) : info.mtimeMs;
    latest = Math.max(latest, time);
  }
  return latest;
}

function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

async function listenSomewhere(server, host) {
  const given = process.env.PORT;
  if (given !== undefined && given !== '') {
    const port = Number(given);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error(`PORT must be a whole number from 0 to 65535, got ${given}.`);
    return listen(server, port, host);
  }
  for (let port = DEFAULT_PORT; ; port++) {
    try {
      return await listen(server, port, host);
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port >= DEFAULT_PORT + PORTS_TRIED) throw error;
    }
  }
}

async function main() {
  const common = ['src', 'package.json', 'vite.config.ts'];
  build('demo', 'build/demo/index.html', ['demo', ...common]);
  build('server', 'build/server/signaling.mjs', ['signaling', ...common]);
  const { attachSignaling } = await import('../build/server/signaling.mjs');
  const memory = process.env.TABRAFT_STATE ?? join(root, '.tabraft');
  mkdirSync(memory, { recursive: true });
  const server = createServer(site(join(root, 'build', 'demo')));
  const signaling = await attachSignaling(server, { directory: memory });
  const host = process.env.HOST || '127.0.0.1';
  const port = await listenSomewhere(server, host);
  const shown = host === '127.0.0.1' || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  console.log(`tabraft demo: http://${shown}:${port}/`);
  console.log('Open it in three tabs. Stop with Ctrl+C.');

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), SHUTDOWN_MS).unref();
    await signaling.close();
    server.close(() => process.exit(0));
    server.closeAllConnections();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
}

main().catch((error) => {
  console.error(error.code === 'EADDRINUSE' ? `The port is taken: ${error.message}` : error.message);
  process.exit(1);
});
