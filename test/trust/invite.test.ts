import { beforeAll, describe, expect, test } from 'vitest';
import { fromBase64Url, toBase64Url } from '../../src/trust/base64url.ts';
import type { Identity } from '../../src/trust/identity.ts';
import { type IssuedInvite, issueInvite, prepareInvite, readTicket, verifyTicket } from '../../src/trust/invite.ts';
import { CLOCK_SKEW_MAX_MS, INVITE_TTL_MAX_MS, INVITE_USES_MAX } from '../../src/trust/limits.ts';
import { verify } from '../../src/trust/primitives.ts';
import { CLUSTER, NOW_MS, newIdentity } from './ends.ts';

let issuer: Identity;
let invite: IssuedInvite;
const terms = { role: 'learner', uses: 3, expiresMs: NOW_MS + 60_000 } as const;

beforeAll(async () => {
  issuer = await newIdentity();
  invite = await issueInvite(issuer, CLUSTER, terms, NOW_MS);
});

describe('tickets', () => {
  test('say what was promised, and by whom', async () => {
    const ticket = await verifyTicket(invite.ticket, CLUSTER);
    expect(ticket).toMatchObject({
      ...terms,
      clusterId: CLUSTER,
      inviteId: invite.inviteId,
      issuedMs: NOW_MS,
      issuer: issuer.id,
    });
    expect(ticket.issuerKey).toEqual(issuer.publicKey);
  });

  test('every byte of it altered, or the role raised: forged', async () => {
    const raised = invite.ticket.slice();
    const { role } = readTicket(raised);
    expect(role).toBe('learner');
    raised[1 + 16 + 2 + CLUSTER.length] = 2;
    expect(readTicket(raised).role).toBe('voter');
    await expect(verifyTicket(raised, CLUSTER)).rejects.toMatchObject({ code: 'invite-invalid' });
    for (let at = 0; at < invite.ticket.length; at++) {
      const forged = invite.ticket.slice();
      forged[at] = (forged[at] as number) ^ 1;
      await expect(verifyTicket(forged, CLUSTER), `byte ${at}`).rejects.toMatchObject({ code: 'invite-invalid' });
    }
    await expect(verifyTicket(Uint8Array.of(...invite.ticket, 0), CLUSTER)).rejects.toMatchObject({ code: 'invite-invalid' });
  });

  test('of another cluster: not of this one', async () => {
    await expect(verifyTicket(invite.ticket, 'cluster-2')).rejects.toMatchObject({ code: 'invite-invalid' });
  });

  test('with somebody else’s key in it, signed by the forger: it names the forger', async () => {
    const forger = await newIdentity();
    const forged = await issueInvite(forger, CLUSTER, { ...terms, role: 'voter' }, NOW_MS);
    expect((await verifyTicket(forged.ticket, CLUSTER)).issuer).toBe(forger.id);
  });

  test.each([
    [{ uses: 0 }],
    [{ uses: INVITE_USES_MAX + 1 }],
    [{ uses: 1.5 }],
    [{ expiresMs: NOW_MS }],
    [{ expiresMs: Number.NaN }],
    [{ expiresMs: NOW_MS + INVITE_TTL_MAX_MS + 1 }],
    [{ role: 'owner' as 'voter' }],
  ])('are not made for %j', async (wrong) => {
    await expect(issueInvite(issuer, CLUSTER, { ...terms, ...wrong }, NOW_MS)).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

describe('what is in the link', () => {
  test('proves to have the invite, and knows what members know of it', async () => {
    const prepared = await prepareInvite(invite.token, NOW_MS);
    expect(prepared).toMatchObject({ inviteId: invite.inviteId, role: 'learner', welcomeKey: invite.welcomeKey });
    expect(prepared.inviteKey.extractable).toBe(false);
    const bytes = Uint8Array.of(1, 2, 3);
    const signature = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, prepared.inviteKey, bytes));
    expect(await verify(readTicket(invite.ticket).inviteKey, signature, bytes)).toBe(true);
    expect(invite.token.length).toBeLessThan(220);
  });

  test('is over: said before anything is sent', async () => {
    const late = NOW_MS + 60_000 + CLOCK_SKEW_MAX_MS;
    await expect(prepareInvite(invite.token, late)).resolves.toBeDefined();
    await expect(prepareInvite(invite.token, late + 1)).rejects.toMatchObject({ code: 'invite-expired' });
  });

  test('is of the future: this clock is wrong', async () => {
    await expect(prepareInvite(invite.token, NOW_MS - CLOCK_SKEW_MAX_MS)).resolves.toBeDefined();
    await expect(prepareInvite(invite.token, NOW_MS - CLOCK_SKEW_MAX_MS - 1)).rejects.toMatchObject({ code: 'clock-skew' });
  });

  test('was cut or altered', async () => {
    const bytes = fromBase64Url(invite.token) ?? new Uint8Array(0);
    for (const token of [
      '',
      'x',
      '!!',
      invite.token.slice(0, -4),
      `${invite.token}AAAA`,
      toBase64Url(bytes.with(0, 2)),
      toBase64Url(bytes.with(17, 9)),
      toBase64Url(new Uint8Array(bytes.length)),
    ]) {
      await expect(prepareInvite(token, NOW_MS), token).rejects.toMatchObject({ code: 'invite-invalid' });
    }
    // One half of its key altered: the engine refuses the pair, or what it signs does not fit.
    const half = await prepareInvite(toBase64Url(bytes.with(40, (bytes[40] as number) ^ 1)), NOW_MS).catch(() => undefined);
    if (half !== undefined) expect(half.welcomeKey).not.toEqual(invite.welcomeKey);
  });
});
