/** The bench in Node: LMDB against bare synced puts of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LmdbStorage } from '../../src/storage/lmdb/lmdb-storage.ts';
import { measure, type Probe, type Row } from './measure.ts';

const options = { encoding: 'binary', separateFlushed: true, cache: false } as const;

function bareProbe(path: string): Probe {
  const database = open<Uint8Array, number>({ path, ...options });
  let next = 0;
  return {
    write: async (value) => {
      await database.put(next, value);
      next += 1;
      await database.flushed;
    },
    readLast: async (count) => {
      let bytes = 0;
      for (const { value } of database.getRange({ start: next - count })) bytes += value.length;
      return bytes;
    },
    reopen: async () => {
      const again = open<Uint8Array, number>({ path: `${path}-2`, ...options });
      again.get(0);
      await again.close();
    },
  };
}

export async function bench(lengths: readonly number[], snapshotBytes: number, say: (line: string) => void): Promise<Row[]> {
  const path = mkdtempSync(join(tmpdir(), 'tabraft-bench-'));
  try {
    const provider = new LmdbStorage({ path });
    return await measure({ provider, probe: bareProbe(join(path, 'probe')), say, lengths, snapshotBytes });
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
