/** Writes an application into a folder: all of it, or nothing. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Refusal } from './arguments.mjs';

const TEMPLATES_FOLDER = fileURLToPath(new URL('./templates', import.meta.url));
/** npm's own limit for a package's name: characters. */
const NAME_LENGTH_MAX = 214;
/** npm leaves files of this name out of packages: they travel under another. */
const RENAMED = { _gitignore: '.gitignore' };
/** What may be in a folder that counts as empty: a repository that was just made. */
const NOTHING = new Set(['.git']);

/** A package's name out of a folder's. */
export function packageName(folder) {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, NAME_LENGTH_MAX);
  return name === '' ? 'tabraft-app' : name;
}

/** Throws a Refusal when `target` is there and is not an empty folder. Nothing is changed. Answers whether it is there. */
export function requireEmpty(target) {
  let names;
  try {
    names = readdirSync(target);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    if (error.code === 'ENOTDIR') throw new Refusal(`${target} is a file, or lies below one. Name a new folder.`);
    throw new Refusal(`${target} cannot be read: ${error.message}.`);
  }
  const found = names.filter((name) => !NOTHING.has(name));
  if (found.length > 0)
    throw new Refusal(
      `${target} is not empty (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}). Nothing was changed: name a new folder.`,
    );
  return true;
}

/** Every file of a template, by its path in the application; what the template has counts for more than what all have. */
function filesOf(template) {
  const files = new Map();
  for (const folder of ['base', template].map((name) => join(TEMPLATES_FOLDER, name)))
    for (const path of readdirSync(folder, { recursive: true }).sort())
      if (statSync(join(folder, path)).isFile()) files.set(RENAMED[path] ?? path, readFileSync(join(folder, path)));
  return files;
}

/** Throws a Refusal; what was written until then is taken back. Answers the files that were written. */
export function generate(target, template) {
  const wasThere = requireEmpty(target);
  const files = filesOf(template);
  const described = JSON.parse(files.get('package.json').toString());
  files.set('package.json', `${JSON.stringify({ name: packageName(target), ...described }, null, 2)}\n`);
  let made;
  const written = new Set();
  try {
    made = mkdirSync(target, { recursive: true });
    for (const [path, content] of files) {
      written.add(path.split(/[\\/]/)[0]);
      mkdirSync(join(target, path, '..'), { recursive: true });
      writeFileSync(join(target, path), content, { flag: 'wx' });
    }
  } catch (error) {
    takeBack(wasThere ? [...written].map((name) => join(target, name)) : [made ?? target]);
    throw new Refusal(`The application could not be written: ${error.message}. What was begun is removed.`);
  }
  return [...files.keys()];
}

function takeBack(paths) {
  for (const path of paths) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The disk refuses that too; the error that began it is the one to tell.
    }
  }
}
