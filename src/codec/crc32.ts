/** CRC-32 (IEEE 802.3, as in zip and png), eight bytes at a time: tells a flipped byte, not an adversary. */

const TABLES: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[byte] = value;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

/** The checksum as an unsigned 32-bit number. `seed`: the checksum of what came before. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const t = TABLES as unknown as number[];
  const b = bytes as unknown as number[];
  const length = bytes.length;
  let crc = ~seed;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const low = crc ^ (at(b, i) | (at(b, i + 1) << 8) | (at(b, i + 2) << 16) | (at(b, i + 3) << 24));
    crc =
      at(t, 1792 + (low & 0xff)) ^
      at(t, 1536 + ((low >>> 8) & 0xff)) ^
      at(t, 1280 + ((low >>> 16) & 0xff)) ^
      at(t, 1024 + (low >>> 24)) ^
      at(t, 768 + at(b, i + 4)) ^
      at(t, 512 + at(b, i + 5)) ^
      at(t, 256 + at(b, i + 6)) ^
      at(t, at(b, i + 7));
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ at(t, (crc ^ at(b, i)) & 0xff);
  return ~crc >>> 0;
}

function at(array: readonly number[], index: number): number {
  return array[index] as number;
}
