/** Where the command line reads from: a node's LMDB directory, or a dump, which is read into memory as a store. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { type DumpHeader, importDump } from '../storage/dump.ts';
import type { ReadableStore } from '../storage/inspect.ts';
import { LmdbMedium } from '../storage/lmdb/lmdb-medium.ts';
import { MemoryStorage } from '../storage/memory/memory-storage.ts';
import { openReader } from '../storage/packed/open-packed.ts';

/** Directories between the one given and a node's. */
const DEPTH_MAX = 2;

export async function withReader<T>(path: string, work: (store: ReadableStore) => Promise<T>): Promise<T> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new RaftError('invalid-argument', `There is nothing at ${path}.`);
  if (!found.isDirectory()) return work(await dumpAsStore(path));
  const medium = await LmdbMedium.open(await nodeDirectory(path));
  try {
    return await work(await openReader(medium));
  } finally {
    await medium.close();
  }
}

/** A dump keeps its names and its vote here: it is looked at, not brought to life. */
async function dumpAsStore(file: string): Promise<ReadableStore> {
  const memory = new MemoryStorage().open({ room: 'dump' });
  const header: DumpHeader = await importDump(memory, createReadStream(file));
  return {
    identity: { nodeId: header.nodeId, room: header.room, bootNonce: '', bootCount: 0 },
    load: async () => ({ ...(await memory.load()), hardState: header.hardState }),
    entries: (from, to, bytesMax) => memory.entries(from, to, bytesMax),
    snapshot: () => memory.snapshot(),
  };
}

export interface Owner {
  readonly nodeId: NodeId;
  readonly room: string;
  /** What LmdbStorage is opened with. */
  readonly root: string;
}

export async function ownerOf(path: string): Promise<Owner> {
  const directory = await nodeDirectory(path);
  const medium = await LmdbMedium.open(directory);
  try {
    const { nodeId, room } = (await openReader(medium)).identity;
    return { nodeId, room, root: dirname(dirname(directory)) };
  } finally {
    await medium.close();
  }
}

/** Errors: invalid-argument, naming the choices. */
async function nodeDirectory(path: string): Promise<string> {
  const found = await nodeDirectories(path, DEPTH_MAX);
  const [only, other] = found;
  if (only === undefined) throw new RaftError('invalid-argument', `There is no node in ${path}.`);
  if (other !== undefined) throw new RaftError('invalid-argument', `There are several nodes: ${found.join(', ')}. Name one.`);
  return only;
}

async function nodeDirectories(path: string, depth: number): Promise<string[]> {
  const inside = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw new RaftError('invalid-argument', `The directory ${path} cannot be read.`, { cause });
  });
  if (inside.some((entry) => entry.name === 'data.mdb')) return [path];
  if (depth === 0) return [];
  const below = inside.filter((entry) => entry.isDirectory()).map((entry) => nodeDirectories(join(path, entry.name), depth - 1));
  return (await Promise.all(below)).flat().sort();
}
