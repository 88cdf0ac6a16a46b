/**
 * `npm run api` writes api/: what every entry of the package exports, declaration by declaration, so that a change of the public face shows in
 * the diff of the change that made it. `npm run api -- --check` refuses a listing that is not what the build has. Needs the build's types.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bare, entriesOf, surfaceOf } from './surface.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, 'api');
/** Lines of a difference that are shown. */
const SHOWN_MAX = 20;

const section = (declarations) => declarations.map(({ name, text }) => `${header(name, text)}${bare(text)}`).join('\n\n');
/** A name under which something else is exported. */
const header = (name, text) => (new RegExp(`\\b${name}\\b`).test(text.split('\n')[0]) ? '' : `// as ${name}\n`);

/** What one listing says in full, the next ones only name. */
const told = new Set();

function reportOf({ name, types }) {
  const { exports, needed } = surfaceOf(types);
  const place = ({ path, name: one }) => `${path} ${one}`;
  const fresh = needed.filter((one) => !told.has(place(one)));
  const known = needed.filter((one) => told.has(place(one))).map((one) => one.name);
  for (const one of [...exports, ...needed]) told.add(place(one));
  const more = fresh.length === 0 ? '' : `\n// Named by these, and not exported by this entry.\n\n${section(fresh)}\n`;
  const besides = known.length === 0 ? '' : `\n// Besides, listed before: ${known.join(', ')}.\n`;
  return `// ${name}: ${exports.length} exports.\n\n${section(exports)}\n${more}${besides}`;
}

function differences(before, now) {
  const old = new Set(before.split('\n'));
  const fresh = new Set(now.split('\n'));
  const lines = [
    ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${line}`),
    ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
  return lines.slice(0, SHOWN_MAX).join('\n');
}

const reports = new Map(
  entriesOf(root).map((entry) => [
    `${entry.name.replace(/^tabraft\/?/, '').replaceAll('/', '-') || 'index'}.d.ts.txt`,
    reportOf(entry),
  ]),
);
if (process.argv.includes('--check')) {
  const there = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of new Set([...there, ...reports.keys()])) {
    const before = there.includes(name) ? readFileSync(join(folder, name), 'utf8') : '';
    const now = reports.get(name) ?? '';
    if (before === now) continue;
    console.error(
      `api/${name} is not what the package exports. Run npm run api, and look at the difference:\n${differences(before, now)}`,
    );
    process.exitCode = 1;
  }
  if (process.exitCode !== 1) console.log(`api/ is what the package exports: ${reports.size} entries.`);
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, report] of reports) writeFileSync(join(folder, name), report);
  console.log(`api/: ${reports.size} entries.`);
}
