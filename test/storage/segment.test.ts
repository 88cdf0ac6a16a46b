/** The version of a log segment, and what it says when it is damaged. */
import { expect, test } from 'vitest';
import { makeEntry } from '../../src/core/types.ts';
import { decodeSegment, encodeSegments } from '../../src/storage/packed/segment.ts';

function segment(): Uint8Array {
  const [first] = encodeSegments([makeEntry(7, 2, 'normal', 1, Uint8Array.of(1, 2, 3), undefined)], 1, 0);
  if (first === undefined) throw new Error('a segment expected');
  return first.value;
}

test('a segment whose version byte is damaged is corrupt: nobody is told to look for a newer build', () => {
  const damaged = segment();
  damaged[0] = (damaged[0] ?? 0) | 0x40;
  expect(() => decodeSegment(7, damaged)).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

test('a segment of a later version, whose checksum is not ours, is of a newer build', () => {
  const newer = segment();
  newer[0] = (newer[0] ?? 0) + 1;
  newer[newer.length - 1] = 99;
  expect(() => decodeSegment(7, newer)).toThrow(expect.objectContaining({ code: 'storage-newer' }));
});
