import { describe, expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { createIdentity, decodeIdentity, encodeIdentity, identityOf, idOf, isKeyId, recordOf } from '../../src/trust/identity.ts';
import { sign, verify } from '../../src/trust/primitives.ts';

describe('an identity', () => {
  test('is its key: the id follows from it, and fits where ids go', async () => {
    const identity = await createIdentity('key');
    expect(await idOf(identity.publicKey)).toBe(identity.id);
    expect(identity.id).toMatch(/^[\w-]{1,64}$/);
    expect(isKeyId(identity.id)).toBe(true);
    const altered = identity.publicKey.with(64, (identity.publicKey[64] as number) ^ 1);
    expect(await idOf(altered)).not.toBe(identity.id);
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await createIdentity('key')).id));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(isKeyId(id)).toBe(true);
  });

  test.each(['', 'a', 'i'.repeat(26), 'A'.repeat(26), '0'.repeat(25), '0'.repeat(27), `${'0'.repeat(25)}/`])(
    '%j is no id',
    (id) => {
      expect(isKeyId(id)).toBe(false);
    },
  );

  test('of a browser cannot be taken out', async () => {
    const identity = await createIdentity('key');
    expect(identity.privateKey.extractable).toBe(false);
    const record = await recordOf(identity);
    expect(record.kind).toBe('key');
    await expect(crypto.subtle.exportKey('pkcs8', identity.privateKey)).rejects.toThrow();
    expect(() => encodeIdentity(record)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect((await identityOf(structuredClone(record), identity.id)).id).toBe(identity.id);
  });

  test('of a store of bytes goes there and comes back, then not extractable any more', async () => {
    const identity = await createIdentity('portable');
    const bytes = encodeIdentity(await recordOf(identity));
    const back = await identityOf(decodeIdentity(bytes), identity.id);
    expect(back.id).toBe(identity.id);
    expect(back.privateKey.extractable).toBe(false);
    const text = Uint8Array.of(1, 2, 3);
    expect(await verify(identity.publicKey, await sign(back.privateKey, text), text)).toBe(true);
  });

  test('that a disk has damaged is not used', async () => {
    const [one, two] = await Promise.all([createIdentity('portable'), createIdentity('portable')]);
    const [a, b] = await Promise.all([recordOf(one), recordOf(two)]);
    await expect(identityOf({ ...a, publicKey: b.publicKey })).rejects.toMatchObject({ code: 'corrupt' });
    await expect(identityOf({ ...a, publicKey: new Uint8Array(0) })).rejects.toMatchObject({ code: 'corrupt' });
    await expect(identityOf(a, two.id)).rejects.toMatchObject({ code: 'node-mismatch' });
    const bytes = encodeIdentity(a);
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.with(at, (bytes[at] as number) ^ 0x55);
      // Some bytes of a key's wrapping say nothing: then it is the same identity, never another or half of one.
      const read = async () => identityOf(decodeIdentity(damaged), one.id);
      const found: unknown = await read().then(
        ({ id }) => id,
        (error: unknown) => (RaftError.is(error) ? error.code : error),
      );
      expect([one.id, 'corrupt'], `byte ${at}`).toContain(found);
      if (found === 'corrupt') refused++;
    }
    expect(refused).toBeGreaterThan(100);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeIdentity(bytes.slice(0, length))).toThrow(expect.objectContaining({ code: 'corrupt' }));
    }
  });
});
