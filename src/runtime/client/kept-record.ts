/** A kept write as its record on disk says it. */
import { pack, unpackStored } from '../../codec/pack.ts';
import { readEnvelope } from '../../state/envelope.ts';

/** Beside the journal's own records, which an earlier build reads: it leaves these alone. */
const KEY_PREFIX = 'queue/';

/** Under which number it is sent; its bytes are fixed from then on. */
export interface Place {
  readonly session: number;
  readonly sequence: number;
  /** The whole envelope. */
  readonly data: Uint8Array;
}

export interface KeptRecord {
  /** Where it is stored. */
  readonly key: string;
  readonly id: string;
  readonly command: Uint8Array;
  /** Wall ms of the call. */
  readonly since: number;
  /** Wall ms after which it must not be applied. */
  readonly expiresAt: number;
  readonly ifVersion: number | undefined;
  /** Undefined: it was certainly never sent. */
  readonly place: Place | undefined;
}

type Row = readonly [
  id: string,
  since: number,
  expiresAt: number,
  ifVersion: number | null,
  session: number,
  sequence: number,
  /** The command, or with a session the envelope around it. */
  bytes: Uint8Array,
];

export function keptKey(boot: number, count: number): string {
  return `${KEY_PREFIX}${boot}/${count}`;
}

export function encodeKept({ id, command, since, expiresAt, ifVersion, place }: KeptRecord): Uint8Array {
  const { session, sequence, data } = place ?? { session: 0, sequence: 0, data: command };
  const row: Row = [id, since, expiresAt, ifVersion ?? null, session, sequence, data];
  return pack(row);
}

/** The kept writes among a node's records, in the order of their calls; and the records that cannot be read. */
export function readKept(records: ReadonlyMap<string, Uint8Array>): {
  readonly found: KeptRecord[];
  readonly unreadable: string[];
} {
  const found: KeptRecord[] = [];
  const unreadable: string[] = [];
  for (const [key, value] of records) {
    if (!key.startsWith(KEY_PREFIX)) continue;
    const record = decodeKept(key, value);
    if (record === undefined) unreadable.push(key);
    else found.push(record);
  }
  found.sort((a, b) => a.since - b.since || compareKeys(a.key, b.key));
  return { found, unreadable };
}

function decodeKept(key: string, value: Uint8Array): KeptRecord | undefined {
  let row: unknown;
  try {
    row = unpackStored(value);
  } catch {
    return undefined;
  }
  if (!Array.isArray(row)) return undefined;
  const [id, since, expiresAt, ifVersion, session, sequence, bytes] = row as unknown[];
  if (typeof id !== 'string' || !isCount(since) || !isCount(expiresAt) || !isCount(session) || !isCount(sequence))
    return undefined;
  if (!(bytes instanceof Uint8Array) || !(ifVersion === null || isCount(ifVersion))) return undefined;
  const data = bytes.slice();
  const about = { key, id, since, expiresAt, ifVersion: ifVersion ?? undefined };
  if (session === 0) return { ...about, command: data, place: undefined };
  const envelope = readEnvelope(data);
  if (envelope?.kind !== 'command') return undefined;
  return { ...about, command: envelope.command, place: { session, sequence, data } };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Of one moment: by boot, then by count. */
function compareKeys(a: string, b: string): number {
  const [bootA = 0, countA = 0] = numbersIn(a);
  const [bootB = 0, countB = 0] = numbersIn(b);
  return bootA - bootB || countA - countB;
}

function numbersIn(key: string): number[] {
  return key.slice(KEY_PREFIX.length).split('/').map(Number);
}
