/**
 * The journal: every transaction as a frame, in files that follow one another. A file begins with a frame of its own that
 * says where the one before it ends:
 *
 *   version:4  number:8  end of the file before:8
 *
 * so that what a failed write left at the end of a file counts no more once the next file is begun. After a failure of a
 * write or a flush nobody knows what the disk has of the file: it is never appended to again. The next file begins where the
 * last successful flush ended, and takes the transactions since then once more.
 */
import { RaftError } from '../../core/errors.ts';
import { encodeFrame, findFrame, isMissedLater, readHead, SECTOR_BYTES } from './frames.ts';
import type { OpenFiles } from './open-files.ts';
import { readRange, type SyncFile, writeWhole } from './sync-file.ts';

const JOURNAL_VERSION = 1;
const BEGINNING_BYTES = 20;
/** What is not flushed is kept, to be written again after a failure: flush, also where it is not asked for, beyond this. */
const UNFLUSHED_BYTES_MAX: number = 1024 * 1024;

export interface JournalPosition {
  readonly file: number;
  readonly offset: number;
  /** Of the frame that stands there, or comes there. */
  readonly seq: number;
}
export const JOURNAL_START: JournalPosition = { file: 1, offset: 0, seq: 1 };

export interface FramePlace {
  readonly file: number;
  readonly frameAt: number;
}

export interface JournalHost {
  /** A transaction of before, in order, while the journal is opened. */
  replay(body: Uint8Array, place: FramePlace): void;
  /** A transaction lies elsewhere now. */
  moved(from: FramePlace, to: FramePlace): void;
}

interface Unflushed {
  readonly body: Uint8Array;
  place: FramePlace;
}

export class Journal {
  readonly #files: OpenFiles;
  readonly #host: JournalHost;
  /** Of the file that is appended to; undefined before the first is begun. */
  #file: SyncFile | undefined = undefined;
  #number: number;
  #end: number;
  #seq: number;
  #flushedEnd: number;
  #flushedSeq: number;
  readonly #unflushed: Unflushed[] = [];
  #unflushedBytes = 0;
  /** A write or a flush failed: the file is not to be appended to. */
  #suspect = false;

  private constructor(files: OpenFiles, host: JournalHost, { file, offset, seq }: JournalPosition) {
    this.#files = files;
    this.#host = host;
    this.#number = file;
    this.#end = offset;
    this.#flushedEnd = offset;
    this.#seq = seq;
    this.#flushedSeq = seq - 1;
  }

  /** Replays from a position to the end, and cuts off what was torn there. Errors: corrupt, storage-newer. */
  static async open(files: OpenFiles, from: JournalPosition, host: JournalHost): Promise<Journal> {
    const numbers = journalNumbers(await files.folder.names());
    if (from.file === 1 && from.offset === 0 && numbers.length === 0) return new Journal(files, host, { ...from, file: 0 });
    const end = await new Replay(files, new Set(numbers), host).run(from);
    const journal = new Journal(files, host, end);
    if (end.offset > 0) await journal.#attach();
    return journal;
  }

  /** Of the next transaction. */
  get position(): JournalPosition {
    return { file: this.#number, offset: this.#end, seq: this.#seq };
  }

  async #attach(): Promise<void> {
    const name = journalName(this.#number);
    this.#file = await this.#files.get(name);
    this.#files.pin(name);
    if (this.#file.getSize() === this.#end) return;
    this.#file.truncate(this.#end);
    this.#file.flush();
  }

  /** Makes the journal fit for a commit: begins its first file, or the next one after a failure. */
  async prepare(): Promise<void> {
    if (this.#file === undefined) await this.#begin(0);
    else if (this.#suspect) await this.#rescue();
  }

  /** Appends one transaction; durable when `strict`. Throws when it is not written: it never happened, then. */
  commit(body: Uint8Array, strict: boolean): FramePlace {
    const file = this.#file;
    if (file === undefined || this.#suspect) throw new RaftError('invariant', 'The journal was not made ready.');
    const frame = encodeFrame(this.#seq, this.#flushedSeq, body);
    const place = { file: this.#number, frameAt: this.#end };
    const flushes = strict || this.#unflushedBytes + body.length > UNFLUSHED_BYTES_MAX;
    try {
      writeWhole(file, frame, this.#end);
      if (flushes) file.flush();
    } catch (error) {
      this.#suspect = true;
      throw error;
    }
    this.#end += frame.length;
    this.#seq += 1;
    if (flushes) this.#noteFlushed();
    else {
      this.#unflushed.push({ body, place });
      this.#unflushedBytes += body.length;
    }
    return place;
  }

  #noteFlushed(): void {
    this.#flushedEnd = this.#end;
    this.#flushedSeq = this.#seq - 1;
    this.#unflushed.length = 0;
    this.#unflushedBytes = 0;
  }

  flush(): void {
    if (this.#file === undefined || this.#unflushed.length === 0) return;
    try {
      this.#file.flush();
    } catch (error) {
      this.#suspect = true;
      throw error;
    }
    this.#noteFlushed();
  }

  /** Goes on in the next file. */
  async roll(): Promise<void> {
    this.flush();
    await this.#begin(this.#end);
  }

  async #rescue(): Promise<void> {
    await this.#begin(this.#flushedEnd);
    for (const kept of this.#unflushed) {
      const from = kept.place;
      const frame = encodeFrame(this.#seq, this.#flushedSeq, kept.body);
      this.#suspect = true;
      if (this.#file !== undefined) writeWhole(this.#file, frame, this.#end);
      this.#suspect = false;
      kept.place = { file: this.#number, frameAt: this.#end };
      this.#end += frame.length;
      this.#seq += 1;
      this.#host.moved(from, kept.place);
    }
  }

  /** Begins the next file after the present one, of which what comes after `endBefore` counts no more. */
  async #begin(endBefore: number): Promise<void> {
    const number = this.#number + 1;
    const name = journalName(number);
    const seq = this.#flushedSeq + 1;
    const file = await this.#files.get(name);
    // From here on the file before is closed for good: the next one may say where it ends, whatever fails now.
    this.#suspect = true;
    if (file.getSize() > 0) file.truncate(0);
    const body = new Uint8Array(BEGINNING_BYTES);
    const view = new DataView(body.buffer);
    view.setUint32(0, JOURNAL_VERSION, true);
    view.setFloat64(4, number, true);
    view.setFloat64(12, endBefore, true);
    const frame = encodeFrame(seq, seq - 1, body);
    writeWhole(file, frame, 0);
    // Durable before anything follows: a file whose beginning is absent holds nothing.
    file.flush();
    this.#files.unpin(journalName(this.#number));
    this.#files.pin(name);
    this.#file = file;
    this.#number = number;
    this.#suspect = false;
    this.#end = frame.length;
    this.#flushedEnd = this.#end;
    this.#flushedSeq = seq;
    this.#seq = seq + 1;
  }
}

interface Beginning {
  readonly seq: number;
  readonly endBefore: number;
  /** Where the first transaction stands. */
  readonly end: number;
}

/** Walks the files from a position to the end of what was written. */
class Replay {
  readonly #files: OpenFiles;
  readonly #numbers: ReadonlySet<number>;
  readonly #host: JournalHost;

  constructor(files: OpenFiles, numbers: ReadonlySet<number>, host: JournalHost) {
    this.#files = files;
    this.#numbers = numbers;
    this.#host = host;
  }

  async run(from: JournalPosition): Promise<JournalPosition> {
    let position = from;
    let bytes = await this.#bytesOf(from.file);
    if (from.offset === 0) {
      const beginning = this.#beginning(bytes, from.file);
      // Made and not begun: it holds nothing.
      if (beginning === undefined) {
        if (this.#numbers.size > 1) throw broken(from.file, 'its beginning is missing');
        return { ...from, file: from.file - 1 };
      }
      if (beginning.seq !== from.seq) throw broken(from.file, `it begins with frame ${beginning.seq}, not ${from.seq}`);
      position = { file: from.file, offset: beginning.end, seq: beginning.seq + 1 };
    } else if (from.offset > bytes.length) throw broken(from.file, `it ends at ${bytes.length}, before ${from.offset}`);
    for (;;) {
      const number = position.file + 1;
      const nextBytes = this.#numbers.has(number) ? await this.#bytesOf(number) : undefined;
      const next = nextBytes === undefined ? undefined : this.#beginning(nextBytes, number);
      position = this.#walk(bytes, position, next?.endBefore ?? Number.POSITIVE_INFINITY);
      if (nextBytes === undefined || next === undefined) break;
      if (position.offset !== next.endBefore || position.seq !== next.seq) {
        throw broken(
          position.file,
          `it ends at ${position.offset} with frame ${position.seq - 1}, which the next file does not continue`,
        );
      }
      position = { file: number, offset: next.end, seq: next.seq + 1 };
      bytes = nextBytes;
    }
    await this.#requireNothingBeyond(position.file + 1);
    return position;
  }

  /** Empty files say nothing: they may be of a store that was deleted here, and have come back. */
  async #requireNothingBeyond(last: number): Promise<void> {
    for (const number of this.#numbers) {
      if (number > last && (await this.#bytesOf(number)).length > 0)
        throw broken(last, `it is missing, and file ${number} is there`);
    }
  }

  async #bytesOf(number: number): Promise<Uint8Array> {
    if (!this.#numbers.has(number)) throw broken(number, 'it is missing');
    const file = await this.#files.get(journalName(number));
    return readRange(file, 0, file.getSize());
  }

  /** undefined for a file that was made and not begun. */
  #beginning(bytes: Uint8Array, number: number): Beginning | undefined {
    const found = findFrame(bytes, 0);
    if (found.kind === 'damaged') throw broken(number, found.what);
    if (found.kind === 'absent') {
      for (let at = SECTOR_BYTES; at < bytes.length; at += SECTOR_BYTES) {
        if (readHead(bytes, at) !== undefined) throw broken(number, 'its beginning is missing');
      }
      return undefined;
    }
    if (found.body.length < BEGINNING_BYTES) throw broken(number, 'its beginning is cut short');
    const view = new DataView(found.body.buffer, found.body.byteOffset);
    if (view.getUint32(0, true) > JOURNAL_VERSION) {
      throw new RaftError('storage-newer', `Journal file ${number} was written by a newer version of tabraft.`);
    }
    if (view.getFloat64(4, true) !== number) throw broken(number, `it says that it is file ${view.getFloat64(4, true)}`);
    return { seq: found.seq, endBefore: view.getFloat64(12, true), end: found.end };
  }

  /** Replays what stands in one file before `limit`; where nothing stands before it, the journal ends. */
  #walk(bytes: Uint8Array, from: JournalPosition, limit: number): JournalPosition {
    const { file } = from;
    let { offset, seq } = from;
    while (offset < limit) {
      const found = findFrame(bytes, offset);
      if (found.kind === 'damaged') throw broken(file, found.what);
      if (found.kind === 'absent') {
        if (isMissedLater(bytes, offset, seq)) throw broken(file, `frame ${seq} at ${offset} is missing`);
        break;
      }
      if (found.seq !== seq) throw broken(file, `frame ${found.seq} stands at ${offset}, where ${seq} is expected`);
      this.#host.replay(found.body, { file, frameAt: offset });
      offset = found.end;
      seq += 1;
    }
    return { file, offset, seq };
  }
}

function broken(number: number, what: string): RaftError {
  return new RaftError('corrupt', `Journal file ${number} is damaged: ${what}.`);
}

export function journalName(number: number): string {
  return `journal-${number}`;
}

export function journalNumbers(names: readonly string[]): number[] {
  return names.flatMap((name) => (/^journal-\d+$/.test(name) ? [Number(name.slice(8))] : []));
}
