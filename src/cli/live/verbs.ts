/** The verbs that ask a running process: arguments in, lines out. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { RaftError } from '../../core/errors.ts';
import type { ClusterConfig, Explanation } from '../../runtime/api/api.ts';
import { ADMIN_PORT } from '../peer/settings.ts';
import { ask, type Question } from './ask.ts';
import { membersOf, type Overview, overviewTable } from './tables.ts';

type Say = (line: string) => void;

export const LIVE_HELP: string = `  status [--json]                      the rooms of a running "tabraft peer", and why things are as they are
  members [--json]                     who belongs to a room
  add ID [--as voter|standby] [--priority N]
  remove ID
  transfer [ID]                        who shall lead; without an id the best of the others
  snapshot                             take one now
  backup FILE                          all that the process stores of the room, as a dump
  watch                                a line of JSON for whatever happens
      --room NAME                      which room, where there are several
      --admin URL                      default http://127.0.0.1:${ADMIN_PORT}`;

const FLAGS = {
  admin: { type: 'string' },
  room: { type: 'string' },
  json: { type: 'boolean' },
  as: { type: 'string' },
  priority: { type: 'string' },
  name: { type: 'string' },
} as const;

interface Call {
  readonly admin: string;
  readonly room: string;
  readonly words: readonly string[];
  readonly flags: ReturnType<typeof flagsFrom>['values'];
  readonly say: Say;
}

/** How many words follow, at least and at most, which flags it takes beside --admin and --room, and what it does. */
interface Verb {
  readonly words: readonly [min: number, max: number];
  readonly flags: readonly string[];
  run(call: Call): Promise<void>;
}

const VERBS: Readonly<Record<string, Verb>> = {
  members: {
    words: [0, 0],
    flags: ['json'],
    run: async (call) => {
      const config = (await (await askRoom(call, 'GET', 'members')).json()) as ClusterConfig;
      for (const line of call.flags.json === true ? [JSON.stringify(config)] : membersOf(config)) call.say(line);
    },
  },
  add: {
    words: [1, 1],
    flags: ['as', 'priority', 'name'],
    run: async (call) => {
      const { as, name, priority } = call.flags;
      const body = {
        id: call.words[0],
        as,
        name,
        priority: priority === undefined ? undefined : wholeNumber('--priority', priority),
      };
      const { index } = (await (await askRoom(call, 'POST', 'members', body)).json()) as { readonly index: number };
      call.say(`${call.words[0]} belongs to room ${call.room} as of entry ${index}`);
    },
  },
  remove: {
    words: [1, 1],
    flags: [],
    run: async (call) => {
      const { index } = (await (await askRoom(call, 'POST', 'remove', { id: call.words[0] })).json()) as {
        readonly index: number;
      };
      call.say(`${call.words[0]} belongs to room ${call.room} no more as of entry ${index}`);
    },
  },
  transfer: {
    words: [0, 1],
    flags: [],
    run: async (call) => {
      const answer = await askRoom(call, 'POST', 'transfer', { to: call.words[0] });
      call.say(`${((await answer.json()) as { readonly leader: string }).leader} leads room ${call.room}`);
    },
  },
  snapshot: {
    words: [0, 0],
    flags: [],
    run: async (call) => {
      const answer = (await (await askRoom(call, 'POST', 'snapshot', {})).json()) as {
        readonly index: number;
        readonly bytes: number;
      };
      call.say(`room ${call.room}: snapshot of entry ${answer.index}, ${answer.bytes} bytes`);
    },
  },
  backup: { words: [1, 1], flags: [], run: backup },
  watch: { words: [0, 0], flags: [], run: watch },
};

export const isLiveVerb = (name: string): boolean => name === 'status' || Object.hasOwn(VERBS, name);

/** Exit code: 0 done, 2 not understood. Errors: invalid-argument, not-open, and those of the process. */
export async function runLive(name: string, args: readonly string[], say: Say): Promise<number> {
  const { values, positionals } = flagsFrom(args);
  const admin = adminUrl(values.admin);
  if (name === 'status') {
    refuseOthers(values, ['json', 'room']);
    if (positionals.length > 0) throw new RaftError('invalid-argument', 'status takes no words, only flags.');
    await showStatus(admin, values.room, values.json === true, say);
    return 0;
  }
  const verb = VERBS[name];
  if (verb === undefined) return 2;
  const [min, max] = verb.words;
  if (positionals.length < min || positionals.length > max)
    throw new RaftError(
      'invalid-argument',
      `${name} takes ${min === max ? min : `${min} to ${max}`} words, not ${positionals.length}.`,
    );
  refuseOthers(values, [...verb.flags, 'room']);
  const room = values.room ?? (await onlyRoom(admin));
  await verb.run({ admin, room, words: positionals, flags: values, say });
  return 0;
}

function flagsFrom(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: true });
  } catch (cause) {
    throw new RaftError('invalid-argument', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function refuseOthers(values: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const other = Object.keys(values).find((flag) => flag !== 'admin' && !known.includes(flag));
  if (other !== undefined) throw new RaftError('invalid-argument', `--${other} means nothing here.`);
}

function adminUrl(given: string | undefined): string {
  const url = given ?? `http://127.0.0.1:${ADMIN_PORT}`;
  if (URL.canParse(url) && /^http:/.test(url)) return url;
  throw new RaftError(
    'invalid-argument',
    `--admin takes the URL of an admin server, as http://127.0.0.1:${ADMIN_PORT}, not ${url}.`,
  );
}

function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RaftError('invalid-argument', `${flag} takes a whole number, not ${text}.`);
}

function askRoom({ admin, room }: Call, method: Question['method'], what: string, body?: unknown): Promise<Response> {
  return ask(admin, { method, path: `/rooms/${encodeURIComponent(room)}/${what}`, body }, what === 'watch' || what === 'backup');
}

async function overviewOf(admin: string): Promise<Overview> {
  return (await (await ask(admin, { method: 'GET', path: '/status' })).json()) as Overview;
}

async function onlyRoom(admin: string): Promise<string> {
  const { rooms } = await overviewOf(admin);
  const [only, other] = rooms;
  if (only === undefined) throw new RaftError('room-invalid', 'The process is in no room.');
  if (other === undefined) return only.room;
  throw new RaftError('invalid-argument', `Say which room with --room: ${rooms.map(({ room }) => room).join(', ')}.`);
}

async function showStatus(admin: string, room: string | undefined, json: boolean, say: Say): Promise<void> {
  const overview = await overviewOf(admin);
  const rooms = overview.rooms.filter((one) => room === undefined || one.room === room);
  if (room !== undefined && rooms.length === 0) throw new RaftError('room-invalid', `The process is in no room named ${room}.`);
  if (json) return say(JSON.stringify({ ...overview, rooms }));
  for (const line of overviewTable({ ...overview, rooms })) say(line);
  for (const one of rooms) {
    const answer = await ask(admin, { method: 'GET', path: `/rooms/${encodeURIComponent(one.room)}/explain` });
    say(`${one.room}: ${((await answer.json()) as Explanation).text}`);
  }
}

/** Under another name until it is whole: half a backup is none. */
async function backup(call: Call): Promise<void> {
  const file = call.words[0] ?? '';
  const answer = await askRoom(call, 'GET', 'backup');
  if (answer.body === null) throw new RaftError('rejected', 'The process sent nothing.');
  const partial = `${file}.partial`;
  const out = createWriteStream(partial, { flags: 'wx', mode: 0o600 });
  try {
    await pipeline(Readable.fromWeb(answer.body as never), out);
    await rename(partial, file);
  } catch (cause) {
    if (out.bytesWritten > 0 || !out.pending) await rm(partial, { force: true });
    throw new RaftError(
      'storage',
      `The backup could not be written to ${file}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
  call.say(`${out.bytesWritten} bytes written to ${file}`);
}

async function watch(call: Call): Promise<void> {
  const answer = await askRoom(call, 'GET', 'watch');
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) call.say(line);
  }
}
