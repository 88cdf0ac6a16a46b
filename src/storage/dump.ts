/**
 * A node's state as one stream of bytes: for moving it between kinds of storage, for support, for the command line.
 *
 *   dump  = frame …            frame = length:4  crc32:4 over the body  body
 *   body  = kind:1  content    kinds in this order: header, record …, snapshot chunk …, run of entries …, end
 *
 * Whoever imports a dump becomes a new node: the identity lives and dies with its own log, and a copy that voted under the
 * same id would be a second one of it. The vote is left behind for the same reason.
 */
import { snapshotMetaFrom, snapshotMetaParts } from '../codec/conf-state.ts';
import { crc32 } from '../codec/crc32.ts';
import { decodeEntries, encodeEntries } from '../codec/entries.ts';
import { pack, unpack } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Entry, HardState, NodeId, SnapshotMeta } from '../core/types.ts';
import { Fields } from './fields.ts';
import type { ReadableStore } from './inspect.ts';
import type { ClusterIdentity, NodeStore, SnapshotWriter } from './storage.ts';

const DUMP_VERSION = 1;
const HEADER = 1;
const RECORD = 2;
const CHUNK = 3;
const RUN = 4;
const END = 5;
const FRAME_HEADER_BYTES = 8;
/** Longest body of a frame: a snapshot chunk, or one huge entry. A longer one is not ours. */
const FRAME_BYTES_MAX: number = 64 * 1024 * 1024;
const RUN_BYTES = 256 * 1024;

export interface DumpHeader {
  readonly room: string;
  readonly nodeId: NodeId;
  readonly cluster: ClusterIdentity | undefined;
  readonly hardState: HardState;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly bytes: number; readonly digest: string } | undefined;
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export interface ExportOptions {
  /** Also the owner's records: session, outbox and keys. Default false. */
  readonly records?: boolean | undefined;
}

/** The state as it is now; of a running node, call it while nothing is compacted. Errors: corrupt, storage. */
export async function* exportStore(store: ReadableStore, options: ExportOptions = {}): AsyncGenerator<Uint8Array, void> {
  const state = await store.load();
  const stored = await store.snapshot();
  const snapshot = stored === undefined ? null : [snapshotMetaParts(stored.meta), stored.bytes, stored.digest];
  const cluster = state.cluster === undefined ? null : [state.cluster.clusterId, state.cluster.epoch];
  const { term, vote, commit } = state.hardState;
  const { room, nodeId } = store.identity;
  const header = [DUMP_VERSION, room, nodeId, cluster, [term, vote, commit], snapshot, state.firstIndex, state.lastIndex];
  yield frame(HEADER, pack(header));
  if (options.records === true) for (const [key, value] of state.records) yield frame(RECORD, pack([key, value]));
  for await (const chunk of stored?.chunks() ?? []) yield frame(CHUNK, chunk);
  let at = state.firstIndex;
  while (at <= state.lastIndex) {
    const run = await store.entries(at, state.lastIndex + 1, RUN_BYTES);
    yield frame(RUN, encodeEntries(run));
    at += run.length;
  }
  yield frame(END, pack([state.lastIndex]));
}

/** Writes a dump into a store that holds nothing yet. Errors: corrupt (the dump), storage-newer, invalid-argument, quota. */
export async function importDump(store: NodeStore, source: AsyncIterable<Uint8Array>): Promise<DumpHeader> {
  const present = await store.load();
  if (present.cluster !== undefined || present.lastIndex > 0 || present.snapshot !== undefined) {
    throw new RaftError('invalid-argument', 'A dump can only be imported into a store that holds nothing.');
  }
  let importer: Importer | undefined;
  for await (const { kind, content } of frames(source)) {
    if (kind === HEADER && importer === undefined) importer = await Importer.begin(store, decodeHeader(content));
    else if (importer === undefined) throw damaged('it does not start with its header');
    else await importer.take(kind, content);
  }
  if (importer === undefined) throw damaged('it is empty');
  return importer.end();
}

/** The header alone, and the entries: what describing a dump needs. */
export async function* readDump(source: AsyncIterable<Uint8Array>): AsyncGenerator<DumpHeader | readonly Entry[], void> {
  for await (const { kind, content } of frames(source)) {
    if (kind === HEADER) yield decodeHeader(content);
    if (kind === RUN) yield decoded(() => decodeEntries(content));
  }
}

class Importer {
  readonly #store: NodeStore;
  readonly #header: DumpHeader;
  readonly #writer: SnapshotWriter | undefined;
  #installed = false;
  #lastIndex: number;
  #ended = false;

  private constructor(store: NodeStore, header: DumpHeader, writer: SnapshotWriter | undefined) {
    this.#store = store;
    this.#header = header;
    this.#writer = writer;
    this.#lastIndex = header.snapshot?.meta.index ?? 0;
  }

  static async begin(store: NodeStore, header: DumpHeader): Promise<Importer> {
    const meta = header.snapshot?.meta;
    return new Importer(store, header, meta === undefined ? undefined : await store.stageSnapshot(meta));
  }

  async take(kind: number, content: Uint8Array): Promise<void> {
    if (this.#ended) throw damaged('something follows its end');
    if (kind === RECORD) {
      const fields = decoded(() => new Fields(unpack(content)));
      await this.#store.write({ putRecords: [decoded(() => [fields.string(0), fields.bytes(1)] as const)] });
    } else if (kind === CHUNK) {
      if (this.#writer === undefined || this.#installed) throw damaged('a snapshot chunk is out of place');
      await this.#writer.write(content);
    } else if (kind === RUN) {
      await this.#install();
      // The snapshot stands for what came before it: a log that continues it needs no more.
      const entries = decoded(() => decodeEntries(content)).filter(({ index }) => index > this.#lastIndex);
      if (entries.length > 0) await this.#store.write({ entries });
      this.#lastIndex = entries.at(-1)?.index ?? this.#lastIndex;
    } else if (kind === END) {
      await this.#finish();
    } else throw damaged(`it has a part of kind ${kind}`);
  }

  async #install(): Promise<void> {
    if (this.#installed || this.#writer === undefined) return;
    this.#installed = true;
    const staged = await this.#writer.finish(this.#header.snapshot?.digest);
    await this.#store.write({ snapshot: { staged, keepLogAfter: false } });
  }

  async #finish(): Promise<void> {
    await this.#install();
    const { cluster, hardState, lastIndex } = this.#header;
    if (this.#lastIndex !== lastIndex) throw damaged(`it ends at entry ${this.#lastIndex}, not ${lastIndex}`);
    await this.#store.write({ cluster, hardState: { ...hardState, vote: '' } });
    this.#ended = true;
  }

  end(): DumpHeader {
    if (!this.#ended) throw damaged('it ends early');
    return this.#header;
  }
}

function frame(kind: number, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + 1 + content.length);
  bytes[FRAME_HEADER_BYTES] = kind;
  bytes.set(content, FRAME_HEADER_BYTES + 1);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length + 1, true);
  view.setUint32(4, crc32(bytes.subarray(FRAME_HEADER_BYTES)), true);
  return bytes;
}

interface Frame {
  readonly kind: number;
  readonly content: Uint8Array;
}

async function* frames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of source) {
    rest = joined(rest, piece);
    let next = takeFrame(rest);
    while (next !== undefined) {
      yield next;
      rest = rest.subarray(FRAME_HEADER_BYTES + 1 + next.content.length);
      next = takeFrame(rest);
    }
  }
  if (rest.length > 0) throw damaged('it ends in the middle of a part');
}

/** undefined when there is not a whole one yet. */
function takeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  if (length < 1 || length > FRAME_BYTES_MAX) throw damaged(`a part of ${length} bytes`);
  if (bytes.length < FRAME_HEADER_BYTES + length) return undefined;
  const body = bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
  if (crc32(body) !== view.getUint32(4, true)) throw damaged('a part does not match its checksum');
  return { kind: body[0] ?? 0, content: body.slice(1) };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function decodeHeader(content: Uint8Array): DumpHeader {
  const version = decoded(() => new Fields(unpack(content)).number(0));
  if (version > DUMP_VERSION) throw new RaftError('storage-newer', `The dump has format ${version}, of a newer tabraft.`);
  return decoded(() => {
    const f = new Fields(unpack(content));
    const hard = f.fields(4);
    const cluster = f.isNull(3) ? undefined : f.fields(3);
    const snapshot = f.isNull(5) ? undefined : f.fields(5);
    return {
      room: f.string(1),
      nodeId: f.string(2),
      cluster: cluster && { clusterId: cluster.string(0), epoch: cluster.number(1) },
      hardState: { term: hard.number(0), vote: hard.string(1), commit: hard.number(2) },
      snapshot: snapshot && {
        meta: snapshotMetaFrom(snapshot.array(0)),
        bytes: snapshot.number(1),
        digest: snapshot.string(2),
      },
      firstIndex: f.number(6),
      lastIndex: f.number(7),
    };
  });
}

function decoded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw damaged(cause instanceof Error ? cause.message : 'a part cannot be decoded', cause);
  }
}

function damaged(what: string, cause?: unknown): RaftError {
  return new RaftError('corrupt', `The dump is damaged: ${what}.`, { cause });
}
