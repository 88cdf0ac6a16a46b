/**
 * Which cluster each room has, on disk: without it a restarted server would let a stranger found a second cluster for a room
 * whose members are asleep. One line of JSON per room, appended; rewritten when opened. A half-written last line is ignored.
 */
import { appendFile, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { RaftError } from '../src/core/errors.ts';
import { ROOM_NAME_PATTERN, TOKEN_PATTERN } from '../src/signaling/protocol.ts';

const FILE_NAME = 'rooms.jsonl';

export class RoomMemory {
  /** As found when opened, the least recently remembered first. */
  readonly clusters: ReadonlyMap<string, string>;
  private readonly path: string;
  private readonly onError: (error: unknown) => void;
  private work: Promise<void> = Promise.resolve();

  private constructor(path: string, clusters: ReadonlyMap<string, string>, onError: (error: unknown) => void) {
    this.path = path;
    this.clusters = clusters;
    this.onError = onError;
  }

  /** Errors: corrupt, storage. `onError` hears of lines that could not be written later. */
  static async open(directory: string, onError: (error: unknown) => void): Promise<RoomMemory> {
    const path = join(directory, FILE_NAME);
    try {
      await mkdir(directory, { recursive: true });
      const clusters = parse(await readOrNothing(path), path);
      await rewrite(path, clusters);
      return new RoomMemory(path, clusters, onError);
    } catch (cause) {
      if (RaftError.is(cause)) throw cause;
      throw new RaftError('storage', `The rooms cannot be remembered in ${directory}.`, { cause });
    }
  }

  remember(room: string, clusterId: string): void {
    const line = `${JSON.stringify({ room, clusterId })}\n`;
    this.work = this.work.then(() => appendFile(this.path, line, { flush: true })).catch(this.onError);
  }

  /** Resolves when all that was to be remembered is. */
  async close(): Promise<void> {
    await this.work;
  }
}

async function readOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function parse(text: string, path: string): Map<string, string> {
  const clusters = new Map<string, string>();
  const lines = text.split('\n');
  lines.pop(); // what follows the last newline: nothing, or a line that was never finished
  lines.forEach((line, i) => {
    const { room, clusterId } = fieldsOf(line);
    if (
      typeof room !== 'string' ||
      !ROOM_NAME_PATTERN.test(room) ||
      typeof clusterId !== 'string' ||
      !TOKEN_PATTERN.test(clusterId)
    ) {
      throw new RaftError(
        'corrupt',
        `Line ${i + 1} of ${path} is damaged. Repair or remove the line; forgotten rooms can be founded again.`,
      );
    }
    clusters.delete(room);
    clusters.set(room, clusterId);
  });
  return clusters;
}

function fieldsOf(line: string): { readonly room?: unknown; readonly clusterId?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** The whole file, replaced at once. */
async function rewrite(path: string, clusters: ReadonlyMap<string, string>): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w');
  try {
    for (const [room, clusterId] of clusters) await file.write(`${JSON.stringify({ room, clusterId })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
