/** The real server of `npm start`, one per test, on a free port, with a memory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class Server {
  readonly #state: string = mkdtempSync(join(tmpdir(), 'tabraft-server-'));
  #child: ChildProcess | undefined;
  #port = 0;
  /** Everything it said, for reports of failures. */
  readonly lines: string[] = [];

  get url(): string {
    return `http://localhost:${this.#port}/`;
  }

  /** Starts it, on the same port as before if it was started before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['scripts/start.mjs'], {
      env: { ...process.env, PORT: String(this.#port), TABRAFT_BUILT: '1', TABRAFT_STATE: this.#state },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.lines.push(line);
      const port = /http:\/\/[^:]+:(\d+)\//.exec(line)?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      // Leaving the loop must not close the pipe under the server: the rest is read and kept.
      break;
    }
    child.stdout.on('data', (chunk: Buffer) => this.lines.push(chunk.toString()));
    child.stdout.resume();
    if (this.#port === 0) throw new Error(`The server did not start: ${this.lines.join('\n')}`);
  }

  /** As a crash does it: no goodbyes. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#state, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
