import { expect, test } from 'vitest';
import { Digest, digestOf } from '../../src/storage/digest.ts';
import { Rechunker, SNAPSHOT_CHUNK_BYTES } from '../../src/storage/rechunk.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) >>> 3);

test('the digest does not depend on how the bytes are cut', () => {
  for (const cut of [0, 1, 15, 16, 17, 500, 999]) {
    expect(digestOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toBe(digestOf([bytes]));
  }
  const digest = new Digest();
  for (const byte of bytes) digest.update(Uint8Array.of(byte));
  expect(digest.hex()).toBe(digestOf([bytes]));
});

test('the digest changes with every byte and with the length', () => {
  const seen = new Set([digestOf([bytes]), digestOf([bytes.subarray(1)]), digestOf([bytes, new Uint8Array(1)]), digestOf([])]);
  for (let i = 0; i < 100; i += 1) {
    const flipped = bytes.slice();
    flipped[i] = (flipped[i] ?? 0) ^ 1;
    seen.add(digestOf([flipped]));
  }
  expect(seen.size).toBe(104);
  expect(digestOf([])).toBe('0'.repeat(32));
});

test('chunks are full but for the last, whatever the pieces; the caller keeps its bytes', () => {
  const rechunker = new Rechunker();
  const piece = new Uint8Array(300_000).fill(1);
  const chunks = Array.from({ length: 8 }, () => rechunker.push(piece)).flat();
  piece.fill(2);
  const last = rechunker.flush();
  expect(chunks.map((chunk) => chunk.length)).toEqual([SNAPSHOT_CHUNK_BYTES, SNAPSHOT_CHUNK_BYTES]);
  expect(last?.length).toBe(8 * 300_000 - 2 * SNAPSHOT_CHUNK_BYTES);
  expect([...chunks, last].every((chunk) => chunk?.every((byte) => byte === 1))).toBe(true);
  expect(rechunker.flush()).toBeUndefined();
});
