/** Stills become one picture that moves: every frame is in it, whole, with its time, in a container whose lengths are right. */
import { expect, test } from 'vitest';
import { animate } from '../../scripts/webp.mjs';

function still(data: readonly number[], more: readonly (readonly [string, readonly number[]])[] = []): Buffer {
  const chunks = [...more, ['VP8 ', data] as const].map(([name, bytes]) => {
    const head = Buffer.alloc(8);
    head.write(name, 0, 'latin1');
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, Buffer.from(bytes), Buffer.alloc(bytes.length % 2)]);
  });
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  const head = Buffer.alloc(8);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** Names and contents of the chunks in some bytes. */
function chunksIn(bytes: Buffer): readonly { readonly name: string; readonly data: Buffer }[] {
  const found: { name: string; data: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    found.push({ name: bytes.toString('latin1', at, at + 4), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return found;
}

test('frames in order, each with its time and its own picture', () => {
  const frames = [
    { still: still([1, 2, 3]), ms: 250 },
    {
      still: still(
        [4, 5],
        [
          ['VP8X', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
          ['ALPH', [7]],
        ],
      ),
      ms: 70_000,
    },
  ];
  const [riff, ...rest] = chunksIn(animate(frames, { width: 1000, height: 700 }));
  expect([riff?.name, rest.length]).toEqual(['RIFF', 0]);
  const [size, animation, first, second, ...none] = chunksIn(riff?.data.subarray(4) ?? Buffer.alloc(0));
  expect([size?.name, animation?.name, first?.name, second?.name, none.length]).toEqual(['VP8X', 'ANIM', 'ANMF', 'ANMF', 0]);
  expect([size?.data.readUIntLE(4, 3), size?.data.readUIntLE(7, 3)]).toEqual([999, 699]);
  expect([first?.data.readUIntLE(6, 3), first?.data.readUIntLE(9, 3), first?.data.readUIntLE(12, 3)]).toEqual([999, 699, 250]);
  expect(second?.data.readUIntLE(12, 3)).toBe(70_000);
  expect(chunksIn(first?.data.subarray(16) ?? Buffer.alloc(0)).map(({ name, data }) => [name, [...data]])).toEqual([
    ['VP8 ', [1, 2, 3]],
  ]);
  expect(chunksIn(second?.data.subarray(16) ?? Buffer.alloc(0)).map(({ name }) => name)).toEqual(['ALPH', 'VP8 ']);
});

test('what is no picture is refused', () => {
  expect(() => animate([{ still: Buffer.from('not a picture at all'), ms: 1 }], { width: 1, height: 1 })).toThrow('not a WebP');
  expect(() => animate([{ still: still([]).subarray(0, 12), ms: 1 }], { width: 1, height: 1 })).toThrow('no picture');
});
