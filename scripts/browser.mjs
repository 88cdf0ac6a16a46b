/**
 * Finds a Chromium for the tests, or gets one. In order: TABRAFT_BROWSER, the one Playwright installed, the
 * system's, then an installation: Playwright's own installer, and as root apt-get.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

/** An installer that hangs (no network) must not hang the tests: ms. */
const INSTALL_TIMEOUT_MS = 240_000;

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const SYSTEM_PATHS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

/** Quiet and self-contained; QUIC and background traffic only cost time on a machine without internet. */
export const launchArguments = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/** The path of a browser that exists, or undefined. Installs nothing. */
export function findBrowser() {
  const given = process.env.TABRAFT_BROWSER;
  if (given) {
    if (!runnable(given)) throw new Error(`TABRAFT_BROWSER is ${given}, which is not an executable file.`);
    return given;
  }
  const own = chromium.executablePath();
  if (own && runnable(own) && starts(own)) return own;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = SYSTEM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...SYSTEM_PATHS].find(runnable);
}

/** As findBrowser, but gets one when there is none. Throws when that is not possible, saying what to do. */
export function ensureBrowser(say = () => {}) {
  const found = findBrowser();
  if (found) return found;
  for (const [what, command, ...rest] of installers()) {
    say(`no Chromium here; trying ${what}`);
    const { status } = spawnSync(command, rest, { stdio: 'inherit', timeout: INSTALL_TIMEOUT_MS });
    const got = status === 0 ? findBrowser() : undefined;
    if (got) return got;
  }
  throw new Error('No Chromium found and none could be installed. Install one, or set TABRAFT_BROWSER to its path.');
}

function installers() {
  const cli = fileURLToPath(new URL('../node_modules/@playwright/test/cli.js', import.meta.url));
  const list = [["Playwright's installer", process.execPath, cli, 'install', 'chromium']];
  if (process.getuid?.() === 0 && process.platform === 'linux') {
    list.push(['apt-get', 'sh', '-c', 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium']);
  }
  return list;
}

function runnable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A downloaded browser may lack the system's libraries; then the next candidate is better. */
function starts(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(ensureBrowser(console.error));
