import { afterEach, describe, expect, test, vi } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { clockFault, Handshake } from '../../src/trust/handshake/handshake.ts';
import { prepareInvite } from '../../src/trust/invite.ts';
import { PROOF_TIMEOUT_MS, RESUME_TTL_MS, RESUMES_MAX } from '../../src/trust/limits.ts';
import { ResumeCache } from '../../src/trust/resume.ts';
import { createSecret, openRoom, prepareSecret } from '../../src/trust/secret.ts';
import {
  applyTo,
  bothFailed,
  CLUSTER,
  HONEST_BINDINGS,
  inviteBy,
  NOW_MS,
  newCluster,
  newNode,
  ROOM,
  until,
  wire,
} from './ends.ts';

const codes = ({ seen }: ReturnType<typeof wire>): readonly (string | undefined)[] => [
  seen.dialler.failure?.error.code,
  seen.answerer.failure?.error.code,
];

describe('who is let in', () => {
  test('two newcomers that know the secret', async () => {
    const secret = createSecret(ROOM);
    const [a, b] = await Promise.all([newNode({ secret }), newNode({ secret })]);
    const { dialler, answerer } = await wire(a, b).settled();
    expect(dialler.proven).toMatchObject({ id: b.id, admission: { by: 'secret', open: false }, cluster: 'none', resumed: false });
    expect(answerer.proven).toMatchObject({
      id: a.id,
      publicKey: a.identity.publicKey,
      admission: { by: 'secret', open: false },
    });
    expect(dialler.proven?.sealKeys).toBeUndefined();
    expect([a.clock.waiting, b.clock.waiting]).toEqual([0, 0]); // its time has stopped
  });

  test('a newcomer with the secret and a member', async () => {
    const secret = createSecret(ROOM);
    const [[member], newcomer] = await Promise.all([newCluster(1, secret), newNode({ secret })]);
    member?.members.set('somebody', new Uint8Array(0));
    if (member === undefined) throw new Error('no member');
    member.epoch = 3;
    const { dialler, answerer } = await wire(newcomer, member).settled();
    expect(dialler.proven).toMatchObject({ id: member.id, admission: { by: 'secret' }, cluster: 'some', epoch: 3 });
    expect(answerer.proven).toMatchObject({ id: newcomer.id, admission: { by: 'secret' }, cluster: 'none', epoch: 0 });
  });

  test('members, by their keys alone, whatever secrets they hold', async () => {
    const [a, b] = await newCluster(2, 'no secret');
    if (a === undefined || b === undefined) throw new Error('no members');
    const first = await wire(a, b).settled();
    expect(first.dialler.proven).toMatchObject({ id: b.id, admission: { by: 'member' }, cluster: 'same' });
    // One of them has heard of the new secret, the other has not.
    const renewed = await newCluster(2);
    const [c, d] = renewed;
    if (c === undefined || d === undefined) throw new Error('no members');
    c.secret = await prepareSecret(createSecret(ROOM));
    const second = await wire(c, d).settled();
    expect(second.dialler.proven?.admission).toEqual({ by: 'member' });
    expect(second.answerer.proven?.admission).toEqual({ by: 'member' });
  });

  test('an open room lets in who knows its name, and says that it is open', async () => {
    const [a, b] = await Promise.all([newNode({ secret: await openRoom(ROOM) }), newNode({ secret: await openRoom(ROOM) })]);
    const { dialler } = await wire(a, b).settled();
    expect(dialler.proven?.admission).toMatchObject({ by: 'secret', open: true });
    const c = await newNode({ secret: { ...createSecret(ROOM), bytes: (await openRoom(ROOM)).bytes } });
    const wired = wire(a, c); // the same bytes, but not as an open room's
    await bothFailed(wired);
    expect(codes(wired)).toContain('wrong-secret');
  });

  test('who comes with an invite, in the role of the ledger', async () => {
    const [member] = await newCluster(1);
    if (member === undefined) throw new Error('no member');
    const { token, inviteId } = await inviteBy(member, { role: 'reader' });
    const guest = await newNode();
    guest.invite = await prepareInvite(token, NOW_MS);
    const { dialler, answerer } = await wire(guest, member).settled();
    expect(answerer.proven).toMatchObject({ id: guest.id, admission: { by: 'invite', inviteId, role: 'reader' } });
    expect(dialler.proven).toMatchObject({ id: member.id, admission: { by: 'welcome' }, cluster: 'some' });
  });

  test('who came with an invite, once it is a member, without it', async () => {
    const [member] = await newCluster(1);
    if (member === undefined) throw new Error('no member');
    const { token, inviteId } = await inviteBy(member);
    const guest = await newNode();
    guest.invite = await prepareInvite(token, NOW_MS);
    applyTo(member.ledger, { kind: 'use', inviteId, node: guest.id }, member.id, { [member.id]: 'voter' });
    // Counted, but its join was lost: the same node may come again with it, nobody else.
    expect((await wire(guest, member).settled()).answerer.proven?.admission).toMatchObject({ by: 'invite' });
    member.members.set(guest.id, guest.identity.publicKey);
    expect((await wire(guest, member).settled()).answerer.proven?.admission).toEqual({ by: 'member' });
    guest.invite = undefined;
    guest.members = new Map(member.members);
    guest.clusterId = CLUSTER;
    expect((await wire(guest, member).settled()).answerer.proven?.admission).toEqual({ by: 'member' });
  });

  test('a member of another cluster is let in by the secret only, and it is told that it is another', async () => {
    const secret = createSecret(ROOM);
    const [[a], [b]] = await Promise.all([newCluster(1, secret), newCluster(1, secret)]);
    if (a === undefined || b === undefined) throw new Error('no members');
    b.clusterId = 'cluster-2';
    a.members.set(b.id, b.identity.publicKey);
    const { dialler, answerer } = await wire(a, b).settled();
    expect(dialler.proven).toMatchObject({ admission: { by: 'secret' }, cluster: 'other' });
    expect(answerer.proven).toMatchObject({ cluster: 'other' });
  });

  test('an answerer that does not know who dials learns it', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const { answerer } = await wire(a, b, { expected: { dialler: b.id, answerer: '' } }).settled();
    expect(answerer.proven?.id).toBe(a.id);
  });
});

describe('who is not', () => {
  test('with a wrong secret: told at once, on both sides, and nothing of the cluster is said', async () => {
    const [member] = await newCluster(1);
    const stranger = await newNode({ secret: createSecret(ROOM) });
    if (member === undefined) throw new Error('no member');
    const wired = wire(stranger, member);
    await bothFailed(wired);
    expect(codes(wired)).toEqual(['wrong-secret', 'wrong-secret']);
    expect(wired.seen.answerer.sent.length).toBeLessThanOrEqual(2); // its hello, and at most a refusal: no proof
    expect(wired.seen.dialler.proven ?? wired.seen.answerer.proven).toBeUndefined();
  });

  test('the secret of another room is another secret', async () => {
    const secret = createSecret(ROOM);
    const [a, b] = await Promise.all([newNode({ secret }), newNode({ secret: { ...secret, room: 'cellar' } })]);
    const wired = wire(a, b);
    await bothFailed(wired);
    expect(codes(wired)).toContain('wrong-secret');
  });

  test('with nothing', async () => {
    const [member] = await newCluster(1);
    const stranger = await newNode();
    if (member === undefined) throw new Error('no member');
    const wired = wire(stranger, member);
    await bothFailed(wired);
    expect(codes(wired)).toContain('not-admitted');
    expect(wired.seen.answerer.proven).toBeUndefined();
  });

  test('in an open room the word of who only knows its name is a stranger’s', async () => {
    const open = await openRoom(ROOM);
    const [[member], newcomer] = await Promise.all([newCluster(1, open), newNode({ secret: open })]);
    if (member === undefined) throw new Error('no member');
    applyTo(member.ledger, { kind: 'revoke-member', node: newcomer.id }, member.id, { [member.id]: 'voter' });
    const wired = wire(newcomer, member);
    await bothFailed(wired);
    expect(wired.seen.dialler.failure).toMatchObject({ origin: 'stranger', error: { code: 'member-revoked' } });
  });

  test('a member of another cluster without the secret, or one that was removed in between', async () => {
    for (const way of ['other cluster', 'removed'] as const) {
      const [a, b] = await newCluster(2, 'no secret');
      if (a === undefined || b === undefined) throw new Error('no members');
      if (way === 'other cluster') b.clusterId = 'cluster-2';
      const wired = wire(a, b, {
        tap: (from, message, count) => {
          if (way === 'removed' && from === 'dialler' && count === 1) b.members.delete(a.id);
          return [message];
        },
      });
      await bothFailed(wired);
      expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'not-admitted' } } });
    }
  });

  test('a member that was put out, although it knows the secret, and it hears so from a member', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const outcome = applyTo(a.ledger, { kind: 'revoke-member', node: b.id }, a.id, { [a.id]: 'voter' });
    expect(outcome.error).toBeUndefined();
    a.members.delete(b.id);
    b.ledger = (await newNode()).ledger; // it has not heard of it yet
    const wired = wire(b, a);
    await bothFailed(wired);
    expect(wired.seen.answerer).toMatchObject({
      proven: undefined,
      failure: { origin: 'self', error: { code: 'member-revoked' } },
    });
    expect(wired.seen.dialler.failure).toMatchObject({ origin: 'member', error: { code: 'member-revoked' } });
    // The same without a common secret.
    b.secret = undefined;
    const bare = wire(b, a);
    await bothFailed(bare);
    expect(bare.seen.answerer.proven).toBeUndefined();
    expect(bare.seen.dialler.failure).toMatchObject({ origin: 'member', error: { code: 'member-revoked' } });
  });

  test.each([
    ['expired', 'invite-expired'],
    ['used up', 'invite-used'],
    ['taken back', 'invite-revoked'],
    ['unknown', 'invite-invalid'],
  ] as const)('an invite that is %s', async (how, code) => {
    const [member, other] = await newCluster(2);
    const guest = await newNode();
    if (member === undefined || other === undefined) throw new Error('no members');
    const { token, inviteId } = await inviteBy(member);
    const roles = { [member.id]: 'voter' } as const;
    guest.invite = await prepareInvite(token, NOW_MS);
    if (how === 'expired') member.clock.wall += 60_000;
    if (how === 'used up') applyTo(member.ledger, { kind: 'use', inviteId, node: 'other' }, member.id, roles);
    if (how === 'taken back') applyTo(member.ledger, { kind: 'revoke-invite', inviteId }, member.id, roles);
    if (how === 'unknown') member.ledger = (await newNode()).ledger;
    const wired = wire(guest, member);
    await bothFailed(wired);
    expect(codes(wired)).toEqual([code, code]);
    expect(wired.seen.dialler.failure?.origin).toBe(how === 'unknown' ? 'stranger' : 'insider');
    expect(wired.seen.answerer.proven).toBeUndefined();
  });

  test('an invite that ends between the two messages', async () => {
    const [member] = await newCluster(1);
    const guest = await newNode();
    if (member === undefined) throw new Error('no member');
    const { token } = await inviteBy(member);
    guest.invite = await prepareInvite(token, NOW_MS);
    const wired = wire(guest, member, {
      tap: (from, message, count) => {
        if (from === 'dialler' && count === 1) member.clock.wall += 60_000;
        return [message];
      },
    });
    await bothFailed(wired);
    expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'invite-expired' } } });
    expect(wired.seen.dialler.failure).toMatchObject({ origin: 'insider', error: { code: 'invite-expired' } });
  });

  test('two guests have nothing to show each other', async () => {
    const [member] = await newCluster(1);
    if (member === undefined) throw new Error('no member');
    const { token } = await inviteBy(member, { uses: 2 });
    const [a, b] = await Promise.all([newNode(), newNode()]);
    for (const guest of [a, b]) guest.invite = await prepareInvite(token, NOW_MS);
    const wired = wire(a, b);
    await bothFailed(wired);
    expect(codes(wired)).toContain('not-admitted');
  });
});

describe('resuming', () => {
  test('a second link is proven by the first, saves the signatures, and can be resumed itself', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const first = wire(a, b);
    expect((await first.settled()).dialler.proven?.resumed).toBe(false);
    for (const [dialler, answerer] of [
      [b, a],
      [a, b],
    ] as const) {
      const again = wire(dialler, answerer);
      const ends = await again.settled();
      expect(ends.dialler.proven).toMatchObject({ id: answerer.id, resumed: true, admission: { by: 'member' } });
      expect(ends.answerer.proven).toMatchObject({ id: dialler.id, resumed: true, publicKey: dialler.identity.publicKey });
      const length = (sent: readonly Uint8Array[]) => sent.at(-1)?.length ?? 0;
      expect(length(again.seen.dialler.sent)).toBe(length(first.seen.dialler.sent) - 64);
    }
  });

  test('one side that has forgotten makes it a full proof', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    await wire(a, b).settled();
    a.resume.forget(b.id);
    expect((await wire(a, b).settled()).answerer.proven?.resumed).toBe(false);
    a.clock.nowMs += RESUME_TTL_MS;
    expect((await wire(a, b).settled()).answerer.proven?.resumed).toBe(false);
    expect((await wire(a, b).settled()).answerer.proven?.resumed).toBe(true);
  });

  test('what was decided since counts: put out, or a changed secret', async () => {
    const secret = createSecret(ROOM);
    const [[a], b] = await Promise.all([newCluster(1, secret), newNode({ secret })]);
    if (a === undefined) throw new Error('no member');
    expect((await wire(b, a).settled()).answerer.proven?.admission.by).toBe('secret');
    a.secret = await prepareSecret(createSecret(ROOM));
    const stale = wire(b, a);
    await bothFailed(stale);
    expect(codes(stale)).toContain('wrong-secret');
    a.members.set(b.id, b.identity.publicKey);
    b.members.set(a.id, a.identity.publicKey);
    expect((await wire(b, a).settled()).answerer.proven).toMatchObject({ admission: { by: 'member' }, resumed: true });
    applyTo(a.ledger, { kind: 'revoke-member', node: b.id }, a.id, { [a.id]: 'voter' });
    const revoked = wire(b, a);
    await bothFailed(revoked);
    expect(revoked.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'member-revoked' } } });
  });

  test('the cache is bounded', () => {
    const cache = new ResumeCache();
    const session = { psk: new Uint8Array(32), tagKey: {} as CryptoKey };
    for (let i = 0; i < RESUMES_MAX + 10; i++) cache.put(`node-${i}`, session, 0);
    expect(cache.size).toBe(RESUMES_MAX);
    expect(cache.get('node-0', 0)).toBeUndefined();
    expect(cache.get('node-10', 0)).toBe(session);
    expect(cache.get('node-10', RESUME_TTL_MS)).toBeUndefined();
  });
});

describe('the channel', () => {
  test('what a peer sends behind its proof is kept for the link, in order; afterwards bytes are the link’s', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const frames = [Uint8Array.of(0, 1), Uint8Array.of(2, 3)];
    const wired = wire(a, b, {
      tap: (from, message, count) => (from === 'dialler' && count === 1 ? [message, ...frames] : [message]),
    });
    const { answerer } = await wired.settled();
    expect(answerer.proven?.early).toEqual(frames);
    expect(wired.answerer.onBytes(Uint8Array.of(4))).toBe(false);
    expect(wired.answerer.onBytes(new Uint8Array(0))).toBe(false);
  });

  test('empty frames say nothing', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const { answerer } = await wire(a, b, { tap: (_from, message) => [new Uint8Array(0), message] }).settled();
    expect(answerer.proven?.early).toEqual([]);
  });

  test('each end has said all that it says after one message of the other: one round trip', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const wired = wire(a, b);
    await wired.settled();
    expect(wired.seen.dialler.sent).toHaveLength(2);
    expect(wired.seen.answerer.sent).toHaveLength(2);
    for (const message of [...wired.seen.dialler.sent, ...wired.seen.answerer.sent]) expect(message.length).toBeLessThan(400);
  });

  test('a link without encryption of its own gets keys, alike on both sides; one with it gets none', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const { dialler, answerer } = await wire(a, b, { bindings: { dialler: undefined, answerer: undefined } }).settled();
    expect(dialler.proven?.sealKeys).toBeDefined();
    expect(answerer.proven?.sealKeys).toBeDefined();
  });

  test('nobody answers: over after its time, once, and no timer is left', async () => {
    const [a] = await newCluster(1);
    const b = await newNode();
    if (a === undefined) throw new Error('no member');
    const wired = wire(a, b, { tap: () => [] });
    await until(() => wired.seen.dialler.sent.length > 0);
    a.clock.advance(PROOF_TIMEOUT_MS - 1);
    expect(wired.seen.dialler.failure).toBeUndefined();
    a.clock.advance(1);
    expect(wired.seen.dialler.failure).toMatchObject({ origin: 'self', error: { code: 'proof-timeout' } });
    expect(a.clock.waiting).toBe(0);
    await bothFailed(wired);
    expect(b.clock.waiting).toBe(0);
  });

  test('a page that was frozen does not take what comes too late', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const wired = wire(a, b, {
      tap: (from, message, count) => {
        if (from === 'answerer' && count === 1) a.clock.nowMs += PROOF_TIMEOUT_MS + 1; // its timer has not run
        return [message];
      },
    });
    await bothFailed(wired);
    expect(wired.seen.dialler).toMatchObject({ proven: undefined, failure: { error: { code: 'proof-timeout' } } });
  });

  test('a channel that closes in the middle, or takes no messages, ends it', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const wired = wire(a, b, { tap: () => [] });
    wired.dialler.close();
    expect((await wired.dialler.result).failure?.error.code).toBe('link-failed');
    const events = { onProven: vi.fn(), onFailed: vi.fn() };
    const send = (): never => {
      throw new Error('the channel is closed');
    };
    const handshake = Handshake.start(a.options('dialler', b.id, HONEST_BINDINGS.dialler), { ...events, send });
    expect((await handshake.result).failure?.error.code).toBe('link-failed');
    expect(events.onFailed).toHaveBeenCalledTimes(1);
    expect(events.onProven).not.toHaveBeenCalled();
  });

  test('a link that cannot take over a proven channel is closed', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    const onFailed = vi.fn();
    const onProven = (): never => {
      throw new Error('no room');
    };
    const ends: Handshake[] = [];
    const send = (to: number) => (message: Uint8Array) => queueMicrotask(() => ends[to]?.onBytes(message));
    ends.push(
      Handshake.start(a.options('dialler', b.id, undefined), { send: send(1), onProven, onFailed }),
      Handshake.start(b.options('answerer', a.id, undefined), {
        send: send(0),
        onProven: () => undefined,
        onFailed: () => undefined,
      }),
    );
    expect((await ends[0]?.result)?.proven).toBeDefined();
    expect(onFailed).toHaveBeenCalledTimes(1);
  });

  test('clocks that are far apart are told, and nothing else', async () => {
    const [a, b] = await newCluster(2);
    if (a === undefined || b === undefined) throw new Error('no members');
    b.clock.wall -= 3_600_000;
    const { dialler, answerer } = await wire(a, b).settled();
    expect(dialler.proven?.skewMs).toBe(3_600_000);
    expect(answerer.proven && clockFault(answerer.proven)?.code).toBe('clock-skew');
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 60]) {
      b.clock.wall = wrong;
      const ends = await wire(a, b).settled();
      expect(ends.dialler.proven?.skewMs).toBe(0);
      expect(ends.dialler.proven && clockFault(ends.dialler.proven)).toBeUndefined();
    }
  });
});

describe('without WebCrypto', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('it fails with a sentence, and does not hang', async () => {
    const node = await newNode();
    vi.stubGlobal('crypto', { getRandomValues: () => undefined });
    const handshake = Handshake.start(node.options('dialler', '', undefined), {
      send: () => undefined,
      onProven: () => undefined,
      onFailed: () => undefined,
    });
    const { failure } = await handshake.result;
    expect(RaftError.is(failure?.error, 'insecure-context')).toBe(true);
    expect(failure?.error.message).toContain('https');
    expect(() => createSecret(ROOM)).toThrow(expect.objectContaining({ code: 'insecure-context' }));
  });
});
