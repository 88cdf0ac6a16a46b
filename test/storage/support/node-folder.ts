/** Files of a real disk: node:fs behind the same port as a browser's files. */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileFolder, SyncFile } from '../../../src/storage/opfs/sync-file.ts';

export function nodeFolder(path: string): FileFolder {
  return {
    names: () => readdir(path),
    open: async (name) => {
      const file = join(path, name);
      return nodeFile(openSync(file, (await readdir(path)).includes(name) ? 'r+' : 'w+'));
    },
    remove: (name) => rm(join(path, name), { force: true }),
    destroy: () => rm(path, { recursive: true, force: true }),
    estimate: async () => undefined,
  };
}

function nodeFile(fd: number): SyncFile {
  return {
    read: (into, at) => readSync(fd, into, 0, into.length, at),
    write: (bytes, at) => writeSync(fd, bytes, 0, bytes.length, at),
    truncate: (size) => ftruncateSync(fd, size),
    getSize: () => fstatSync(fd).size,
    flush: () => fdatasyncSync(fd),
    close: () => closeSync(fd),
  };
}
