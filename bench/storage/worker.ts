/** The bench in a worker that holds the files itself, against a bare file: one write and one flush for each value. */
import { OpfsStorage } from '../../src/storage/opfs/opfs-storage.ts';
import { measure, type Probe } from './measure.ts';

interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

async function open(name: string): Promise<SyncHandle> {
  const root = await navigator.storage.getDirectory();
  const file = await root.getFileHandle(name, { create: true });
  return (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
}

async function bareProbe(): Promise<Probe> {
  const file = await open('probe');
  const other = await open('probe-2');
  other.write(new Uint8Array(100), { at: 0 });
  other.close();
  let end = 0;
  const starts: number[] = [];
  return {
    write: async (value) => {
      file.write(value, { at: end });
      file.flush();
      starts.push(end);
      end += value.length;
    },
    readLast: async (count) => {
      const from = starts.at(-count) ?? 0;
      return file.read(new Uint8Array(end - from), { at: from });
    },
    reopen: async () => {
      const again = await open('probe-2');
      again.read(new Uint8Array(100), { at: 0 });
      again.close();
    },
  };
}

addEventListener('message', ({ data }: MessageEvent<{ lengths: readonly number[]; snapshotBytes: number }>) => {
  const say = (line: string): void => postMessage({ line });
  const provider = new OpfsStorage({ persist: false });
  bareProbe()
    .then((probe) => measure({ provider, probe, say, ...data }))
    .then((rows) => postMessage({ rows }));
});
