/** A Redis of the test's own: Debian's redis-server, on a free port, with its file in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';

export const isRedisInstalled: boolean = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
if (!isRedisInstalled)
  console.warn(
    '\nSKIPPED: signaling over Redis is not tested, because redis-server is not installed (apt-get install redis-server).\n',
  );

export class RedisServer {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'tabraft-redis-'));
  #child: ChildProcess | undefined;
  #port = 0;

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** On the same port as before. */
  async start(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const given = [
      '--port',
      String(this.#port),
      '--dir',
      this.#folder,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ];
    this.#child = spawn('redis-server', given, { stdio: 'ignore' });
    const client = createClient({ url: this.url, socket: { reconnectStrategy: 20 } }).on('error', () => {});
    await client.connect();
    await client.ping();
    client.destroy();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It has forgotten everything, as one without a file does when it is started again. */
  async forgetAll(): Promise<void> {
    const client = createClient({ url: this.url });
    await client.connect();
    await client.flushAll();
    client.destroy();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
