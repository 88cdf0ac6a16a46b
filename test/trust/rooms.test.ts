import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../src/trust/base64url.ts';
import { formatRoomLink, parseRoomLink, requireRoomName } from '../../src/trust/room-link.ts';
import { createSecret, openRoom, prepareSecret, rendezvousOf } from '../../src/trust/secret.ts';

const AT = 'ab'.repeat(16);

test('base64url: one text for the same bytes, and the engine’s', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const text = toBase64Url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64Url(text)).toEqual(bytes);
    }),
  );
  // Bits behind the last byte: another text for the same bytes.
  for (const text of ['AB', 'AAB', 'A', 'AAAAA', 'A=', 'A+AA', ' AAA', 'ÄAAA']) expect(fromBase64Url(text), text).toBeUndefined();
});

describe('secrets', () => {
  test('are random, long enough, and derive nothing in common', async () => {
    const [one, two] = [createSecret('kitchen'), createSecret('kitchen')];
    expect(one.bytes).not.toEqual(two.bytes);
    expect(one.bytes.length * 8).toBeGreaterThanOrEqual(128);
    const prepared = await prepareSecret(one);
    const again = await prepareSecret({ ...one });
    expect(again.psk).toEqual(prepared.psk);
    expect(again.commitment).toEqual(prepared.commitment);
    expect(prepared.tagKey.extractable).toBe(false);
    expect(new Set([prepared.psk, prepared.commitment, one.bytes].map(toBase64Url)).size).toBe(3);
    const elsewhere = await prepareSecret({ ...one, room: 'cellar' });
    const asOpen = await prepareSecret({ ...one, open: true });
    expect(new Set([prepared, elsewhere, asOpen].map(({ psk }) => toBase64Url(psk))).size).toBe(3);
  });

  test('too short or too long ones are none', async () => {
    for (const length of [0, 15, 65]) {
      const secret = { room: 'kitchen', open: false, bytes: new Uint8Array(length) };
      await expect(prepareSecret(secret)).rejects.toMatchObject({ code: 'message-invalid' });
    }
  });

  test('an open room’s is its name’s, and says that it is open', async () => {
    expect(await openRoom('kitchen')).toEqual(await openRoom('kitchen'));
    expect((await openRoom('kitchen')).bytes).not.toEqual((await openRoom('cellar')).bytes);
    expect((await prepareSecret(await openRoom('kitchen'))).open).toBe(true);
  });

  test('the server’s name for a room tells neither the secret nor the room, and is a room’s name', async () => {
    const secret = createSecret('kitchen');
    const name = await rendezvousOf(secret);
    expect(requireRoomName(name)).toBe(name);
    expect(await rendezvousOf(secret)).toBe(name);
    expect(await rendezvousOf(createSecret('kitchen'))).not.toBe(name);
    expect(await rendezvousOf(await openRoom('kitchen'))).not.toBe(name);
  });
});

describe('links', () => {
  test('come back as they were', async () => {
    const secret = createSecret('kitchen');
    for (const link of [
      { kind: 'secret', secret, at: undefined },
      { kind: 'secret', secret, at: AT },
      { kind: 'invite', room: 'kitchen', token: 'AAAA', at: AT },
      { kind: 'open', room: 'kitchen' },
    ] as const) {
      const text = formatRoomLink(link);
      expect(parseRoomLink(text)).toEqual(link);
      expect(parseRoomLink(`https://example.org/demo/?x=1${text}`)).toEqual(link);
      expect(parseRoomLink(text.slice(1))).toEqual(link);
    }
    expect(formatRoomLink({ kind: 'secret', secret: await openRoom('kitchen'), at: undefined })).toBe('#room=kitchen&open=1');
  });

  const good = toBase64Url(new Uint8Array(18).fill(5));
  test.each([
    ['', 'room-invalid'],
    ['#', 'room-invalid'],
    ['#room=kitchen', 'room-invalid'], // open rooms have to be asked for
    ['#room=kitchen&open=0', 'room-invalid'],
    [`#room=kitchen&open=1&at=${AT}`, 'room-invalid'],
    [`#room=&secret=${good}`, 'room-invalid'],
    [`#room=a/b&secret=${good}`, 'room-invalid'],
    [`#room=${'a'.repeat(65)}&secret=${good}`, 'room-invalid'],
    [`#secret=${good}`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&secret=${good}`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&open=1`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&invite=AAAA&at=${AT}`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&at=XY`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&utm=1`, 'room-invalid'],
    [`#room=kitchen&secret=${good}&`, 'room-invalid'],
    [`#room=kitchen&secret=${'A'.repeat(2_000)}`, 'room-invalid'],
    ['#room=kitchen&secret=', 'wrong-secret'],
    [`#room=kitchen&secret=${good.slice(0, 20)}`, 'wrong-secret'],
    [`#room=kitchen&secret=${good.slice(0, -1)}!`, 'wrong-secret'],
    [`#room=kitchen&secret=${'A'.repeat(100)}`, 'wrong-secret'],
    ['#room=kitchen&invite=AAAA', 'invite-invalid'],
    [`#room=kitchen&invite=A&at=${AT}`, 'invite-invalid'],
  ])('%s is refused with %s', (link, code) => {
    expect(() => parseRoomLink(link)).toThrow(expect.objectContaining({ code }));
  });

  test('nothing but a RaftError is ever thrown, and prototypes stay', () => {
    const part = fc.constantFrom(
      'room',
      'secret',
      'invite',
      'at',
      'open',
      '__proto__',
      'constructor',
      '=',
      '&',
      '#',
      'kitchen',
      good,
      AT,
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 12 }), (parts) => {
        try {
          parseRoomLink(`#${parts.join('')}`);
        } catch (error) {
          expect(error).toMatchObject({ name: 'RaftError' });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
