/** Every part that the keys of a session are made of counts, by itself: one that is wrong gives other keys. */
import { expect, test } from 'vitest';
import { toHex } from '../../src/trust/bytes.ts';
import {
  clusterTagOf,
  deriveKeys,
  hashTranscript,
  isTagOf,
  type SharedKeys,
  signedByInvite,
  signedByNode,
  type Transcript,
  tagOf,
} from '../../src/trust/handshake/keys.ts';
import type { HelloHead } from '../../src/trust/handshake/messages.ts';
import { importMacKey, seal } from '../../src/trust/primitives.ts';

const of = (n: number, length = 32): Uint8Array => new Uint8Array(length).fill(n);
const shared: SharedKeys = { resumed: of(1), secret: of(2), welcome: of(3) };

/** All that comes out of a derivation, as text. */
async function outputOf(salt: Uint8Array, agreed: Uint8Array, keys: SharedKeys): Promise<readonly string[]> {
  const { seal: seals, frames, clusterTagKey, resumption } = await deriveKeys(salt, agreed, keys);
  const [one, two, cluster] = await Promise.all([
    seal(seals.dialler, 0, of(0), of(0)),
    seal(seals.answerer, 0, of(0), of(0)),
    clusterTagOf(clusterTagKey, 'dialler', 'c'),
  ]);
  return [one, two, frames.dialler, frames.answerer, cluster, resumption.psk].map(toHex);
}

test('keys: from the transcript, the agreement and each shared key, in its place', async () => {
  const inputs: readonly (readonly [Uint8Array, Uint8Array, SharedKeys])[] = [
    [of(9), of(8), shared],
    [of(7), of(8), shared],
    [of(9), of(7), shared],
    [of(9), of(8), { ...shared, resumed: of(7) }],
    [of(9), of(8), { ...shared, secret: of(7) }],
    [of(9), of(8), { ...shared, welcome: of(7) }],
    [of(9), of(8), { resumed: of(2), secret: of(1), welcome: of(3) }],
    [of(9), of(8), { resumed: of(0, 0), secret: of(1), welcome: of(3) }],
    [of(9), of(8), { resumed: of(1), secret: of(0, 0), welcome: of(3) }],
  ];
  const outputs = (await Promise.all(inputs.map((input) => outputOf(...input)))).flat();
  expect(new Set(outputs).size).toBe(outputs.length);
  expect(await outputOf(of(9), of(8), shared)).toEqual(outputs.slice(0, 6));
});

test('the transcript: room, version, both hellos, both certificates, and which is whose', async () => {
  const base: Transcript = {
    room: 'kitchen',
    version: 1,
    hellos: { dialler: of(1, 100), answerer: of(2, 100) },
    end: 'dialler',
    binding: { own: of(3), peer: of(4) },
  };
  const others: readonly Transcript[] = [
    base,
    { ...base, room: 'cellar' },
    { ...base, version: 2 },
    { ...base, hellos: { dialler: of(5, 100), answerer: of(2, 100) } },
    { ...base, hellos: { dialler: of(1, 100), answerer: of(5, 100) } },
    { ...base, hellos: { dialler: of(2, 100), answerer: of(1, 100) } },
    { ...base, hellos: { dialler: of(1, 99), answerer: of(2, 100) } },
    { ...base, binding: undefined },
    { ...base, binding: { own: of(0, 0), peer: of(0, 0) } },
    { ...base, binding: { own: of(5), peer: of(4) } },
    { ...base, binding: { own: of(3), peer: of(5) } },
    { ...base, binding: { own: of(4), peer: of(3) } },
  ];
  const hashes = await Promise.all(others.map(async (other) => toHex(await hashTranscript(other))));
  expect(new Set(hashes).size).toBe(hashes.length);
  // The other end sees the certificates from its side, and means the same.
  expect(toHex(await hashTranscript({ ...base, end: 'answerer', binding: { own: of(4), peer: of(3) } }))).toBe(hashes[0]);
});

test('a tag is good for one hello, one label and one key', async () => {
  const head: HelloHead = {
    versionMin: 1,
    versionMax: 1,
    end: 'dialler',
    nonce: of(1),
    ephemeral: of(2, 65),
    from: 'a',
    to: 'b',
  };
  const [key, otherKey] = await Promise.all([importMacKey(of(1)), importMacKey(of(2))]);
  const tag = await tagOf(key, 'secret', head);
  expect(await isTagOf(tag, key, 'secret', head)).toBe(true);
  const changes: readonly Partial<HelloHead>[] = [
    { versionMin: 0 },
    { versionMax: 2 },
    { end: 'answerer' },
    { nonce: of(3) },
    { ephemeral: of(3, 65) },
    { from: 'c' },
    { to: 'c' },
    { from: '', to: 'ab' },
  ];
  for (const change of changes) expect(await isTagOf(tag, key, 'secret', { ...head, ...change })).toBe(false);
  expect(await isTagOf(tag, otherKey, 'secret', head)).toBe(false);
  expect(await isTagOf(tag, key, 'resume', head)).toBe(false);
  expect(await isTagOf(tag.slice(0, 15), key, 'secret', head)).toBe(false);
  expect(await isTagOf(of(0, 0), key, 'secret', head)).toBe(false);
});

test('what is signed says what for, which session, which end', async () => {
  const key = await importMacKey(of(1));
  const texts = [
    signedByNode(of(1), 'dialler', of(2)),
    signedByNode(of(1), 'answerer', of(2)),
    signedByNode(of(2), 'dialler', of(2)),
    signedByNode(of(1), 'dialler', of(3)),
    signedByInvite(of(1), 'dialler', of(2)),
    signedByInvite(of(1), 'answerer', of(2)),
    signedByInvite(of(2), 'dialler', of(2)),
    await clusterTagOf(key, 'dialler', 'c'),
    await clusterTagOf(key, 'answerer', 'c'),
    await clusterTagOf(key, 'dialler', 'd'),
  ].map(toHex);
  expect(new Set(texts).size).toBe(texts.length);
});
