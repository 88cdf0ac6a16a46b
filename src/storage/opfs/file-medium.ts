/**
 * Files as a medium: a journal for what is small and in order, files of chunks for snapshots, two heads so that opening is
 * quick. Calls run one after the other. What is known without reading changes only when the disk has it.
 */
import { RaftError } from '../../core/errors.ts';
import type { Durability, Key, Medium, Operation, StoredRecord, Table } from '../packed/medium.ts';
import type { IdentityKey } from '../storage.ts';
import { ChunkFiles } from './chunk-files.ts';
import { fileError } from './file-errors.ts';
import { FileTables } from './file-tables.ts';
import { bodyRange, sectorsOf } from './frames.ts';
import { Heads } from './heads.ts';
import { JOURNAL_START, Journal, journalName, journalNumbers } from './journal.ts';
import { OpenFiles } from './open-files.ts';
import { type FileFolder, readRange } from './sync-file.ts';
import { emptyFiles, finishDeletion } from './tombstone.ts';
import { decodeTransaction, encodeTransaction } from './transaction.ts';

/**
 * A journal file that is longer is followed by another, and a head is written: bounds what opening replays after a crash
 * (about 15 ms), and how much of a file is kept for the sake of one segment.
 */
export const JOURNAL_FILE_BYTES: number = 4 * 1024 * 1024;

/**
 * While it is written to, so often it is looked whether the folder is still there: browsers that clear a site's data let open
 * files be written on, into nowhere. It costs a message to the browser's process.
 */
const PRESENCE_EVERY_MS = 1_000;

export interface FileMediumOptions {
  /** Default PRESENCE_EVERY_MS; tests make it small. */
  readonly presenceEveryMs?: number | undefined;
  /** Default JOURNAL_FILE_BYTES; tests make it small. */
  readonly fileBytes?: number | undefined;
  /** Where handles of keys can be kept: files hold bytes. */
  readonly identityKey?: IdentityKey | undefined;
}

export class FileMedium implements Medium {
  readonly identityKey: IdentityKey | undefined;
  readonly #files: OpenFiles;
  readonly #heads: Heads;
  readonly #chunks: ChunkFiles;
  readonly #journal: Journal;
  readonly #tables: FileTables;
  readonly #fileBytes: number;
  /** The last call; the next one runs after it. */
  #tail: Promise<unknown> = Promise.resolve();
  #open = true;
  readonly #presenceEveryMs: number;
  #lookedMs: number = performance.now();
  /** The files were removed under the medium. */
  #gone: RaftError | undefined = undefined;
  /** Something was committed since the newest head. */
  #headIsOld: boolean;

  private constructor(parts: {
    readonly files: OpenFiles;
    readonly heads: Heads;
    readonly chunks: ChunkFiles;
    readonly journal: Journal;
    readonly tables: FileTables;
    readonly options: FileMediumOptions;
  }) {
    this.identityKey = parts.options.identityKey;
    this.#files = parts.files;
    this.#heads = parts.heads;
    this.#chunks = parts.chunks;
    this.#journal = parts.journal;
    this.#tables = parts.tables;
    this.#fileBytes = parts.options.fileBytes ?? JOURNAL_FILE_BYTES;
    this.#presenceEveryMs = parts.options.presenceEveryMs ?? PRESENCE_EVERY_MS;
    this.#headIsOld = parts.journal.position.seq !== (parts.heads.found?.position ?? JOURNAL_START).seq;
  }

  /** Errors: corrupt, storage-newer, storage-blocked, quota, storage. */
  static async open(folder: FileFolder, options: FileMediumOptions = {}): Promise<FileMedium> {
    const files = new OpenFiles(folder);
    try {
      await finishDeletion(files);
      const heads = await Heads.open(files);
      const tables = heads.found?.tables ?? new FileTables();
      const journal = await Journal.open(files, heads.found?.position ?? JOURNAL_START, {
        replay: (body, { file, frameAt }) => tables.apply(decoded(body, file), file, frameAt),
        moved: (from, to) => tables.relocate(from, to),
      });
      return new FileMedium({ files, heads, chunks: await ChunkFiles.open(files), journal, tables, options });
    } catch (error) {
      files.closeAll();
      throw fileError(error);
    }
  }

  commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#gone !== undefined) throw this.#gone;
      const ofChunks = operations.filter(({ table }) => table === 'chunks');
      if (ofChunks.length > 0 && ofChunks.length < operations.length) {
        throw new RaftError('invariant', 'A transaction is of chunks alone, or of none.');
      }
      if (ofChunks.length > 0) return this.#chunks.commit(ofChunks);
      const { body, placed } = encodeTransaction(operations);
      await this.#journal.prepare();
      const { file, frameAt } = this.#journal.commit(body, durability === 'strict');
      this.#tables.apply(placed, file, frameAt);
      this.#headIsOld = true;
      this.#lookForFiles();
      if (this.#journal.position.offset > this.#fileBytes) this.#rollSoon();
    });
  }

  /** In the background; the next commit is told. */
  #lookForFiles(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < this.#presenceEveryMs) return;
    this.#lookedMs = nowMs;
    const current = journalName(this.#journal.position.file);
    const lost = (): void => {
      this.#gone ??= new RaftError('storage-closed', 'The files of this node were deleted, as when site data is cleared.');
    };
    this.#files.folder.names().then(
      (names) => names.includes(current) || lost(),
      (error: unknown) => RaftError.is(fileError(error), 'storage-closed') && lost(),
    );
  }

  /** Its failure is the next commit's, if it lasts: nothing is lost by not rolling. */
  #rollSoon(): void {
    this.#inTurn(async () => {
      if (this.#journal.position.offset <= this.#fileBytes) return;
      await this.#journal.prepare();
      await this.#journal.roll();
      await this.#writeHead();
    }).catch(() => undefined);
  }

  async #writeHead(): Promise<void> {
    await this.#journal.prepare();
    this.#journal.flush();
    await this.#heads.write(this.#journal.position, this.#tables);
    this.#headIsOld = false;
    await this.#removeUnused();
  }

  /** Journal files that no head starts before, and that hold no segment. */
  async #removeUnused(): Promise<void> {
    const used = this.#tables.filesInUse();
    for (const number of journalNumbers(await this.#files.folder.names())) {
      if (number < this.#heads.oldestFile && !used.has(number)) await this.#files.remove(journalName(number));
    }
  }

  get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return this.#inTurn(async () => {
      if (table === 'log') return this.#segment(Number(key));
      if (table === 'chunks') return this.#chunks.get(Number(key));
      return (table === 'meta' ? this.#tables.meta : this.#tables.records).get(String(key))?.slice();
    });
  }

  all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#inTurn(async () => new Map([...this.#tables[table]].map(([key, value]) => [key, value.slice()])));
  }

  scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    return this.#inTurn(async () => {
      if (table === 'chunks') return this.#chunks.scan(key, limit);
      const records: StoredRecord[] = [];
      for (const stored of this.#tables.from(key, limit)) {
        records.push({ key: stored, value: (await this.#segment(stored)) ?? new Uint8Array(0) });
      }
      return records;
    });
  }

  /** The bytes as they are: segments have their own checksum. */
  async #segment(key: number): Promise<Uint8Array | undefined> {
    const place = this.#tables.place(key);
    if (place === undefined) return undefined;
    const { file: number, frameAt, bodyAt, length } = place;
    const file = await this.#files.get(journalName(number));
    const { from, to } = sectorsOf(bodyAt, length);
    return bodyRange(readRange(file, frameAt + from, to - from), bodyAt, length);
  }

  keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    return this.#inTurn(async () =>
      table === 'chunks' ? this.#chunks.keys(from, to, limit) : this.#tables.between(from, to, limit),
    );
  }

  estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined> {
    return this.#inTurn(() => this.#files.folder.estimate());
  }

  /** The head makes the next opening quick; without it the journal tells the same. */
  async close(): Promise<void> {
    const last = async (): Promise<void> => {
      if (this.#headIsOld) await this.#writeHead();
    };
    await this.#end(last).catch(() => undefined);
  }

  async destroy(): Promise<void> {
    // What fails here, as when the files are gone already, the folder's own removal tells of, or makes good.
    await this.#end(() => emptyFiles(this.#files)).catch(() => undefined);
    try {
      await this.#files.folder.destroy();
    } catch (error) {
      throw fileError(error);
    }
  }

  async #end(last: () => Promise<void>): Promise<void> {
    if (!this.#open) return;
    const ended = this.#inTurn(last);
    this.#open = false;
    try {
      await ended;
    } finally {
      this.#files.closeAll();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#open) return Promise.reject(new RaftError('storage-closed', 'The files of this node are closed.'));
    const done = this.#tail.then(work).catch((error: unknown) => {
      throw fileError(error);
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }
}

function decoded(body: Uint8Array, file: number): ReturnType<typeof decodeTransaction> {
  try {
    return decodeTransaction(body);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : 'it cannot be decoded';
    throw new RaftError('corrupt', `Journal file ${file} holds a transaction that is none: ${what}.`, { cause });
  }
}
