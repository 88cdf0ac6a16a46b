/**
 * `npm run create:check`: packs create-tabraft and tabraft as npm would, makes every template from the tarballs, and type-checks and
 * builds what comes out; its refusals are sentences, and leave nothing behind. With `--install` each application installs its own
 * dependencies from the registry, and is checked by its own tools; with `--tabs` as well each is used in three tabs of a real browser, under
 * `npm run dev` and from its own server. Needs `npm run build` before.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEMPLATES } from '../create-tabraft/arguments.mjs';
import { useInThreeTabs } from './three-tabs.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const described = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const mine = JSON.parse(readFileSync(join(root, 'create-tabraft', 'package.json'), 'utf8'));
const inTabs = process.argv.includes('--tabs');
const installs = inTabs || process.argv.includes('--install');
/** A child that takes longer hangs: ms. An installation asks a registry. */
const CHILD_MS = installs ? 240_000 : 60_000;
/** Reads `.vue` where only the compiler is there: its own checker, vue-tsc, is installed by the application. */
const VUE_SHIM = "declare module '*.vue' {\n  const component: import('vue').Component;\n  export default component;\n}\n";
/** Hot reloading, which a build has no use of, from the package that only the application installs. */
const REACT_SHIM = 'export default () => [];\n';

/** What a reader of the start page has to write: lines, all files of it. */
const OWN_LINES_MAX = 60;

const work = mkdtempSync(join(tmpdir(), 'create-tabraft-'));
const failures = [];

async function check(name, run) {
  try {
    const said = await run();
    console.log(`  ok      ${name}${said ? `: ${said}` : ''}`);
  } catch (error) {
    failures.push(name);
    console.log(`  FAILED  ${name}: ${error.message}`);
  }
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

function run(command, args, cwd = work) {
  const { status, stdout, stderr, signal } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: CHILD_MS });
  return { status: signal ? `killed by ${signal}` : status, output: `${stdout}${stderr}`.trim() };
}

function succeed(command, args, cwd) {
  const { status, output } = run(command, args, cwd);
  must(status === 0, `${[command, ...args].join(' ')}: ${status}\n${output}`);
  return output;
}

/** The path of the tarball of a package. */
function pack(folder) {
  const before = new Set(readdirSync(work));
  succeed('npm', ['pack', '--ignore-scripts', '--pack-destination', work], folder);
  return join(
    work,
    readdirSync(work).find((name) => !before.has(name)),
  );
}

function unpack(tarball, home) {
  mkdirSync(home, { recursive: true });
  succeed('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  return home;
}

/** The command, as npm would have put it there. */
function creator(home) {
  const command = join(home, mine.bin['create-tabraft']);
  return (...args) => run(process.execPath, [command, ...args]);
}

async function refusals(create) {
  await check('--help and --version', () => {
    const help = create('--help');
    must(help.status === 0 && Object.keys(TEMPLATES).every((name) => help.output.includes(name)), help.output);
    must(create('--version').output === mine.version, 'another version');
  });
  const refused = (args, sentence) => {
    const before = readdirSync(work, { recursive: true }).join();
    const { status, output } = create(...args);
    must(status === 1 && sentence.test(output) && output.split('\n').length === 1, `${status} ${output}`);
    must(readdirSync(work, { recursive: true }).join() === before, 'something was left behind');
  };
  await check('what cannot be is refused in a sentence, and leaves nothing', () => {
    mkdirSync(join(work, 'taken'));
    writeFileSync(join(work, 'taken', 'notes.txt'), 'mine');
    writeFileSync(join(work, 'file'), '');
    refused(['taken'], /is not empty \(notes\.txt\)\. Nothing was changed/);
    refused(['file'], /is a file/);
    refused(['file/below'], /is a file, or lies below one/);
    refused(['new', '--template', 'angular'], /There is no template "angular"\. Templates: vanilla-ts/);
    refused(['new', '--templat', 'react-ts'], /'--templat'/);
    refused(['one', 'two'], /One folder, please/);
    must(readFileSync(join(work, 'taken', 'notes.txt'), 'utf8') === 'mine', 'a file was changed');
  });
}

/** The longest path that Linux knows, less what a first file's name takes: the second file does not fit any more. */
const PATH_LENGTH = 4_080;

function longPath() {
  let path = join(work, 'long');
  while (path.length < PATH_LENGTH) path = join(path, 'x'.repeat(Math.max(1, Math.min(200, PATH_LENGTH - path.length - 1))));
  return path;
}

async function failing(create) {
  if (process.platform !== 'linux') return;
  await check('what fails in the middle leaves nothing', () => {
    const { status, output } = create(longPath());
    must(
      status === 1 && /could not be written: ENAMETOOLONG.*What was begun is removed\.$/.test(output),
      `${status} ${output.slice(-300)}`,
    );
    must(!existsSync(join(work, 'long')), 'something was left behind');
    const empty = join(work, 'empty');
    mkdirSync(join(empty, '.git'), { recursive: true });
    must(create(empty).status === 0 && existsSync(join(empty, 'package.json')), 'a folder with only .git is taken for empty');
  });
}

/** What a quick check has instead of an installation: the tarball, and this repository's packages. */
function link(app, tabraft) {
  const modules = join(app, 'node_modules');
  mkdirSync(join(modules, '@vitejs'), { recursive: true });
  mkdirSync(join(modules, '@types'), { recursive: true });
  cpSync(tabraft, join(modules, 'tabraft'), { recursive: true });
  const names = [
    'vite',
    'typescript',
    'react',
    'react-dom',
    'vue',
    '@types/react',
    '@types/react-dom',
    '@vitejs/plugin-vue',
    'ws',
  ];
  for (const name of names) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  const shim = join(modules, '@vitejs', 'plugin-react');
  mkdirSync(shim);
  writeFileSync(join(shim, 'package.json'), '{ "name": "@vitejs/plugin-react", "type": "module", "exports": "./index.js" }');
  writeFileSync(join(shim, 'index.js'), REACT_SHIM);
}

function quick(app, template, tabraft) {
  link(app, tabraft);
  if (template === 'vue-ts') writeFileSync(join(app, 'src', 'shim.d.ts'), VUE_SHIM);
  succeed(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')], app);
  succeed(process.execPath, [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], app);
}

function full(app, tarball) {
  succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], app);
  succeed('npm', ['run', 'build'], app);
}

/** Resolves with the URL that a server says it has. */
function urlOf(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (data) => {
      said += data;
      const found = /http:\/\/localhost:\d+\//.exec(said);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

async function end(child) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await ended;
}

/** Starts what was built as `npm start` does; it serves the page, and signaling beside it, and ends when it is told to. */
async function serves(app) {
  const child = spawn(process.execPath, ['server.js'], { cwd: app, env: { ...process.env, PORT: '0' } });
  try {
    const url = await urlOf(child);
    const page = await fetch(url);
    must(page.status === 200 && (await page.text()).includes('<title>Seats</title>'), `GET / gave ${page.status}`);
    must((await fetch(`${url}healthz`)).status === 200, 'no signaling');
    for (const path of ['package.json', '..%2fpackage.json', '%2e%2e/server.js'])
      must((await fetch(`${url}${path}`)).status === 404, `${path} was given away`);
    if (inTabs) await useInThreeTabs(url);
  } finally {
    await end(child);
  }
  must(child.exitCode === 0, `it ended with ${child.exitCode ?? child.signalCode}`);
  must(existsSync(join(app, '.tabraft')), 'the signaling server remembers nothing');
}

/** The same under vite's server, as `npm run dev` starts it. */
async function develops(app) {
  const child = spawn(process.execPath, ['node_modules/vite/bin/vite.js'], { cwd: app, env: { ...process.env, NO_COLOR: '1' } });
  try {
    await useInThreeTabs(await urlOf(child));
  } finally {
    await end(child);
  }
}

/** The application that the site's start page makes by hand, file by file as it stands there. */
async function startPage(tarball) {
  await check(`the start page, by hand: at most ${OWN_LINES_MAX} lines, strict, in three tabs`, async () => {
    const app = join(work, 'by-hand');
    mkdirSync(app);
    const page = readFileSync(join(root, 'site', 'start.md'), 'utf8');
    const files = [...page.matchAll(/^```\w+ \[([\w.]+)\]\n([\s\S]*?)^```$/gm)];
    for (const [, name, text] of files) writeFileSync(join(app, name), text);
    const lines = files.reduce((sum, [, , text]) => sum + text.trim().split('\n').length, 0);
    must(files.length === 4 && lines <= OWN_LINES_MAX, `${files.length} files, ${lines} lines`);
    succeed('npm', ['init', '-y'], app);
    succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], app);
    succeed('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--save-dev', 'vite', 'typescript'], app);
    const strict = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler'];
    succeed('npx', ['tsc', ...strict, '--lib', 'es2022,dom,dom.iterable', 'main.ts'], app);
    await develops(app);
    return `${lines} lines`;
  });
}

async function templates(create, tarball) {
  const tabraft = unpack(tarball, join(work, 'tabraft'));
  for (const template of Object.keys(TEMPLATES)) {
    const app = join(work, `an ${template} App`);
    await check(`${template}: made, type-checked, built, served`, async () => {
      const { status, output } = create(app, '--template', template);
      must(status === 0 && output.includes('install'), `${status} ${output}`);
      const made = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
      must(made.name === `an-${template}-app`, made.name);
      must(made.dependencies.tabraft === `^${described.version}`, `asks for tabraft ${made.dependencies.tabraft}`);
      must(existsSync(join(app, '.gitignore')), 'no .gitignore');
      const started = Date.now();
      if (installs) full(app, tarball);
      else quick(app, template, tabraft);
      await serves(app);
      if (inTabs) await develops(app);
      return `${Math.round((Date.now() - started) / 1000)} s`;
    });
  }
}

try {
  console.log(`== npm create tabraft, from its tarball${installs ? ', with what the registry has' : ''}`);
  const create = creator(unpack(pack(join(root, 'create-tabraft')), join(work, 'create-tabraft')));
  must(mine.version === described.version, 'create-tabraft and tabraft have different versions');
  await refusals(create);
  await failing(create);
  const tarball = pack(root);
  await templates(create, tarball);
  if (inTabs) await startPage(tarball);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(failures.length === 0 ? 'all well' : `${failures.length} failed: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
