/** Debian's Firefox over WebDriver BiDi, which it speaks by itself: a page in a profile of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const NAMES = ['firefox-esr', 'firefox'];
export const firefoxPath: string | undefined = NAMES.find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0,
);

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly result?: { readonly [field: string]: unknown };
  readonly message?: string;
}

export class FirefoxPage {
  readonly #profile: string = mkdtempSync(join(tmpdir(), 'tabraft-firefox-'));
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #child: ChildProcess | undefined;
  #socket: WebSocket | undefined;
  #context = '';
  #next = 1;

  async open(url: string): Promise<void> {
    const child = spawn(
      firefoxPath ?? '',
      ['--headless', '--no-remote', '--profile', this.#profile, '--remote-debugging-port', '0', 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    const address = await addressIn(child);
    const socket = new WebSocket(`${address}/session`);
    this.#socket = socket;
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    await this.#ask('session.new', { capabilities: {} });
    const { context } = (await this.#ask('browsingContext.create', { type: 'tab' })) as { readonly context: string };
    this.#context = context;
    await this.#ask('browsingContext.navigate', { context, url, wait: 'complete' });
  }

  /** The value of an expression in the page, as JSON; a promise is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.#ask('script.evaluate', {
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value))`,
      target: { context: this.#context },
      awaitPromise: true,
    })) as { readonly result?: { readonly value?: string }; readonly exceptionDetails?: { readonly text: string } };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return (result?.value === undefined ? undefined : JSON.parse(result.value)) as T;
  }

  async close(): Promise<void> {
    this.#socket?.close();
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  async #ask(method: string, params: unknown): Promise<unknown> {
    const id = this.#next++;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket?.send(JSON.stringify({ id, method, params }));
    });
    this.#waiting.delete(id);
    if (answer.type === 'success') return answer.result;
    throw new Error(`${method}: ${answer.message}`);
  }
}

async function addressIn(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('Firefox says nothing.');
  const lines = createInterface({ input: child.stderr });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`Firefox ended with ${code}.`)));
  });
}
