/** The commands of `tabraft`, without the process around them: arguments in, lines out. */

import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RaftError } from '../core/errors.ts';
import { exportStore, importDump } from '../storage/dump.ts';
import { checkStore, describeLog, describeMembers, describeMetadata } from '../storage/inspect.ts';
import { LmdbStorage } from '../storage/lmdb/lmdb-storage.ts';
import { recover } from '../storage/recover.ts';
import { LIVE_HELP } from './live/verbs.ts';
import { ownerOf, withReader } from './sources.ts';
import { logTable, membersTable, metadataTable } from './tables.ts';

type Say = (line: string) => void;

const USAGE = `usage: tabraft <command>

A process at the edge, and what can be asked of one that runs:

  peer --room LINK --signaling URL --dir PATH   more with peer --help
${LIVE_HELP}

Of stores and dumps:

  describe logs <dir|dump> [--last N] [--from I] [--to I] [--json]
  describe metadata <dir|dump> [--json]
  describe members <dir|dump> [--json]
  check <dir|dump>                     read everything, and verify it
  export <dir> <file> [--records]      a node's state as one file; --records: its session and keys as well
  import <file> <path> [--room NAME]   into a new node of the LMDB storage at <path>
  recover <dir> --yes                  the survivor of a lost majority goes on alone, in a new epoch

<dir> is the directory of one node (the one with data.mdb), or one above it with a single node in it. A dump is a
file made by export, or by node.admin in a browser. recover and import need the node to be stopped. Directories need the
package lmdb (npm install lmdb), dumps do not. tabraft --version says which this is.`;

interface Arguments {
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

const WITH_VALUE = new Set(['last', 'from', 'to', 'room']);
const WITHOUT_VALUE = new Set(['json', 'records', 'yes', 'help', 'version']);

/** Exit code: 0 done, 2 not understood. Errors: of the store or the dump. */
export async function run(given: readonly string[], say: Say): Promise<number> {
  const { words, flags } = parse(given);
  const [command, ...rest] = words;
  if (flags.has('version')) {
    say(version());
    return 0;
  }
  if (command === undefined || flags.has('help')) {
    say(USAGE);
    return command === undefined && !flags.has('help') ? 2 : 0;
  }
  const [first, second] = rest;
  if (command === 'describe' && first !== undefined && second !== undefined) return show(first, second, flags, say);
  if (command === 'check' && first !== undefined) return check(first, say);
  if (command === 'export' && first !== undefined && second !== undefined) return exportTo(first, second, flags, say);
  if (command === 'import' && first !== undefined && second !== undefined) return importFrom(first, second, flags, say);
  if (command === 'recover' && first !== undefined) return recoverIn(first, flags, say);
  say(USAGE);
  return 2;
}

/** The package's, whether this runs from dist/ or from src/cli/. */
function version(): string {
  for (const up of ['..', '../..']) {
    const path = join(dirname(fileURLToPath(import.meta.url)), up, 'package.json');
    if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
  }
  return 'unknown';
}

function parse(given: readonly string[]): Arguments {
  const words: string[] = [];
  const flags = new Map<string, string>();
  for (let i = 0; i < given.length; i += 1) {
    const word = given[i] ?? '';
    const name = word.startsWith('--') ? word.slice(2) : undefined;
    if (name === undefined) words.push(word);
    else if (WITHOUT_VALUE.has(name)) flags.set(name, '');
    else if (WITH_VALUE.has(name) && given[i + 1] !== undefined) {
      i += 1;
      flags.set(name, given[i] ?? '');
    } else throw new RaftError('invalid-argument', `There is no option ${word}, or its value is missing.`);
  }
  return { words, flags };
}

function number(flags: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = flags.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new RaftError('invalid-argument', `--${name} takes a whole number, not ${text}.`);
  return Number(text);
}

async function show(what: string, path: string, flags: ReadonlyMap<string, string>, say: Say): Promise<number> {
  const json = flags.has('json');
  return withReader(path, async (store) => {
    if (what === 'logs') {
      const range = { from: number(flags, 'from'), to: number(flags, 'to'), last: number(flags, 'last') };
      const lines = await describeLog(store, range);
      for (const line of json ? lines.map((entry) => JSON.stringify(entry)) : logTable(lines)) say(line);
    } else if (what === 'metadata') {
      const metadata = await describeMetadata(store);
      for (const line of json ? [JSON.stringify(metadata)] : metadataTable(metadata)) say(line);
    } else if (what === 'members') {
      const members = await describeMembers(store);
      const readable = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? [...value] : value);
      for (const line of json ? [JSON.stringify(members, readable)] : membersTable(members)) say(line);
    } else {
      say(USAGE);
      return 2;
    }
    return 0;
  });
}

async function check(path: string, say: Say): Promise<number> {
  return withReader(path, async (store) => {
    const { entries, snapshotBytes } = await checkStore(store);
    say(`whole: ${entries} entries, ${snapshotBytes} bytes of snapshot`);
    return 0;
  });
}

async function exportTo(path: string, file: string, flags: ReadonlyMap<string, string>, say: Say): Promise<number> {
  return withReader(path, async (store) => {
    const out = createWriteStream(file, { flags: 'wx' });
    await once(out, 'open');
    let bytes = 0;
    for await (const piece of exportStore(store, { records: flags.has('records') })) {
      bytes += piece.length;
      if (!out.write(piece)) await once(out, 'drain');
    }
    out.end();
    await once(out, 'close');
    say(`${bytes} bytes written to ${file}`);
    return 0;
  });
}

async function importFrom(file: string, path: string, flags: ReadonlyMap<string, string>, say: Say): Promise<number> {
  const room = flags.get('room') ?? (await withReader(file, async (store) => store.identity.room));
  const store = await new LmdbStorage({ path }).acquire({ room, fresh: true });
  try {
    const header = await importDump(store, createReadStream(file));
    say(`node ${store.identity.nodeId} of room ${room} now holds what ${header.nodeId} held, up to entry ${header.lastIndex}`);
    await store.close();
  } catch (error) {
    // A half-imported node would be taken for one.
    await store.wipe();
    throw error;
  }
  return 0;
}

async function recoverIn(path: string, flags: ReadonlyMap<string, string>, say: Say): Promise<number> {
  const owner = await ownerOf(path);
  if (!flags.has('yes')) {
    say(
      `This makes node ${owner.nodeId} the only member of a new epoch of its cluster. Entries that only the others held are lost,`,
    );
    say('and none of them can come back but as a new member. Run it again with --yes when their majority is gone for good.');
    return 2;
  }
  const store = await new LmdbStorage({ path: owner.root }).take(owner.room, owner.nodeId);
  try {
    const { epoch, removed, commit } = await recover(store, Date.now());
    say(
      `epoch ${epoch}: node ${owner.nodeId} is the only voter, committed up to ${commit}; removed: ${removed.join(', ') || 'nobody'}`,
    );
  } finally {
    await store.close();
  }
  return 0;
}
