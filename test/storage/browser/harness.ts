/** A real Chromium with a profile on disk, and a page of ours in it: what a storage test in the browser needs. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from '@playwright/test';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../../scripts/browser.mjs';

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves one page whose script is the given module, bundled as it would be for users, and the workers it may start. */
export async function serve(entry: string): Promise<Site> {
  const scripts = new Map([
    ['/page.js', await bundle(entry)],
    ['/worker.js', await bundle('../../../src/storage/opfs/files-worker.ts')],
    ['/suite-worker.js', await bundle('./suite-worker.ts')],
  ]);
  const server: Server = createServer((request, response) => {
    const script = scripts.get(request.url ?? '');
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? '<!doctype html><title>storage</title><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      target: 'es2022',
      rollupOptions: {
        input: fileURLToPath(new URL(entry, import.meta.url)),
        output: { format: 'es', entryFileNames: 'page.js' },
      },
    },
  });
  const outputs = Array.isArray(built) ? built : [built];
  for (const one of outputs) {
    if (!('output' in one)) continue;
    const [chunk] = one.output;
    return chunk.code;
  }
  throw new Error('vite built nothing');
}

export interface Profile {
  readonly path: string;
  launch(): Promise<BrowserContext>;
  /** Kills the browser of this profile at once, all its processes, as a power cut does to processes. */
  kill(): void;
  /** Process id of the browser process. */
  browserPid(): number;
  /** Process ids of the renderers. */
  rendererPids(): readonly number[];
  remove(): void;
}

export function newProfile(extraArguments: readonly string[] = []): Profile {
  const path = mkdtempSync(join(tmpdir(), 'tabraft-profile-'));
  const pids = (): number[] => processesOf(path);
  return {
    path,
    launch: () =>
      chromium.launchPersistentContext(path, {
        executablePath: ensureBrowser(),
        args: [...launchArguments, ...extraArguments],
        headless: true,
      }),
    kill: () => {
      for (const pid of pids()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It went with its parent.
        }
      }
    },
    browserPid: () => {
      const found = pids().find((pid) => !commandOf(pid).includes('--type='));
      if (found === undefined) throw new Error('no browser runs on this profile');
      return found;
    },
    rendererPids: () => pids().filter((pid) => commandOf(pid).includes('--type=renderer')),
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Processes whose command line names the profile: only ones that this test started can. */
function processesOf(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandOf(pid).includes(path));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** A page of the site with the harness ready; its stores lie in IndexedDB, unless it is asked for files. */
export async function openPage(context: BrowserContext, site: Site, kind: 'idb' | 'opfs' = 'idb'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${site.url}?${kind}`);
  await page.waitForFunction(() => 'harness' in globalThis);
  return page;
}
