/** The fields of `tabraft peer`, as flags and in its file: one table says what each takes. */
import { RaftError } from '../../core/errors.ts';
import { nameIn } from '../../front-door/room-access.ts';
import { ROOM_NAME_PATTERN } from '../../signaling/protocol.ts';
import { parseRoomLink } from '../../trust/room-link.ts';

export type FieldValue = string | number;

export interface Field {
  readonly name: string;
  readonly takes: string;
  readonly help: string;
  /** Words, a range of whole numbers, or any text. */
  readonly words?: readonly string[];
  readonly range?: readonly [min: number, max: number];
}

/** Of the process. */
export const PROCESS_FIELDS: readonly Field[] = [
  { name: 'signaling', takes: 'URL', help: 'the signaling server, as wss://HOST/signal' },
  { name: 'dir', takes: 'PATH', help: 'where votes, logs and snapshots are kept; one process per directory' },
  {
    name: 'links',
    takes: 'auto|native|relay',
    help: 'WebRTC and the relay, WebRTC only, or the relay only (default auto)',
    words: ['auto', 'native', 'relay'],
  },
  {
    name: 'admin',
    takes: 'PORT|off',
    help: 'port of the admin server on loopback, 0 for any free one (default 7411)',
    words: ['off'],
    range: [0, 65_535],
  },
  { name: 'log', takes: 'text|json', help: 'how each line of the log is written (default text)', words: ['text', 'json'] },
  {
    name: 'snapshot-every',
    takes: 'NUMBER',
    help: 'entries between two snapshots (default 10000)',
    range: [1, 100_000_000],
  },
];

/** Of a room; beside the process's they hold for all its rooms. */
export const ROOM_FIELDS: readonly Field[] = [
  { name: 'machine', takes: 'PATH', help: 'module with the state machine as its default export (default: none, a keeper)' },
  { name: 'as', takes: 'voter|standby', help: 'what to be in the room (default voter)', words: ['voter', 'standby'] },
  {
    name: 'priority',
    takes: 'NUMBER',
    help: 'the higher, the rather it votes and leads: 0 to 100 (default 10)',
    range: [0, 100],
  },
  { name: 'name', takes: 'TEXT', help: 'a name for people (default edge)' },
  { name: 'voters', takes: 'NUMBER', help: 'how many shall vote, where this process founds: 1 to 9 (default 3)', range: [1, 9] },
  {
    name: 'open',
    takes: 'on|off',
    help: 'whether a room given by its name alone is open to everybody who knows the name (default off: give its link)',
    words: ['on', 'off'],
  },
  { name: 'found', takes: 'on|off', help: 'whether it may found a room that has no cluster (default on)', words: ['on', 'off'] },
];

/** The name of a room that is given by its name or by its link. Errors: those of a link that was cut. */
export function roomOfLink(room: string): string {
  return room.includes('#') ? nameIn(parseRoomLink(room)) : room;
}

/** Errors: invalid-argument. */
export function checkField(name: string, value: unknown, where: string): FieldValue {
  if (name === 'room') {
    if (typeof value === 'string' && ROOM_NAME_PATTERN.test(value)) return value;
    if (typeof value === 'string' && value.includes('#')) return roomOfLink(value) === '' ? '' : value;
    throw new RaftError(
      'room-invalid',
      `${where}: a room has a link (#room=…), or a name of 1 to 64 letters, digits, dots, dashes or underscores.`,
    );
  }
  const field = [...PROCESS_FIELDS, ...ROOM_FIELDS].find((one) => one.name === name);
  const { words = [], range } = field ?? {};
  const refuse = (): never => {
    throw new RaftError('invalid-argument', `${where} takes ${field?.takes ?? 'nothing'}, not ${JSON.stringify(value)}.`);
  };
  if (typeof value === 'string' && words.includes(value)) return value;
  if (range !== undefined) {
    const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    return typeof count === 'number' && Number.isInteger(count) && count >= range[0] && count <= range[1] ? count : refuse();
  }
  return words.length === 0 && typeof value === 'string' && value !== '' ? value : refuse();
}

/** The fields of an object in a file; those of `others` are not looked at. Errors: invalid-argument for any that is not known. */
export function fieldsOf(
  value: unknown,
  known: readonly Field[],
  where: string,
  others: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RaftError('invalid-argument', `${where} is an object with fields.`);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]: [string, unknown]) => {
      if (others.includes(name)) return [name, one];
      if (known.some((field) => field.name === name)) return [name, checkField(name, one, `${where}: ${name}`)];
      const names = [...others, ...known.map((field) => field.name)].join(', ');
      throw new RaftError('invalid-argument', `${where}: there is no field ${name}. Fields: ${names}.`);
    }),
  );
}

export function fieldsHelp(fields: readonly Field[]): string {
  return fields.map(({ name, takes, help }) => `  ${`--${name} ${takes}`.padEnd(28)} ${help}`).join('\n');
}
