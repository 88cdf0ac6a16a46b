/**
 * A browser of its own, started here and not by Playwright, so that it behaves as a user's does: hidden tabs are hidden and throttled,
 * tabs can be frozen (Playwright keeps each tab it has started visible), and the whole of it can be killed or put to sleep.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RaftError } from '../../core/errors.ts';

export interface BrowserOptions {
  /** A Chromium. */
  readonly executablePath: string;
  /** More switches for it. */
  readonly args?: readonly string[];
  /** Default true. */
  readonly headless?: boolean;
}

/** A browser that has not come up by then does not come: ms. */
const START_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 20;
/** From asking it to end until it is made to: ms. */
const END_TIMEOUT_MS = 5_000;
const PORT_FILE = 'DevToolsActivePort';

/** Browsers that run: they are no children of a terminal, and must not outlive this process. */
const running = new Set<BrowserProcess>();
const endAll = (): void => {
  for (const browser of running) browser.killNow();
};

export class BrowserProcess {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tabraft-device-'));
  readonly #options: BrowserOptions;
  #child: ChildProcess | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts it with its profile; where its DevTools listen. Errors: invalid-argument when it does not start. */
  async start(): Promise<string> {
    const { executablePath, args = [], headless = true } = this.#options;
    const portFile = join(this.folder, PORT_FILE);
    rmSync(portFile, { force: true });
    const own = [`--user-data-dir=${this.folder}`, '--remote-debugging-port=0', '--no-first-run', '--no-default-browser-check'];
    const shape = headless ? ['--headless', '--hide-scrollbars', '--mute-audio'] : [];
    const child = spawn(executablePath, [...shape, ...own, ...args, 'about:blank'], {
      stdio: 'ignore',
      detached: process.platform !== 'win32',
    });
    this.#child = child;
    if (running.size === 0) process.once('exit', endAll);
    running.add(this);
    child.once('exit', () => this.#forget(child));
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
    });
    return Promise.race([failed, this.#listening(portFile)]).catch((error: unknown) => {
      void this.kill();
      throw new RaftError('invalid-argument', `No browser started from ${executablePath}: ${String(error)}`);
    });
  }

  async #listening(portFile: string): Promise<string> {
    for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; await pause(LOOK_EVERY_MS)) {
      if (!this.running) throw new Error('it ended');
      // Two lines, written one after the other: the port, and the path.
      const [port, path] = existsSync(portFile) ? readFileSync(portFile, 'utf8').split('\n') : [];
      if (port && path) return `ws://127.0.0.1:${port}${path}`;
    }
    throw new Error('it does not say where its DevTools listen');
  }

  /** As when the computer loses its power, for the browser: no goodbyes. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As `kill`, when there is no time to wait. */
  killNow(): void {
    this.#signal('SIGKILL');
  }

  /** As when its user quits it. */
  async quit(): Promise<void> {
    const made = setTimeout(() => this.#signal('SIGKILL'), END_TIMEOUT_MS);
    await this.#end('SIGTERM');
    clearTimeout(made);
  }

  /** The computer sleeps: nothing of the browser runs until `wake`. */
  sleep(): void {
    this.#signal('SIGSTOP');
  }

  wake(): void {
    this.#signal('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    running.delete(this);
    if (running.size === 0) process.off('exit', endAll);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const ended = once(child, 'exit');
    this.#signal(signal);
    await ended;
  }

  /** To the whole group: renderers and helpers go with it. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.running) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
