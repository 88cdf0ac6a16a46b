/**
 * Every decoder that sees bytes before the proof, or bytes that anybody may have put into the log: nothing but a coded error, no
 * stall, no prototype touched. 10,000 inputs each; npm run fuzz for a million, and for the same again from a seed.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/codec/crc32.ts';
import { RaftError } from '../../src/core/errors.ts';
import { fingerprintOf } from '../../src/trust/fingerprint.ts';
import { Handshake } from '../../src/trust/handshake/handshake.ts';
import {
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeHello,
  encodeProof,
  openMessage,
} from '../../src/trust/handshake/messages.ts';
import { makeOffer } from '../../src/trust/handshake/offer.ts';
import { issueInvite, readTicket } from '../../src/trust/invite.ts';
import { InviteLedger } from '../../src/trust/ledger.ts';
import { decodeLedger, decodeTrustCommand, encodeLedger, encodeTrustCommand } from '../../src/trust/ledger-codec.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { applyTo, CLUSTER, NOW_MS, newIdentity, newNode, ROOM, TestNode, until } from './ends.ts';

const RUNS = Number(process.env['FUZZ_INPUTS'] ?? 10_000);
const { FUZZ_SEED } = process.env;
if (FUZZ_SEED !== undefined) fc.configureGlobal({ seed: crc32(new TextEncoder().encode(FUZZ_SEED)) | 0 });
const TIMEOUT_MS = Math.max(60_000, RUNS);

/** Random bytes, and honest ones with some bytes changed, taken out, put in. */
function hostile(...honest: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.constantFrom(...honest), fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 6 }))
    .map(([bytes, changes]) => {
      const list = [...bytes];
      for (const [place, value, how] of changes) {
        const at = place % (list.length + 1);
        list.splice(at, how === 1 ? 0 : 1, ...(how === 2 ? [] : [value]));
      }
      return Uint8Array.from(list);
    });
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }) }, { weight: 2, arbitrary: mutated });
}

function survives(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    if (!RaftError.is(error)) throw error;
    return false;
  }
}

test(
  'decoders',
  async () => {
    const secret = createSecret(ROOM);
    const node = await newNode({ secret });
    const offer = await makeOffer(node.options('dialler', '', undefined));
    const identity = await newIdentity();
    const invite = await issueInvite(identity, CLUSTER, { role: 'voter', uses: 2, expiresMs: NOW_MS + 1_000 }, NOW_MS);
    const roles = { [identity.id]: 'voter' } as const;
    const ledger = new InviteLedger();
    const commands = [
      { kind: 'invite', ...invite },
      { kind: 'use', inviteId: invite.inviteId, node: 'n1' },
      { kind: 'revoke-member', node: 'n2' },
    ] as const;
    for (const command of commands) applyTo(ledger, command, identity.id, roles);
    const hello = openMessage(offer.message).body;
    const proof = encodeProof({
      publicKey: identity.publicKey,
      clusterTag: new Uint8Array(32),
      epoch: 1,
      wallMs: NOW_MS,
      signature: new Uint8Array(64),
      inviteSignature: new Uint8Array(0),
    });
    const targets: readonly (readonly [string, (bytes: Uint8Array) => unknown, readonly Uint8Array[]])[] = [
      ['message', openMessage, [offer.message]],
      ['hello', decodeHello, [hello]],
      ['proof', decodeProof, [proof]],
      ['refusal', decodeRefusal, [Uint8Array.of(1)]],
      ['ticket', readTicket, [invite.ticket]],
      ['command', decodeTrustCommand, commands.map(encodeTrustCommand)],
      ['ledger', decodeLedger, [encodeLedger(ledger)]],
      [
        'description',
        (bytes) => fingerprintOf(String.fromCharCode(...bytes)),
        [new TextEncoder().encode(`a=fingerprint:sha-256 ${'00:'.repeat(31)}00`)],
      ],
    ];
    for (const [name, decode, honest] of targets) {
      for (const bytes of honest) expect(survives(decode, bytes), name).toBe(true);
      fc.assert(
        fc.property(hostile(...honest), (bytes) => void survives(decode, bytes)),
        { numRuns: RUNS },
      );
    }
    expect(({} as Readonly<Record<string, unknown>>)['polluted']).toBeUndefined();
  },
  TIMEOUT_MS,
);

test(
  'what a decoder took, it writes the same again',
  async () => {
    const node = await newNode({ secret: createSecret(ROOM) });
    const { message } = await makeOffer(node.options('answerer', '', undefined));
    fc.assert(
      fc.property(hostile(openMessage(message).body), (bytes) => {
        if (!survives(decodeHello, bytes)) return;
        const hello = decodeHello(bytes);
        expect(decodeHello(openMessage(encodeHello(hello)).body)).toEqual(hello);
      }),
      { numRuns: RUNS },
    );
  },
  TIMEOUT_MS,
);

test('a command that was taken is applied to an outcome, whatever it says', () => {
  const command = fc.oneof(
    fc.record({ kind: fc.constant('use' as const), inviteId: fc.constant('0'.repeat(32)), node: fc.string() }),
    fc.record({ kind: fc.constant('invite' as const), ticket: fc.uint8Array(), welcomeKey: fc.uint8Array() }),
    fc.record({ kind: fc.constant('secret' as const), epoch: fc.double(), commitment: fc.uint8Array() }),
  );
  fc.assert(
    fc.property(command, fc.constantFrom('a', 'b'), fc.double(), (one, by, timeMs) => {
      const outcome = applyTo(new InviteLedger(), one, by, { a: 'voter' }, timeMs);
      expect(outcome.error === undefined || RaftError.is(outcome.error)).toBe(true);
    }),
    { numRuns: RUNS / 10 },
  );
});

test(
  'a handshake that is fed anything fails, and says so once',
  async () => {
    const secret = createSecret(ROOM);
    const [victim, peer] = await Promise.all([newNode({ secret }), newNode({ secret })]);
    const { message } = await makeOffer(peer.options('dialler', victim.id, undefined));
    const runs = fc.sample(
      fc.array(hostile(message, Uint8Array.of(0xf1, 0x54, 0x52, 2, 0)), { minLength: 1, maxLength: 4 }),
      Math.max(300, RUNS / 100),
    );
    for (const messages of runs) {
      const outcome: string[] = [];
      const own = new TestNode(victim.identity);
      own.secret = victim.secret;
      const handshake = Handshake.start(own.options('answerer', '', undefined), {
        send: () => undefined,
        onProven: () => outcome.push('proven'),
        onFailed: () => outcome.push('failed'),
      });
      for (const bytes of messages) expect(handshake.onBytes(bytes)).toBe(true);
      handshake.close();
      await handshake.result;
      await until(() => outcome.length > 0);
      expect(outcome).toEqual(['failed']);
      expect(own.clock.waiting).toBe(0);
    }
  },
  TIMEOUT_MS,
);
