/**
 * Which cluster each room has, on disk: without it a restarted server would let a stranger found a second cluster for a room
 * whose members are asleep. Lines of JSON, appended: `{room, clusterId}` for a room that was founded, `{room, forgotten: true}` for
 * one that an operator forgot. Rewritten when opened. What waits to be written is written together and synced once; nobody
 * is told of it before. A line that is half-written or damaged is kept aside and reported, and takes no other with it.
 */
import { appendFile, type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RaftError } from '../src/core/errors.ts';
import { ROOM_KEY_PATTERN, TOKEN_PATTERN } from '../src/signaling/protocol.ts';
import { DAMAGED_CHARS_MAX, DAMAGED_LINES_MAX } from './limits.ts';

const FILE_NAME = 'rooms.jsonl';
const DAMAGED_NAME = 'rooms.damaged.jsonl';
/** Rooms that may wait to be written. Beyond it they are not: `remember` says so, and the rooms ask again. */
const WAITING_MAX = 10_000;

interface Waiting {
  readonly line: string;
  readonly done: ((durable: boolean) => void)[];
}

export class RoomMemory {
  /** As found when opened. */
  readonly clusters: ReadonlyMap<string, string>;
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  /** By room: what is asked twice is written once. */
  #waiting = new Map<string, Waiting>();
  #work: Promise<void> = Promise.resolve();
  #writing = false;
  #failed = false;

  private constructor(path: string, clusters: ReadonlyMap<string, string>, onError: (error: unknown) => void) {
    this.#path = path;
    this.clusters = clusters;
    this.#onError = onError;
  }

  /**
   * Errors: storage. `onError` hears of damaged lines, of rooms beyond the limit, and of lines that could not be written later.
   * @param roomsMax of more rooms than that the eldest are left out, and kept aside.
   */
  static async open(directory: string, roomsMax: number, onError: (error: unknown) => void): Promise<RoomMemory> {
    const path = join(directory, FILE_NAME);
    try {
      await mkdir(directory, { recursive: true });
      const { clusters, aside } = await load(path, roomsMax, onError);
      if (aside.length > 0) await appendFile(join(directory, DAMAGED_NAME), `${aside.join('\n')}\n`, { flush: true });
      await rewrite(path, directory, clusters);
      return new RoomMemory(path, clusters, onError);
    } catch (cause) {
      throw new RaftError('storage', `The rooms cannot be remembered in ${directory}.`, { cause });
    }
  }

  /** The last write failed, and nothing has been written since. */
  get isFailing(): boolean {
    return this.#failed;
  }

  /** True when it is durable. */
  remember(room: string, clusterId: string): Promise<boolean> {
    return this.#write(room, JSON.stringify({ room, clusterId }));
  }

  /** True when it is durable that the room has no cluster. */
  forget(room: string): Promise<boolean> {
    return this.#write(room, JSON.stringify({ room, forgotten: true }));
  }

  /** Resolves when all that was to be written is, or could not be. */
  async close(): Promise<void> {
    await this.#work;
  }

  #write(room: string, line: string): Promise<boolean> {
    const same = this.#waiting.get(room);
    if (same === undefined && this.#waiting.size >= WAITING_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      if (same?.line === line) same.done.push(resolve);
      else {
        // A later word about the same room is the one that counts: it goes last.
        this.#waiting.delete(room);
        this.#waiting.set(room, { line, done: [...(same?.done ?? []), resolve] });
      }
      if (!this.#writing) this.#work = this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.values()];
      this.#waiting = new Map();
      let durable = true;
      try {
        await append(this.#path, batch.map(({ line }) => `${line}\n`).join(''), this.#failed);
      } catch (error) {
        durable = false;
        this.#onError(error);
      }
      this.#failed = !durable;
      for (const { done } of batch) for (const tell of done) tell(durable);
    }
    this.#writing = false; // in one go with finding nothing more: what comes later starts anew
  }
}

/** After a failure a newline goes first: a line that was cut off shall not take the next one with it. */
async function append(path: string, text: string, afterFailure: boolean): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.writeFile(afterFailure ? `\n${text}` : text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

interface Loaded {
  readonly clusters: Map<string, string>;
  /** Lines that are not in `clusters`: damaged, or of rooms beyond the limit. */
  readonly aside: string[];
}

async function load(path: string, roomsMax: number, onError: (error: unknown) => void): Promise<Loaded> {
  const clusters = new Map<string, string>();
  const aside: string[] = [];
  let number = 0;
  let damaged = 0;
  let beyond = 0;
  for await (const line of linesOf(path)) {
    number++;
    const entry = line === '' ? undefined : parse(line);
    if (entry !== undefined) {
      clusters.delete(entry.room);
      if (entry.clusterId !== undefined) clusters.set(entry.room, entry.clusterId);
    } else if (line !== '') {
      damaged++;
      if (aside.length < DAMAGED_LINES_MAX) aside.push(line.slice(0, DAMAGED_CHARS_MAX));
      if (damaged <= 10)
        onError(new RaftError('corrupt', `Line ${number} of ${path} is damaged; it is kept in ${DAMAGED_NAME}.`));
    }
    const eldest = clusters.keys().next();
    if (clusters.size > roomsMax && eldest.done !== true) {
      beyond++;
      aside.push(JSON.stringify({ room: eldest.value, clusterId: clusters.get(eldest.value) }));
      clusters.delete(eldest.value);
    }
  }
  if (damaged > 10) onError(new RaftError('corrupt', `${damaged} lines of ${path} are damaged.`));
  if (beyond > 0) {
    const text = `${path} names ${beyond} rooms more than the ${roomsMax} allowed; the eldest are kept in ${DAMAGED_NAME}.`;
    onError(new RaftError('too-large', text));
  }
  return { clusters, aside };
}

async function* linesOf(path: string): AsyncIterable<string> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  yield* file.readLines(); // closes the file
}

function parse(line: string): { readonly room: string; readonly clusterId: string | undefined } | undefined {
  const { room, clusterId, forgotten } = fieldsOf(line);
  if (typeof room !== 'string' || !ROOM_KEY_PATTERN.test(room)) return undefined;
  if (forgotten === true && clusterId === undefined) return { room, clusterId: undefined };
  return typeof clusterId === 'string' && TOKEN_PATTERN.test(clusterId) ? { room, clusterId } : undefined;
}

function fieldsOf(line: string): { readonly room?: unknown; readonly clusterId?: unknown; readonly forgotten?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** The whole file, replaced at once. */
async function rewrite(path: string, directory: string, clusters: ReadonlyMap<string, string>): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w');
  try {
    await file.writeFile([...clusters].map(([room, clusterId]) => `${JSON.stringify({ room, clusterId })}\n`).join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  const folder = await open(directory, 'r');
  await folder.sync().catch(() => undefined); // some file systems cannot
  await folder.close();
}
