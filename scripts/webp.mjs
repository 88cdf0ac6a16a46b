/**
 * Puts WebP pictures of one size together into one that moves. The container only: each picture is taken as its encoder made it.
 * https://developers.google.com/speed/webp/docs/riff_container
 */

const PICTURE_CHUNKS = new Set(['ALPH', 'VP8 ', 'VP8L']);
/** Background colour (white), and how often it plays: 0 is for ever. */
const ANIMATION = Buffer.from([255, 255, 255, 255, 0, 0]);
const FLAG_ANIMATION = 2;

function chunk(name, data) {
  const head = Buffer.alloc(8);
  head.write(name, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat(data.length % 2 === 0 ? [head, data] : [head, data, Buffer.alloc(1)]);
}

/** The chunks of a still picture that are the picture itself. */
function pictureOf(still) {
  if (still.toString('latin1', 0, 4) !== 'RIFF' || still.toString('latin1', 8, 12) !== 'WEBP')
    throw new Error('These bytes are not a WebP picture.');
  const parts = [];
  for (let at = 12; at + 8 <= still.length; ) {
    const name = still.toString('latin1', at, at + 4);
    const length = still.readUInt32LE(at + 4);
    if (PICTURE_CHUNKS.has(name)) parts.push(chunk(name, still.subarray(at + 8, at + 8 + length)));
    at += 8 + length + (length % 2);
  }
  if (parts.length === 0) throw new Error('This WebP holds no picture.');
  return Buffer.concat(parts);
}

/** `frames`: stills of the size given, each with how long it is shown, in ms. */
export function animate(frames, { width, height }) {
  const size = Buffer.alloc(6);
  size.writeUIntLE(width - 1, 0, 3);
  size.writeUIntLE(height - 1, 3, 3);
  const shown = frames.map(({ still, ms }) => {
    const head = Buffer.alloc(16);
    size.copy(head, 6);
    head.writeUIntLE(ms, 12, 3);
    return chunk('ANMF', Buffer.concat([head, pictureOf(still)]));
  });
  const body = Buffer.concat([
    Buffer.from('WEBP', 'latin1'),
    chunk('VP8X', Buffer.concat([Buffer.from([FLAG_ANIMATION, 0, 0, 0]), size])),
    chunk('ANIM', ANIMATION),
    ...shown,
  ]);
  return chunk('RIFF', body);
}
