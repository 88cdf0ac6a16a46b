/**
 * The head: what the journal came to at some moment, so that opening need not read all of it: the small tables (vote,
 * configuration, records) whole, and where each segment of the log lies. Two files take turns, so that one is whole while the
 * other is being written:
 *
 *   version:4  file:8  offset:8  seq:8  segments:4  { key:8  file:8  frame:8  in its body:8  length:8 } …  puts, as a transaction
 *
 * The journal from the older head on is kept, so that a damaged head costs nothing but a longer replay.
 */
import { RaftError } from '../../core/errors.ts';
import { FileTables } from './file-tables.ts';
import { encodeFrame, findFrame } from './frames.ts';
import type { JournalPosition } from './journal.ts';
import type { OpenFiles } from './open-files.ts';
import { readRange, writeWhole } from './sync-file.ts';
import { decodeTransaction, encodeTransaction } from './transaction.ts';

const HEAD_VERSION = 1;
export const HEAD_NAMES: readonly [string, string] = ['head-0', 'head-1'];
const FIXED_BYTES = 32;
const SEGMENT_FIELDS = 5;

export interface Head {
  readonly position: JournalPosition;
  readonly tables: FileTables;
}

interface Slot {
  readonly counter: number;
  readonly position: JournalPosition;
}

export class Heads {
  readonly #files: OpenFiles;
  /** What each file holds, for all we know: undefined where it is absent or damaged. */
  readonly #slots: [Slot | undefined, Slot | undefined];
  #counter: number;
  /** What opening starts from: the newest that is whole. */
  readonly found: Head | undefined;

  private constructor(files: OpenFiles, slots: [Slot | undefined, Slot | undefined], found: Head | undefined) {
    this.#files = files;
    this.#slots = slots;
    this.found = found;
    this.#counter = Math.max(slots[0]?.counter ?? 0, slots[1]?.counter ?? 0);
  }

  /** Errors: storage-newer. A damaged one counts as absent. */
  static async open(files: OpenFiles): Promise<Heads> {
    const names = new Set(await files.folder.names());
    const [a, b] = await Promise.all(HEAD_NAMES.map((name) => (names.has(name) ? readSlot(files, name) : undefined)));
    const newest = (b?.counter ?? 0) > (a?.counter ?? 0) ? b : a;
    const slotOf = (slot: FoundSlot | undefined): Slot | undefined =>
      slot && { counter: slot.counter, position: slot.head.position };
    return new Heads(files, [slotOf(a), slotOf(b)], newest?.head);
  }

  /** The first journal file that one of the heads, or none, would start from. */
  get oldestFile(): number {
    return Math.min(this.#slots[0]?.position.file ?? 1, this.#slots[1]?.position.file ?? 1);
  }

  #newestPlace(): 0 | 1 {
    return (this.#slots[1]?.counter ?? 0) > (this.#slots[0]?.counter ?? 0) ? 1 : 0;
  }

  /** In the place of the older one. All that is before `position` must be durable. */
  async write(position: JournalPosition, tables: FileTables): Promise<void> {
    const place = this.#newestPlace() === 0 && this.#slots[0] !== undefined ? 1 : 0;
    const counter = this.#counter + 1;
    const frame = encodeFrame(counter, counter - 1, encodeHead(position, tables));
    const file = await this.#files.get(HEAD_NAMES[place]);
    this.#slots[place] = undefined;
    writeWhole(file, frame, 0);
    if (file.getSize() > frame.length) file.truncate(frame.length);
    file.flush();
    this.#counter = counter;
    this.#slots[place] = { counter, position };
  }
}

interface FoundSlot {
  readonly counter: number;
  readonly head: Head;
}

async function readSlot(files: OpenFiles, name: string): Promise<FoundSlot | undefined> {
  const file = await files.get(name);
  const found = findFrame(readRange(file, 0, file.getSize()), 0);
  if (found.kind !== 'frame') return undefined;
  if (new DataView(found.body.buffer, found.body.byteOffset).getUint32(0, true) > HEAD_VERSION) {
    throw new RaftError('storage-newer', 'The files of this node were written by a newer version of tabraft.');
  }
  try {
    return { counter: found.seq, head: decodeHead(found.body) };
  } catch {
    return undefined;
  }
}

function encodeHead({ file, offset, seq }: JournalPosition, tables: FileTables): Uint8Array {
  const small = [...puts('meta', tables.meta), ...puts('records', tables.records)];
  const { body } = encodeTransaction(small);
  const bytes = new Uint8Array(FIXED_BYTES + tables.segments * SEGMENT_FIELDS * 8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEAD_VERSION, true);
  view.setFloat64(4, file, true);
  view.setFloat64(12, offset, true);
  view.setFloat64(20, seq, true);
  view.setUint32(28, tables.segments, true);
  let at = FIXED_BYTES;
  for (const [key, place] of tables.entries()) {
    for (const value of [key, place.file, place.frameAt, place.bodyAt, place.length]) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  bytes.set(body, at);
  return bytes;
}

function puts(table: 'meta' | 'records', values: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
  return [...values].map(([key, value]) => ({ kind: 'put', table, key, value }) as const);
}

/** Errors: plain ones. */
function decodeHead(body: Uint8Array): Head {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const number = (at: number): number => view.getFloat64(at, true);
  const segments = view.getUint32(28, true);
  const tables = new FileTables();
  let at = FIXED_BYTES;
  if (at + segments * SEGMENT_FIELDS * 8 > body.length) throw new Error('it is cut short');
  for (let i = 0; i < segments; i += 1) {
    tables.put(number(at), { file: number(at + 8), frameAt: number(at + 16), bodyAt: number(at + 24), length: number(at + 32) });
    at += SEGMENT_FIELDS * 8;
  }
  tables.apply(decodeTransaction(body.subarray(at)), 0, 0);
  return { position: { file: number(4), offset: number(12), seq: number(20) }, tables };
}
