/** Reading source files as text: what they import, and their code without comments and strings. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Files below the folders named, in order. A folder that is missing has none. */
export function filesIn(folders: readonly string[], pattern: RegExp): readonly SourceFile[] {
  return folders.flatMap((folder) => walk(join(ROOT, folder), pattern)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function walk(folder: string, pattern: RegExp): SourceFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const full = join(folder, name);
    if (statSync(full).isDirectory()) return walk(full, pattern);
    return pattern.test(name) ? [{ path: slashes(relative(ROOT, full)), text: readFileSync(full, 'utf8') }] : [];
  });
}

function slashes(path: string): string {
  return path.split(sep).join('/');
}

const STRING_START = /['"`]/;
/** After one of these (or at the start) a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+*%~^<>-]|=>|\b(?:return|typeof|case|in|of|do|else|void|throw))\s*$/;

/**
 * The text with comments, regular expressions and the insides of strings blanked, line by line the same. Good enough
 * for formatted code; code inside `${}` of a template is kept.
 */
export function codeOf(text: string): string {
  let code = '';
  let at = 0;
  const blank = (end: number): void => {
    code += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = text.charAt(at);
    if (two === '//') blank(endOf(text, '\n', at));
    else if (two === '/*') blank(endOf(text, '*/', at + 2) + 2);
    else if (STRING_START.test(one)) {
      const { end, inner } = string(text, at);
      code += one + inner;
      at = end;
      if (end <= text.length) code += one;
    } else if (one === '/' && BEFORE_REGEX.test(code.slice(-40))) blank(regexEnd(text, at));
    else {
      code += one;
      at++;
    }
  }
  return code;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found;
}

/** The end of the string that starts at `start`, and what of its inside is code (or a new line). */
function string(text: string, start: number): { readonly end: number; readonly inner: string } {
  const quote = text.charAt(start);
  let inner = '';
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== quote) {
    if (text.charAt(at) === '\\') at++;
    else if (quote === '`' && text.startsWith('${', at)) {
      const end = bracesEnd(text, at + 1);
      inner += ` ${codeOf(text.slice(at + 2, end))} `;
      at = end;
    } else if (text.charAt(at) === '\n') inner += '\n';
    at++;
  }
  return { end: at + 1, inner };
}

function bracesEnd(text: string, open: number): number {
  let depth = 0;
  let at = open;
  for (; at < text.length; at++) {
    const one = text.charAt(at);
    if (one === '{') depth++;
    else if (one === '}' && --depth === 0) return at;
    else if (STRING_START.test(one)) at = string(text, at).end - 1;
  }
  return at;
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length; at++) {
    const one = text.charAt(at);
    if (one === '\\') at++;
    else if (one === '[') inClass = true;
    else if (one === ']') inClass = false;
    else if (one === '\n') return start + 1;
    else if (one === '/' && !inClass) return at + 1;
  }
  return text.length;
}

const IMPORTS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
  /\bnew URL\(\s*['"](\.[^'"]+)['"]\s*,\s*import\.meta\.url/g,
];

/** Everything a file imports: repository paths for its neighbours, bare names for packages. */
export function importsOf(file: SourceFile): readonly string[] {
  const found = IMPORTS.flatMap((pattern) => [...file.text.matchAll(pattern)].map((match) => match[1] ?? ''));
  return found.map((specifier) =>
    specifier.startsWith('.') ? slashes(normalize(join(dirname(file.path), specifier))) : specifier,
  );
}

/** `@scope/name/file` and `name/file` to the package's name; undefined for files of the repository. */
export function packageOf(imported: string): string | undefined {
  if (/^(?:src|signaling|demo|test|bench|scripts|examples)\//.test(imported) || imported.startsWith('.')) return undefined;
  const parts = imported.split('/');
  return imported.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
