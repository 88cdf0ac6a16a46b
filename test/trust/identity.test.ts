import { describe, expect, test } from 'vitest';
import { createKeyPair, identityOf, idOf, isKeyId } from '../../src/trust/identity.ts';
import { sign, verify } from '../../src/trust/primitives.ts';
import { newIdentity } from './ends.ts';

describe('an identity', () => {
  test('is its key: the id follows from it, and fits where ids go', async () => {
    const identity = await newIdentity();
    expect(await idOf(identity.publicKey)).toBe(identity.id);
    expect(identity.id).toMatch(/^[\w-]{1,64}$/);
    expect(isKeyId(identity.id)).toBe(true);
    const altered = identity.publicKey.with(64, (identity.publicKey[64] as number) ^ 1);
    expect(await idOf(altered)).not.toBe(identity.id);
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await newIdentity()).id));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(isKeyId(id)).toBe(true);
  });

  test.each(['', 'a', 'i'.repeat(26), 'A'.repeat(26), '0'.repeat(25), '0'.repeat(27), `${'0'.repeat(25)}/`])(
    '%j is no id',
    (id) => {
      expect(isKeyId(id)).toBe(false);
    },
  );

  test('cannot be taken out, and survives what IndexedDB does to it', async () => {
    const pair = await createKeyPair(false);
    expect(pair.privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('jwk', pair.privateKey)).rejects.toThrow();
    const { id, publicKey } = await identityOf(pair);
    const back = await identityOf(structuredClone(pair), id);
    const text = Uint8Array.of(1, 2, 3);
    expect(await verify(publicKey, await sign(back.privateKey, text), text)).toBe(true);
  });

  test('can be taken out only where a store keeps bytes', async () => {
    const pair = await createKeyPair(true);
    expect((await crypto.subtle.exportKey('jwk', pair.privateKey)).d).toBeDefined();
  });

  test('of two halves that do not belong together, of another kind, or of somebody else is none', async () => {
    const [one, two] = await Promise.all([createKeyPair(false), createKeyPair(false)]);
    const mixed = { publicKey: two.publicKey, privateKey: one.privateKey };
    await expect(identityOf(mixed)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(identityOf({ publicKey: one.privateKey, privateKey: one.publicKey })).rejects.toMatchObject({ code: 'corrupt' });
    const algorithm = { name: 'ECDSA', namedCurve: 'P-384' };
    const other = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
    await expect(identityOf(other)).rejects.toMatchObject({ code: 'corrupt' });
    const { id } = await identityOf(two);
    await expect(identityOf(one, id)).rejects.toMatchObject({ code: 'node-mismatch' });
  });
});
