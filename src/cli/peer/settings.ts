/** What `tabraft peer` is told: by flags and by a file of JSON. Both know the same fields; a flag counts for more. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RaftError } from '../../core/errors.ts';
import { checkField, type FieldValue, fieldsOf, PROCESS_FIELDS, ROOM_FIELDS, roomOfLink } from './fields.ts';

export interface RoomSettings {
  readonly room: string;
  /** As it was given: by its link or its name. */
  readonly entrance: string;
  /** Of a room given by its name: it is open to everybody who knows that. */
  readonly open: boolean;
  /** Path of a module; undefined: a keeper. */
  readonly machine: string | undefined;
  readonly as: 'voter' | 'standby';
  readonly priority: number;
  readonly name: string;
  /** How many shall vote in a cluster that this process founds. */
  readonly voters: number | undefined;
  readonly found: boolean;
}

export interface PeerSettings {
  readonly signaling: string;
  readonly dir: string;
  readonly rooms: readonly RoomSettings[];
  /** Port of the admin server on loopback; undefined: none. */
  readonly admin: number | undefined;
  readonly log: 'text' | 'json';
  readonly links: 'auto' | 'native' | 'relay';
  readonly snapshotEvery: number | undefined;
}

export const CONFIG_NAME = 'tabraft.json';
/** Where the admin server listens unless told otherwise. */
export const ADMIN_PORT = 7411;
/** Rooms of one process: each has timers, a database and links of its own. */
export const ROOMS_MAX = 256;
/** Of a member that stays, among members that come and go: it votes first, and leads. */
const PRIORITY = 10;

type Fields = Readonly<Record<string, FieldValue>>;

/** Errors: invalid-argument, naming the flag or the field. */
export function peerSettings(args: readonly string[], workingDirectory: string): PeerSettings | { readonly help: true } {
  const { flags, rooms: named, config, help } = flagsFrom(args);
  if (help) return { help: true };
  const file = config === undefined ? fileIn(workingDirectory) : readFile(resolve(workingDirectory, config));
  const all: Fields = { ...file.fields, ...flags };
  const rooms = named.length > 0 ? named.map((room): Fields => ({ room })) : file.rooms;
  const signaling = text(all, 'signaling');
  const dir = text(all, 'dir');
  if (signaling === undefined) throw missing('signaling', 'the URL of the signaling server');
  if (dir === undefined) throw missing('dir', 'the directory for votes, logs and snapshots');
  if (rooms.length === 0) throw missing('room', 'at least one room');
  if (rooms.length > ROOMS_MAX) throw invalid(`A process takes at most ${ROOMS_MAX} rooms, got ${rooms.length}.`);
  const base = named.length > 0 ? workingDirectory : file.base;
  return {
    signaling,
    dir: resolve(flags['dir'] === undefined ? file.base : workingDirectory, dir),
    rooms: distinct(
      rooms.map((room) =>
        roomSettings(
          { ...all, ...room },
          room['machine'] === undefined ? (flags['machine'] === undefined ? file.base : workingDirectory) : base,
        ),
      ),
    ),
    admin: adminPort(all['admin']),
    log: all['log'] === 'json' ? 'json' : 'text',
    links: (text(all, 'links') ?? 'auto') as PeerSettings['links'],
    snapshotEvery: number(all, 'snapshot-every'),
  };
}

function roomSettings(fields: Fields, base: string): RoomSettings {
  const machine = text(fields, 'machine');
  const entrance = text(fields, 'room') ?? '';
  const open = text(fields, 'open') === 'on' && !entrance.includes('#');
  return {
    room: roomOfLink(entrance),
    entrance,
    open,
    machine: machine === undefined ? undefined : resolve(base, machine),
    as: text(fields, 'as') === 'standby' ? 'standby' : 'voter',
    priority: number(fields, 'priority') ?? PRIORITY,
    name: text(fields, 'name') ?? 'edge',
    voters: number(fields, 'voters'),
    found: text(fields, 'found') !== 'off',
  };
}

function distinct(rooms: readonly RoomSettings[]): readonly RoomSettings[] {
  const twice = rooms.find(({ room }, at) => rooms.findIndex((other) => other.room === room) !== at);
  if (twice !== undefined) throw invalid(`Room ${twice.room} is named twice.`);
  return rooms;
}

function adminPort(value: FieldValue | undefined): number | undefined {
  return value === 'off' ? undefined : value === undefined ? ADMIN_PORT : Number(value);
}

interface Flags {
  readonly flags: Fields;
  readonly rooms: readonly string[];
  readonly config: string | undefined;
  readonly help: boolean;
}

function flagsFrom(args: readonly string[]): Flags {
  const named = Object.fromEntries([...PROCESS_FIELDS, ...ROOM_FIELDS].map(({ name }) => [name, { type: 'string' as const }]));
  const options = {
    ...named,
    room: { type: 'string' as const, multiple: true as const },
    config: { type: 'string' as const },
    help: { type: 'boolean' as const, short: 'h' },
  };
  try {
    const { room = [], config, help = false, ...rest } = parseArgs({ args: [...args], options, strict: true }).values;
    const flags: Record<string, FieldValue> = {};
    for (const [name, value] of Object.entries(rest)) flags[name] = checkField(name, value, `--${name}`);
    for (const one of room) checkField('room', one, '--room');
    return { flags, rooms: room, config, help };
  } catch (cause) {
    if (RaftError.is(cause)) throw cause;
    throw new RaftError('invalid-argument', `${cause instanceof Error ? cause.message : String(cause)} Try --help.`, { cause });
  }
}

interface ConfigFile {
  readonly fields: Fields;
  readonly rooms: readonly Fields[];
  /** Paths in it are from here. */
  readonly base: string;
}

function fileIn(directory: string): ConfigFile {
  try {
    return readFile(resolve(directory, CONFIG_NAME));
  } catch (error) {
    if (RaftError.is(error) && isMissing(error.cause)) return { fields: {}, rooms: [], base: directory };
    throw error;
  }
}

function readFile(path: string): ConfigFile {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new RaftError('invalid-argument', `${path} cannot be read as JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const { rooms = [], ...fields } = fieldsOf(content, [...PROCESS_FIELDS, ...ROOM_FIELDS], path, ['rooms']);
  if (!Array.isArray(rooms)) throw invalid(`${path}: rooms is a list of rooms.`);
  return {
    fields: fields as Fields,
    rooms: rooms.map((room, at) => roomFields(room, `${path}: rooms[${at}]`)),
    base: dirname(path),
  };
}

function roomFields(room: unknown, where: string): Fields {
  if (typeof room === 'string') return { room: checkField('room', room, where) };
  const fields = fieldsOf(room, ROOM_FIELDS, where, ['room']) as Readonly<Record<string, unknown>>;
  return { ...(fields as Fields), room: checkField('room', fields['room'], `${where}.room`) };
}

const isMissing = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return value === undefined ? undefined : String(value);
}

function number(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return value === undefined ? undefined : Number(value);
}

const invalid = (what: string): RaftError => new RaftError('invalid-argument', what);

function missing(name: string, what: string): RaftError {
  return invalid(`--${name} is missing: ${what}. It may also stand in ${CONFIG_NAME}. Try --help.`);
}
