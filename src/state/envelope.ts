/**
 * The bytes of a `normal` entry: who wrote the command, as which write of which session, under which
 * conditions, then the command itself. Opaque to the core, the wire and the storage.
 *
 * Layout: 1 byte kind, then unsigned LEB128 numbers, then (for text) a length and UTF-8, then the command.
 */
import { RaftError } from '../core/errors.ts';
import { MEMBER_ROLES, type MemberRole } from '../trust/roles.ts';

export interface CommandEnvelope {
  readonly kind: 'command';
  /** Index of the entry that registered the session (§6.3). */
  readonly session: number;
  /** Number of the write within its session, from 1. */
  readonly sequence: number;
  /** Every write of the session below it has been answered, or given up: its outcome may be forgotten. */
  readonly answeredBelow: number;
  readonly machineVersion: number;
  /** Apply only in this term; 0 for any. */
  readonly expectedTerm: number;
  /** Apply only until this log time in ms; 0 for ever. */
  readonly notAfter: number;
  /** Apply only if no other member's command has taken effect after this index; undefined for always. */
  readonly ifVersion?: number | undefined;
  /** The caller's idempotency key; '' for none. */
  readonly key: string;
  readonly command: Uint8Array;
}
/** Opens a session; its id is the index of this entry. */
export interface RegisterEnvelope {
  readonly kind: 'register';
  readonly clientId: string;
  /** Tells the waiting client its own registration from a namesake's. */
  readonly nonce: string;
}
/** What a member decides about who may come in: for the ledger, not for the machine. Written in a session, so that it happens once. */
export interface TrustEnvelope {
  readonly kind: 'trust';
  readonly session: number;
  readonly sequence: number;
  readonly answeredBelow: number;
  /** Who decides, and what it may: checked by the leader before it appends, so that every member judges by the same. */
  readonly by: string;
  readonly role: MemberRole;
  readonly command: Uint8Array;
}
/**
 * The client is done with a session: it is forgotten at once. No build writes it: sessions end by their limits, since a page that
 * closes has no time to say goodbye to the log. It is read for good all the same, as the format says: a log may hold one, and a
 * member that took it for unreadable would keep a session that the others have dropped.
 */
export interface CloseEnvelope {
  readonly kind: 'close';
  readonly session: number;
}
export type Envelope = CommandEnvelope | RegisterEnvelope | CloseEnvelope | TrustEnvelope;

const COMMAND = 1;
const REGISTER = 2;
const CLOSE = 3;
const TRUST = 4;
/** A command with `ifVersion`; the number stands behind the time. */
const COMMAND_IF = 5;
/** Of the numbers of a command: session, sequence and what is answered come before the version, term and time after it. */
const NUMBERS_BEFORE_VERSION = 3;
const NUMBERS_AFTER_VERSION = 2;
/** Longest text in an envelope (client id, nonce, key), in UTF-8 bytes: longer ones are refused. */
export const ENVELOPE_TEXT_BYTES_MAX = 256;

const encoder: TextEncoder = new TextEncoder();
const decoder: TextDecoder = new TextDecoder('utf-8', { fatal: true });
/** A header is at most 1 + 7 numbers of 8 bytes + 2 texts; grown never. */
const scratch: Uint8Array = new Uint8Array(1 + 7 * 8 + 2 * (ENVELOPE_TEXT_BYTES_MAX + 2));

export function encodeCommand(envelope: Omit<CommandEnvelope, 'kind'>): Uint8Array {
  scratch[0] = envelope.ifVersion === undefined ? COMMAND : COMMAND_IF;
  let at = putNumber(1, envelope.session);
  at = putNumber(at, envelope.sequence);
  at = putNumber(at, envelope.answeredBelow);
  at = putNumber(at, envelope.machineVersion);
  at = putNumber(at, envelope.expectedTerm);
  at = putNumber(at, envelope.notAfter);
  if (envelope.ifVersion !== undefined) at = putNumber(at, envelope.ifVersion);
  at = putText(at, envelope.key);
  const bytes = new Uint8Array(at + envelope.command.length);
  for (let i = 0; i < at; i++) bytes[i] = scratch[i] ?? 0;
  bytes.set(envelope.command, at);
  return bytes;
}

export function encodeRegister(clientId: string, nonce: string): Uint8Array {
  scratch[0] = REGISTER;
  return scratch.slice(0, putText(putText(1, clientId), nonce));
}

export function encodeTrust(envelope: Omit<TrustEnvelope, 'kind'>): Uint8Array {
  scratch[0] = TRUST;
  let at = putNumber(1, envelope.session);
  at = putNumber(at, envelope.sequence);
  at = putNumber(at, envelope.answeredBelow);
  at = putNumber(at, MEMBER_ROLES.indexOf(envelope.role));
  at = putText(at, envelope.by);
  const bytes = new Uint8Array(at + envelope.command.length);
  bytes.set(scratch.subarray(0, at));
  bytes.set(envelope.command, at);
  return bytes;
}

function putNumber(at: number, value: number): number {
  let rest = value;
  let next = at;
  while (rest >= 128) {
    scratch[next++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  scratch[next++] = rest;
  return next;
}

function putText(at: number, text: string): number {
  if (text.length === 0) {
    scratch[at] = 0;
    return at + 1;
  }
  const bytes = encoder.encode(text);
  if (bytes.length > ENVELOPE_TEXT_BYTES_MAX) {
    throw new RaftError('invalid-argument', `A name or key takes at most ${ENVELOPE_TEXT_BYTES_MAX} bytes, got ${bytes.length}.`);
  }
  const start = putNumber(at, bytes.length);
  scratch.set(bytes, start);
  return start + bytes.length;
}

// Where the decoder reads. Module state instead of a reader per entry: this is done for every command at every member.
let source: Uint8Array = scratch;
let at = 0;

function readCommand(hasVersion: boolean): CommandEnvelope {
  return {
    kind: 'command',
    session: readNumber(),
    sequence: readNumber(),
    answeredBelow: readNumber(),
    machineVersion: readNumber(),
    expectedTerm: readNumber(),
    notAfter: readNumber(),
    ifVersion: hasVersion ? readNumber() : undefined,
    key: readText(),
    command: readRest(),
  };
}

/** Reads an envelope; its command is a view on `data`. Errors: corrupt. */
export function decodeEnvelope(data: Uint8Array): Envelope {
  source = data;
  at = 1;
  switch (data[0]) {
    case COMMAND:
      return readCommand(false);
    case COMMAND_IF:
      return readCommand(true);
    case REGISTER:
      return { kind: 'register', clientId: readText(), nonce: readText() };
    case TRUST: {
      const [session, sequence, answeredBelow] = [readNumber(), readNumber(), readNumber()];
      const role = MEMBER_ROLES[readNumber()];
      if (role === undefined) throw new RaftError('corrupt', 'An entry names an unknown role.');
      return { kind: 'trust', session, sequence, answeredBelow, role, by: readText(), command: readRest() };
    }
    case CLOSE:
      return { kind: 'close', session: readNumber() };
    default:
      throw new RaftError('corrupt', `An entry starts with byte ${String(data[0])}, which is no kind of command.`);
  }
}

/** The same for bytes that anybody may have put into the log; undefined for what is no envelope. */
export function readEnvelope(data: Uint8Array): Envelope | undefined {
  try {
    return decodeEnvelope(data);
  } catch {
    return undefined;
  }
}

/** Who opens a session by this entry; undefined for an entry of any other kind, at the cost of one byte. */
export function opensSession(data: Uint8Array): string | undefined {
  if (data[0] !== REGISTER) return undefined;
  const envelope = readEnvelope(data);
  return envelope?.kind === 'register' ? envelope.clientId : undefined;
}

/**
 * What a leader checks before it appends: that every member can read it, and that it is not for a later version of the state
 * machine than its own. Errors: invalid-argument, version-mismatch.
 */
export function checkEnvelope(data: Uint8Array, machineVersion: number): void {
  let version: number;
  try {
    version = scanEnvelope(data);
  } catch {
    throw new RaftError('invalid-argument', 'The proposal holds what is no command of tabraft.');
  }
  if (version <= machineVersion) return;
  throw new RaftError(
    'version-mismatch',
    `The command is for version ${version} of the state machine; the leader runs version ${machineVersion}.`,
    { mayHaveApplied: false },
  );
}

/** Reads all that decodeEnvelope reads and makes nothing of it but the version a command is for, 0 for none. Errors: corrupt. */
function scanEnvelope(data: Uint8Array): number {
  if (data[0] !== COMMAND && data[0] !== COMMAND_IF) {
    decodeEnvelope(data);
    return 0;
  }
  source = data;
  at = 1;
  for (let i = 0; i < NUMBERS_BEFORE_VERSION; i++) readNumber();
  const version = readNumber();
  for (let i = 0; i < NUMBERS_AFTER_VERSION; i++) readNumber();
  if (data[0] === COMMAND_IF) readNumber();
  readText();
  return version;
}

/** The command in a `command` entry's bytes, as a view on them; of any other kind, all of them. Errors: corrupt. */
export function commandIn(data: Uint8Array): Uint8Array {
  const envelope = decodeEnvelope(data);
  return envelope.kind === 'command' ? envelope.command : data;
}

function readNumber(): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = source[at++];
    if (byte === undefined || scale > 2 ** 49) throw new RaftError('corrupt', 'An entry ends inside a number.');
    value += (byte & 127) * scale;
    if (byte < 128) break;
    scale *= 128;
  }
  if (!Number.isSafeInteger(value)) throw new RaftError('corrupt', 'An entry holds a number that is too large.');
  return value;
}

function readText(): string {
  const length = readNumber();
  if (length === 0) return '';
  if (length > ENVELOPE_TEXT_BYTES_MAX || at + length > source.length) {
    throw new RaftError('corrupt', 'An entry ends inside a text.');
  }
  const text = readUtf8(length);
  at += length;
  return text;
}

function readUtf8(length: number): string {
  try {
    return decoder.decode(source.subarray(at, at + length));
  } catch (cause) {
    throw new RaftError('corrupt', 'An entry holds a text that is not UTF-8.', { cause });
  }
}

function readRest(): Uint8Array {
  // Not subarray, which looks for a species first: this is done once per entry and member.
  const { buffer, byteOffset, length } = source;
  return new Uint8Array(buffer, byteOffset + at, length - at);
}
