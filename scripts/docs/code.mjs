/**
 * Compiles the code blocks of the documents against the package's types, as a stock strict TypeScript project would. What a block takes for
 * granted stands before it in a comment that readers do not see: `<!-- code: declare const node: Room; -->`; a block under
 * `<!-- code: continues -->` goes on where the one before it ended. A block without types says so: `<!-- code: not checked, REASON -->`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const BLOCK = /(?:<!-- code: ([\s\S]*?) -->\n+)?^```(tsx?)(?: [^\n]*)?\n([\s\S]*?)^```$/gm;

/** `{ page, line, kind, code }` of each block that can be compiled. */
export function blocksIn(page, text) {
  const blocks = [];
  for (const { 1: said = '', 2: kind, 3: code, index } of text.matchAll(BLOCK)) {
    if (said.startsWith('not checked, ')) continue;
    const last = blocks.at(-1);
    const line = text.slice(0, index).split('\n').length;
    if (said !== 'continues') blocks.push({ page, line, kind, code: `${said}\n${code}` });
    else if (last === undefined) throw new Error(`${page}:${line} continues nothing.`);
    else last.code += code;
  }
  return blocks;
}

function pagesOf(root) {
  const below = (folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.md') && !name.includes('.vitepress'))
      .map((name) => join(folder, name));
  return ['README.md', ...below('docs'), ...below('site')].map((path) => path.split(sep).join('/')).sort();
}

function options(root, entries) {
  const paths = Object.fromEntries(entries.map(({ name, types }) => [name, [types]]));
  return {
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    module: 'ESNext',
    moduleResolution: 'bundler',
    moduleDetection: 'force',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    jsx: 'react-jsx',
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    paths,
  };
}

/** Answers `{ blocks, errors }`: how many were compiled, and what the compiler says of them, by page and line. */
export function checkCode(root, folder, entries) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const blocks = pagesOf(root).flatMap((page) => blocksIn(page, readFileSync(join(root, page), 'utf8')));
  const places = new Map();
  for (const [i, { page, line, kind, code }] of blocks.entries()) {
    const name = `${page.replaceAll(/\W+/g, '-')}-${i}.${kind}`;
    places.set(name, `${page}:${line}`);
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options(root, entries), include: ['.'] }));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  const lines = `${stdout}${stderr}`
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  const errors = lines.map((line) => line.replace(/^[^\s(]*?([\w-]+\.tsx?)\(/, (all, name) => `${places.get(name) ?? all} (`));
  return { blocks: blocks.length, errors: status === 0 ? [] : errors, folder: relative(root, folder) };
}
