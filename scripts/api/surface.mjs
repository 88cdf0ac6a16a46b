/**
 * What the package's types say, entry by entry: every exported name with its declaration, and every name that those declarations need.
 * Read from the `.d.ts` files of the build, so that it is what an editor shows on hover.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

const modules = new Map();

/** A declaration file: its imports, what it exports from elsewhere, and its own declarations by name. */
function moduleAt(path) {
  const known = modules.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, 'utf8');
  const { program, comments, errors } = parseSync(path, text, { astType: 'ts' });
  if (errors.length > 0) throw new Error(`${path} cannot be read: ${errors[0].message}`);
  const read = {
    path,
    text,
    head: headOf(text, program, comments),
    imports: new Map(),
    declared: new Map(),
    exported: new Map(),
    all: [],
  };
  modules.set(path, read);
  for (const node of program.body) note(read, node, comments);
  return read;
}

/** What the file says of itself: the first comment, unless it stands right before a declaration. */
function headOf(text, program, comments) {
  const [first] = comments;
  const [node] = program.body;
  if (first === undefined || first.type !== 'Block' || (node !== undefined && first.start > node.start)) return '';
  return plain(text.slice(first.start, first.end));
}

/** A comment's words, without stars. */
function plain(comment) {
  return comment
    .replace(/^\/\*\*?|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim();
}

const fileOf = (from, source) => {
  const path = join(dirname(from), source.replace(/\.ts$/, '.d.ts'));
  return source.startsWith('.') && existsSync(path) ? path : undefined;
};

function note(read, node, comments) {
  const source = node.source == null ? undefined : fileOf(read.path, node.source.value);
  if (node.type === 'ImportDeclaration') {
    for (const { type, local, imported } of node.specifiers)
      if (source !== undefined && type === 'ImportSpecifier') read.imports.set(local.name, { source, name: imported.name });
  } else if (node.type === 'ExportAllDeclaration') read.all.push(source);
  else if (node.type === 'ExportNamedDeclaration' && node.declaration == null) {
    for (const { local, exported } of node.specifiers) {
      read.exported.set(exported.name, { source: source ?? read.path, name: local.name });
      if (node.source != null && source === undefined) declareForeign(read, local.name, node.source.value);
    }
  } else if (node.type === 'ExportDefaultDeclaration')
    read.exported.set('default', { source: read.path, name: node.declaration.name });
  else {
    const declaration = node.declaration ?? node;
    for (const name of namesOf(declaration)) {
      declare(read, name, declaration, commentBefore(read.text, node.start, comments));
      if (node.declaration != null) read.exported.set(name, { source: read.path, name });
    }
  }
}

const namesOf = ({ id, declarations }) =>
  id != null ? [id.name] : (declarations ?? []).flatMap((one) => (one.id.name === undefined ? [] : [one.id.name]));

function declare(read, name, declaration, doc) {
  const text = read.text.slice(declaration.start, declaration.end).replace(/^declare /, '');
  const before = read.declared.get(name);
  const kind = /^(?:abstract )?(\w+)/.exec(text)?.[1] ?? 'type';
  // An overload joins the first.
  if (before !== undefined) before.text += `\n${text}`;
  else read.declared.set(name, { name, kind, text, doc, path: read.path, names: referred(declaration) });
}

/** What another package exports, and the entry hands on. */
function declareForeign(read, name, from) {
  read.declared.set(name, {
    name,
    kind: 'from',
    text: `export { ${name} } from '${from}';`,
    doc: '',
    path: read.path,
    names: new Set(),
  });
}

function commentBefore(text, start, comments) {
  const last = comments.findLast(({ end }) => end <= start);
  if (last === undefined || text.slice(last.end, start).trim() !== '' || !text.startsWith('/**', last.start)) return '';
  return plain(text.slice(last.start, last.end));
}

/** The names of types that a declaration needs. */
function referred(node, found = new Set()) {
  if (Array.isArray(node)) for (const one of node) referred(one, found);
  else if (node !== null && typeof node === 'object') {
    if (node.type === 'TSTypeReference' && node.typeName.type === 'Identifier') found.add(node.typeName.name);
    if (node.type === 'TSTypeQuery' && node.exprName.type === 'Identifier') found.add(node.exprName.name);
    if (node.type === 'TSInterfaceHeritage' || node.type === 'TSClassImplements') found.add(node.expression.name);
    if (node.superClass?.name !== undefined) found.add(node.superClass.name);
    for (const value of Object.values(node)) referred(value, found);
  }
  return found;
}

/** The declaration that a name of a module stands for; undefined for what comes from another package. */
function resolve(path, name) {
  const read = moduleAt(path);
  const own = read.declared.get(name);
  if (own !== undefined) return own;
  const isElsewhere = (from) => from !== undefined && (from.source !== path || from.name !== name);
  const from = [read.exported.get(name), read.imports.get(name)].find(isElsewhere);
  if (from !== undefined) return resolve(from.source, from.name);
  for (const source of read.all) {
    const found = source === undefined ? undefined : resolve(source, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function exportedNames(path, seen = new Set()) {
  if (seen.has(path)) return [];
  seen.add(path);
  const read = moduleAt(path);
  return [...read.exported.keys(), ...read.all.flatMap((source) => (source === undefined ? [] : exportedNames(source, seen)))];
}

/** `{ head, exports, needed }`: what the entry says of itself, what it exports, and what these name besides; each sorted by name. */
export function surfaceOf(entry) {
  const exports = new Map();
  for (const name of [...new Set(exportedNames(entry))].sort()) {
    const found = resolve(entry, name);
    if (found === undefined) throw new Error(`${entry} exports ${name}, which is declared nowhere.`);
    exports.set(name, found);
  }
  const needed = new Map();
  const waiting = [...exports.values()];
  const isExported = new Set(exports.values());
  for (const one of waiting)
    for (const name of one.names) {
      const found = resolve(one.path, name);
      if (found === undefined || isExported.has(found) || needed.get(found.name) === found) continue;
      needed.set(found.name, found);
      waiting.push(found);
    }
  const sorted = [...needed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { head: moduleAt(entry).head, exports: [...exports].map(([name, found]) => ({ ...found, name })), needed: sorted };
}

/** The package's entries that have types for applications, by the name they are imported by. */
export function entriesOf(root) {
  const described = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(described.exports)
    .filter(([name, target]) => typeof target === 'object' && !name.endsWith('-worker'))
    .map(([name, { types }]) => ({
      name: name === '.' ? described.name : `${described.name}/${name.slice(2)}`,
      types: join(root, types),
    }));
}

/** A declaration in its bare words: no comments, private members or line breaks that say nothing. */
export function bare(text) {
  return text
    .replace(/[ \t]*\/\*\*[\s\S]*?\*\/\n?/g, '')
    .replace(/^\s*#private;\n/gm, '')
    .replace(/^\s*\n/gm, '');
}
