/**
 * Lays the site's pages into one folder: those of site/, those of docs/ under readable addresses, a page for each error code, and the
 * reference out of the package's types.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { entriesOf, surfaceOf } from '../api/surface.mjs';

/** Where the repository's documents stand on the site. One that is not here is for who works on tabraft: it stands below /internals/. */
const PLACES = {
  APPLICATIONS: 'guide/applications',
  BINDINGS: 'guide/bindings',
  STRUCTURES: 'guide/structures',
  TESTING: 'guide/testing',
  INSPECTOR: 'guide/inspector',
  RECORDING: 'guide/recording',
  TRUST: 'guide/trust',
  STORAGE: 'guide/storage',
  DEPLOYMENT: 'operate/deployment',
  OPERATIONS: 'operate/operations',
  PERFORMANCE: 'operate/performance',
  GUARANTEES: 'promises/guarantees',
  THREATS: 'promises/threats',
  ERRORS: 'errors/index',
  FEATURES: 'promises/features',
  GLOSSARY: 'glossary',
};

const placeOf = (name) => PLACES[name] ?? `internals/${name.toLowerCase()}`;
/** A document's address on the site. */
const urlOf = (name) => `/${placeOf(name).replace(/index$/, '')}`;

/** What is code in a line or a block keeps its brackets; elsewhere they would be tags and templates of the page. */
function harmless(text) {
  return text
    .split(/(^```[\s\S]*?^```$|`[^`\n]*`)/m)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/<(?!!--|https?:)/g, '&lt;').replace(/\{\{/g, '&#123;&#123;')))
    .join('');
}

/** Links between documents become links between pages; those to other files of the repository become their names. */
function relinked(text) {
  return text
    .replace(/\]\((?:docs\/)?([A-Z-]+)\.md(#[^)]*)?\)/g, (_all, name, anchor = '') => `](${urlOf(name)}${anchor})`)
    .replace(/\[([^\]]+)\]\((?:\.\.\/)?(?:examples|test|src|scripts|deploy)\/[^)]*\)/g, '$1')
    .replace(/\]\((?:\.\.\/)?(?:README|CONTRIBUTING|SECURITY)\.md\)/g, '](/)');
}

function put(folder, place, text) {
  const path = join(folder, `${place}.md`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** `{ code, text }` of every heading of docs/ERRORS.md that is a code. */
export function errorsIn(text) {
  return text
    .split(/^(?=##)/m)
    .map((part) => /^### `([\w-]+)`\n+([\s\S]*)$/.exec(part))
    .filter((found) => found !== null)
    .map(([, code, words]) => ({ code, text: words.trim() }));
}

/** What follows from the table in the source, in words. */
function consequences({ retryable, mayHaveApplied }) {
  const again = retryable
    ? 'The same call, unchanged, can succeed later (`retryable`).'
    : 'The same call will not succeed by being repeated (`retryable` is false).';
  const applied = mayHaveApplied
    ? 'The command may have been applied, or may be applied yet (`mayHaveApplied`): repeat it only under the same `id`, or read first.'
    : 'The command was not applied, and will not be (`mayHaveApplied` is false).';
  return `${again}\n\n${applied}`;
}

function handling(code, { retryable, mayHaveApplied }) {
  const then = mayHaveApplied
    ? '// error.id names the write: propose the same command under it, and it is applied once.'
    : retryable
      ? '// try again after error.retryAfterMs, where it is given'
      : '// tell the user, or mend the call: repeating it changes nothing';
  return `\`\`\`ts
import { RaftError } from 'tabraft';

try {
  await call();
} catch (error) {
  if (!RaftError.is(error, '${code}')) throw error;
  ${then}
}
\`\`\``;
}

function errorPages(folder, docs, codes) {
  const text = readFileSync(join(docs, 'ERRORS.md'), 'utf8');
  const errors = errorsIn(text);
  for (const { code, text: words } of errors)
    put(
      folder,
      `errors/${code}`,
      relinked(
        `# \`${code}\`\n\n${words}\n\n## What follows\n\n${consequences(codes[code])}\n\n## In code\n\n${handling(code, codes[code])}\n\nAll codes: [errors](/errors/).\n`,
      ),
    );
  const linked = text.replace(/^### `([\w-]+)`$/gm, '### [`$1`](/errors/$1)');
  put(folder, 'errors/index', harmless(relinked(linked)));
  return errors.map(({ code }) => code);
}

const CALLS = new Set(['function', 'class', 'const', 'let', 'from', 'default']);
const block = (text) => `\`\`\`ts\n${text.replace(/^\s*#private;\n/gm, '')}\n\`\`\``;
const described = ({ name, doc, text }) => `### ${name}\n\n${doc === '' ? '' : `${harmless(doc)}\n\n`}${block(text)}\n`;

function referencePage({ name, types }) {
  const { head, exports, needed } = surfaceOf(types);
  const calls = exports.filter(({ kind }) => CALLS.has(kind));
  const rest = exports.filter(({ kind }) => !CALLS.has(kind));
  const part = (title, all) => (all.length === 0 ? '' : `## ${title}\n\n${all.map(described).join('\n')}\n`);
  return `---\noutline: [2, 3]\n---\n\n# ${name}\n\n${harmless(head)}\n\n${part('Functions and values', calls)}${part('Types', rest)}${part('Named by these', needed)}`;
}

const pageNameOf = (name) => name.replace(/^tabraft\/?/, '').replaceAll('/', '-') || 'tabraft';

function referencePages(folder, root) {
  const entries = entriesOf(root);
  for (const entry of entries) put(folder, `api/${pageNameOf(entry.name)}`, referencePage(entry));
  const list = entries.map(
    (entry) =>
      `- [\`${entry.name}\`](/api/${pageNameOf(entry.name)}): ${harmless(surfaceOf(entry.types).head.split(/(?<=\.)\s/)[0] ?? '')}`,
  );
  put(
    folder,
    'api/index',
    `# Reference\n\nOut of the package's own types: what an editor shows on hover.\n\n${list.join('\n')}\n`,
  );
  return entries.map(({ name }) => ({ text: name, link: `/api/${pageNameOf(name)}` }));
}

/** Answers what the side bar needs to know: `{ codes, entries, internals }`. */
export function layPages(root, folder, codes) {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, 'site'), folder, { recursive: true, filter: (path) => !path.includes('.vitepress') });
  const docs = join(root, 'docs');
  const internals = [];
  for (const file of readdirSync(docs)
    .filter((one) => one.endsWith('.md'))
    .sort()) {
    const name = basename(file, '.md');
    if (name === 'ERRORS') continue;
    const text = readFileSync(join(docs, file), 'utf8');
    put(folder, placeOf(name), harmless(relinked(text)));
    if (PLACES[name] === undefined) internals.push({ text: /^# (.+)$/m.exec(text)?.[1] ?? name, link: urlOf(name) });
  }
  cpSync(join(docs, 'demo.png'), join(folder, 'public', 'demo.png'));
  const laid = { codes: errorPages(folder, docs, codes), entries: referencePages(folder, root), internals };
  writeFileSync(join(folder, 'laid.json'), JSON.stringify(laid));
  return laid;
}

/** Where a page's file stands among the built ones. */
export const builtPath = (folder, url) => {
  const path = decodeURIComponent(url).replace(/^\//, '');
  if (path === '' || path.endsWith('/')) return posix.join(folder, path, 'index.html');
  return posix.join(folder, /\.\w+$/.test(path) ? path : `${path}.html`);
};
