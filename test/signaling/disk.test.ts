import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalBackend } from '../../signaling/backend.ts';
import { DiskWatch, FREE_BYTES_MIN } from '../../signaling/disk.ts';

test('a disk that is almost full is said before it refuses, and no longer when there is room again', async () => {
  let free = FREE_BYTES_MIN;
  let asked = 0;
  const disk = new DiskWatch('/data', async () => {
    asked++;
    return free;
  });
  const backend = new LocalBackend({}, undefined, disk);
  await disk.look(0);
  expect(backend.trouble()).toBeUndefined();
  free = 3 * 1024 * 1024;
  await disk.look(9_999);
  expect([backend.trouble(), asked]).toEqual([undefined, 1]);
  await disk.look(10_000);
  expect(backend.trouble()).toBe('the disk is almost full: 3 MiB are free for /data');
  free = FREE_BYTES_MIN;
  await disk.look(20_000);
  expect(backend.trouble()).toBeUndefined();
});

test('a real directory can be asked; one that is not there is taken for one with room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabraft-disk-'));
  const disk = new DiskWatch(folder);
  await disk.look();
  rmSync(folder, { recursive: true });
  const gone = new DiskWatch(folder);
  await gone.look();
  expect([typeof disk.trouble, gone.trouble]).toEqual([expect.stringMatching(/^(undefined|string)$/), undefined]);
});
