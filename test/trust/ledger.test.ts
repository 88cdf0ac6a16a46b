import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Identity } from '../../src/trust/identity.ts';
import { issueInvite } from '../../src/trust/invite.ts';
import { InviteLedger, type TrustCommand } from '../../src/trust/ledger.ts';
import { decodeLedger, decodeTrustCommand, encodeLedger, encodeTrustCommand } from '../../src/trust/ledger-codec.ts';
import { INVITES_MAX, REVOKED_MAX } from '../../src/trust/limits.ts';
import type { MemberRole } from '../../src/trust/roles.ts';
import { applyTo, CLUSTER, NOW_MS, newIdentity } from './ends.ts';

let ledger: InviteLedger;
let issuer: Identity;
let roles: Record<string, MemberRole>;

beforeEach(async () => {
  ledger = new InviteLedger();
  issuer = await newIdentity();
  roles = { [issuer.id]: 'voter', learner: 'learner', reader: 'reader', voter: 'voter' };
});

const apply = (command: TrustCommand, by: string = issuer.id, timeMs = NOW_MS) => applyTo(ledger, command, by, roles, timeMs);

async function issue(role: MemberRole = 'voter', uses = 1, by: string = issuer.id) {
  const invite = await issueInvite(issuer, CLUSTER, { role, uses, expiresMs: NOW_MS + 60_000 }, NOW_MS);
  const command: TrustCommand = { kind: 'invite', ticket: invite.ticket, welcomeKey: invite.welcomeKey };
  return { ...invite, command, outcome: apply(command, by) };
}

describe('uses', () => {
  test('are counted by entries, one for each node, however often it is said', async () => {
    const { inviteId } = await issue('learner', 2);
    const use = (node: string) => apply({ kind: 'use', inviteId, node }).error?.code ?? 'done';
    expect([use('n1'), use('n1'), use('n1'), use('n2'), use('n2'), use('n3'), use('n1')]).toEqual([
      'done',
      'done',
      'done',
      'done',
      'done',
      'invite-used',
      'done',
    ]);
    expect(apply({ kind: 'use', inviteId, node: 'n1' }).role).toBe('learner');
  });

  test('are not a reader’s to say', async () => {
    const { inviteId } = await issue();
    for (const command of [
      { kind: 'use', inviteId, node: 'n1' },
      { kind: 'revoke-invite', inviteId },
      { kind: 'revoke-member', node: 'n1' },
    ] as const) {
      expect(apply(command, 'reader').error?.code).toBe('not-authorized');
    }
    expect(apply({ kind: 'use', inviteId, node: 'n1' }, 'learner').role).toBe('voter');
  });

  test('end with the entry’s time; a clock that was wrong once is forgotten', async () => {
    const { inviteId } = await issue();
    const use = { kind: 'use', inviteId, node: 'n1' } as const;
    expect(apply(use, issuer.id, NOW_MS + 60_000).error?.code).toBe('invite-expired');
    expect(apply(use, issuer.id, NOW_MS * 10).error?.code).toBe('invite-expired');
    expect(apply(use, issuer.id, NOW_MS + 59_999).role).toBe('voter');
    // Counted, gone, and come back after the end.
    expect(apply(use, issuer.id, NOW_MS + 60_000).error?.code).toBe('invite-expired');
  });

  test('end when it is taken back: by who made it, or a voter', async () => {
    const { inviteId } = await issue();
    expect(apply({ kind: 'revoke-invite', inviteId }, 'learner').error?.code).toBe('not-authorized');
    expect(apply({ kind: 'revoke-invite', inviteId }, 'voter').error).toBeUndefined();
    expect(apply({ kind: 'use', inviteId, node: 'n1' }).error?.code).toBe('invite-revoked');
    expect(apply({ kind: 'revoke-invite', inviteId: '0'.repeat(32) }).error?.code).toBe('invite-invalid');
  });

  test('give no other role to who is inside, whatever it comes with', async () => {
    const [asReader, asVoter] = [await issue('reader'), await issue('voter')];
    expect(apply({ kind: 'use', inviteId: asReader.inviteId, node: 'n1' }).role).toBe('reader');
    roles['n1'] = 'reader';
    expect(apply({ kind: 'use', inviteId: asVoter.inviteId, node: 'n1' }).error?.code).toBe('not-authorized');
    expect(apply({ kind: 'use', inviteId: asReader.inviteId, node: 'n1' }).role).toBe('reader');
    // It leaves and comes again with the invite it had: as what it was.
    delete roles['n1'];
    expect(apply({ kind: 'use', inviteId: asReader.inviteId, node: 'n1' }).role).toBe('reader');
  });
});

describe('who may invite', () => {
  test.each([
    ['voter', 'voter', undefined],
    ['learner', 'learner', undefined],
    ['learner', 'reader', undefined],
    ['learner', 'voter', 'not-authorized'],
    ['reader', 'reader', 'not-authorized'],
    ['stranger', 'reader', 'not-a-member'],
  ] as const)('a %s for a %s: %s', async (by, role, code) => {
    expect((await issue(role, 1, by)).outcome.error?.code).toBe(code);
  });

  test('nobody with a ticket of another cluster, a second time with the same number, of the future or the past', async () => {
    const { command, ticket } = await issue();
    if (command.kind !== 'invite') throw new Error('no invite');
    expect(apply(command).error).toBeUndefined(); // the same once more changes nothing
    const altered = ticket.with(ticket.length - 1, (ticket.at(-1) as number) ^ 1);
    expect(apply({ ...command, ticket: altered }).error?.code).toBe('invite-invalid');
    const foreign = await issueInvite(issuer, 'cluster-2', { role: 'voter', uses: 1, expiresMs: NOW_MS + 1 }, NOW_MS);
    expect(apply({ kind: 'invite', ...foreign }).error?.code).toBe('invite-invalid');
    const later = await issueInvite(
      issuer,
      CLUSTER,
      { role: 'voter', uses: 1, expiresMs: NOW_MS + 7_200_000 },
      NOW_MS + 3_600_000,
    );
    expect(apply({ kind: 'invite', ...later }).error?.code).toBe('clock-skew');
    expect(apply({ kind: 'invite', ...later }, issuer.id, NOW_MS + 7_200_000).error?.code).toBe('invite-expired');
    expect(apply({ ...command, ticket: new Uint8Array(3) }).error?.code).toBe('invite-invalid');
    expect(apply({ kind: 'invite', ticket: later.ticket, welcomeKey: new Uint8Array(3) }).error?.code).toBe('invite-invalid');
  });

  test('a bounded number: what is over makes room, what is not does not', async () => {
    const first = await issue();
    apply({ kind: 'revoke-invite', inviteId: first.inviteId });
    for (let i = 1; i < INVITES_MAX; i++) expect((await issue()).outcome.error).toBeUndefined();
    expect((await issue()).outcome.error).toBeUndefined();
    expect(ledger.invite(first.inviteId, NOW_MS)).toBeUndefined();
    expect((await issue()).outcome.error?.code).toBe('busy');
    expect(ledger.image().invites).toHaveLength(INVITES_MAX);
  });
});

describe('who is put out', () => {
  test('comes in no more, decides nothing, and its invites with it', async () => {
    const { inviteId } = await issue('voter', 5);
    expect(apply({ kind: 'revoke-member', node: issuer.id }, 'learner').error?.code).toBe('not-authorized');
    expect(apply({ kind: 'revoke-member', node: issuer.id }, 'voter').error).toBeUndefined();
    expect(ledger.isRevoked(issuer.id)).toBe(true);
    expect(ledger.invite(inviteId, NOW_MS)?.state).toBe('invite-revoked');
    expect(apply({ kind: 'revoke-member', node: 'voter' }).error?.code).toBe('member-revoked');
    expect(apply({ kind: 'use', inviteId, node: 'n1' }, 'voter').error?.code).toBe('invite-revoked');
    const other = await issue('voter', 5, 'voter');
    expect(apply({ kind: 'use', inviteId: other.inviteId, node: issuer.id }, 'voter').error?.code).toBe('member-revoked');
  });

  test('is remembered until the secret was changed and there is no more room', () => {
    const putOut = (node: string) => apply({ kind: 'revoke-member', node }).error?.code;
    for (let i = 0; i < REVOKED_MAX; i++) expect(putOut(`n${i}`)).toBeUndefined();
    expect(putOut('n0')).toBeUndefined(); // once more
    expect(putOut('more')).toBe('busy');
    expect(apply({ kind: 'secret', epoch: 1, commitment: new Uint8Array(32) }).error).toBeUndefined();
    expect(putOut('more')).toBeUndefined();
    expect([ledger.isRevoked('n0'), ledger.isRevoked('n1')]).toEqual([false, true]);
    expect(ledger.isRevoked('more')).toBe(true);
  });
});

test('the secret changes by one, said by a voter; the log holds a commitment, not the secret', () => {
  const secret = (epoch: number, by?: string) =>
    apply({ kind: 'secret', epoch, commitment: new Uint8Array(32).fill(epoch) }, by).error?.code;
  expect(secret(2)).toBe('membership-mismatch');
  expect(secret(1, 'learner')).toBe('not-authorized');
  expect(secret(1)).toBeUndefined();
  expect(secret(1)).toBe('membership-mismatch'); // two changed it at once: one of them looks again
  expect(ledger.secret).toEqual({ epoch: 1, commitment: new Uint8Array(32).fill(1) });
  expect(apply({ kind: 'secret', epoch: 2, commitment: new Uint8Array(3) }).error?.code).toBe('wrong-secret');
});

describe('as bytes', () => {
  test('commands and the ledger come back as they were', async () => {
    const a = await issue('reader', 3);
    const commands: TrustCommand[] = [
      a.command,
      { kind: 'use', inviteId: a.inviteId, node: 'n1' },
      { kind: 'revoke-invite', inviteId: a.inviteId },
      { kind: 'revoke-member', node: 'n2' },
      { kind: 'secret', epoch: 1, commitment: new Uint8Array(32).fill(7) },
    ];
    for (const command of commands) {
      expect(decodeTrustCommand(encodeTrustCommand(command))).toEqual(command);
      expect(apply(command).error).toBeUndefined();
    }
    const copy = decodeLedger(encodeLedger(ledger));
    expect(copy.image()).toEqual(ledger.image());
    expect(encodeLedger(copy)).toEqual(encodeLedger(ledger));
    expect(copy.invite(a.inviteId, NOW_MS)).toEqual(ledger.invite(a.inviteId, NOW_MS));
  });

  test('the same commands give the same ledger on every member, also across a snapshot', async () => {
    const invites = await Promise.all([issue('voter', 1), issue('learner', 2), issue('reader', 3)]);
    const node = fc.constantFrom('n1', 'n2', 'n3', 'voter', 'learner', 'reader');
    const inviteId = fc.constantFrom(...invites.map((invite) => invite.inviteId));
    const command: fc.Arbitrary<TrustCommand> = fc.oneof(
      fc.constantFrom(...invites.map((invite) => invite.command)),
      fc.record({ kind: fc.constant('use' as const), inviteId, node }),
      fc.record({ kind: fc.constant('revoke-invite' as const), inviteId }),
      fc.record({ kind: fc.constant('revoke-member' as const), node }),
      fc.record({ kind: fc.constant('secret' as const), epoch: fc.nat(3), commitment: fc.constant(new Uint8Array(32)) }),
    );
    const entry = fc.record({ command, by: node, timeMs: fc.integer({ min: NOW_MS - 1_000, max: NOW_MS + 70_000 }) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.nat(60), (entries, cut) => {
        const one = new InviteLedger();
        let two = new InviteLedger();
        for (const [i, { command: c, by, timeMs }] of entries.entries()) {
          if (i === cut) two = decodeLedger(encodeLedger(two));
          const [x, y] = [
            applyTo(one, c, by, roles, timeMs),
            applyTo(two, decodeTrustCommand(encodeTrustCommand(c)), by, roles, timeMs),
          ];
          expect([x.error?.code, x.error?.message, x.role]).toEqual([y.error?.code, y.error?.message, y.role]);
        }
        expect(encodeLedger(one)).toEqual(encodeLedger(two));
        for (const [id, record] of one.image().invites) {
          const uses = invites.find((invite) => invite.inviteId === id);
          expect(record.usedBy.length).toBeLessThanOrEqual(uses === invites[0] ? 1 : uses === invites[1] ? 2 : 3);
        }
      }),
      { numRuns: 300 },
    );
  });
});
