/** A packed store on a modelled disk, for tests that look beneath it. */
import type { Durability, Key } from '../../../src/storage/packed/medium.ts';
import { openPacked } from '../../../src/storage/packed/open-packed.ts';
import type { PackedStore } from '../../../src/storage/packed/packed-store.ts';
import type { StoreFault } from '../../../src/storage/storage.ts';
import { ModelledDisk, type Tables } from '../../../src/testing/modelled-disk.ts';

export interface OpenOptions {
  readonly durability?: Durability;
  readonly tailBytesMax?: number;
  readonly onFault?: (fault: StoreFault) => void;
}

let boots = 0;

export async function openOn(disk: ModelledDisk, options: OpenOptions = {}): Promise<PackedStore> {
  boots += 1;
  const store = await openPacked({
    medium: disk.open(),
    room: 'room',
    nodeId: 'node',
    bootNonce: `boot-${boots}`,
    durability: options.durability ?? 'strict',
    tailBytesMax: options.tailBytesMax,
    onFault: options.onFault,
    fresh: disk.tables().meta.size === 0,
    nowMs: boots,
  });
  if (store === undefined) throw new Error('the disk holds no identity');
  return store;
}

/** The tables of a disk as JSON: what a database written by another version is kept as. */
export function dumpTables(tables: Tables): string {
  const dump: Record<string, [Key, string][]> = {};
  for (const [name, table] of Object.entries(tables)) {
    dump[name] = [...table].map(([key, value]): [Key, string] => [key, Buffer.from(value).toString('hex')]);
  }
  return JSON.stringify(dump, undefined, 1);
}

export function parseTables(text: string): Tables {
  const dump = JSON.parse(text) as Record<keyof Tables, [Key, string][]>;
  const table = (name: keyof Tables): Map<Key, Uint8Array> =>
    new Map(dump[name].map(([key, hex]) => [key, new Uint8Array(Buffer.from(hex, 'hex'))]));
  return { meta: table('meta'), log: table('log'), chunks: table('chunks'), records: table('records') };
}

export function diskFrom(text: string): ModelledDisk {
  return ModelledDisk.from(parseTables(text));
}
