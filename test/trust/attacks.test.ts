/** What an attacker on the wire can do to the handshake: everything it can do to bytes. None of it may make either end take somebody for proven who is not. */
import { describe, expect, test } from 'vitest';
import { Handshake } from '../../src/trust/handshake/handshake.ts';
import type { ChannelBinding } from '../../src/trust/handshake/keys.ts';
import { decodeHello, type End, encodeHello, messageOf, openMessage } from '../../src/trust/handshake/messages.ts';
import { makeOffer } from '../../src/trust/handshake/offer.ts';
import { prepareInvite } from '../../src/trust/invite.ts';
import { HANDSHAKE_MESSAGE_BYTES_MAX, PROOF_BYTES_MAX, PROOF_MESSAGES_MAX, PROOF_TIMEOUT_MS } from '../../src/trust/limits.ts';
import { createSecret, openRoom } from '../../src/trust/secret.ts';
import {
  bothFailed,
  bothOver,
  HONEST_BINDINGS,
  inviteBy,
  NOW_MS,
  TestNode as Node,
  newCluster,
  newIdentity,
  newNode,
  ROOM,
  type TestNode,
  until,
  type Wired,
  wire,
} from './ends.ts';

const ENDS: readonly End[] = ['dialler', 'answerer'];
const other = (end: End): End => (end === 'dialler' ? 'answerer' : 'dialler');

async function twoMembers(): Promise<readonly [TestNode, TestNode]> {
  const [a, b] = await newCluster(2);
  if (a === undefined || b === undefined) throw new Error('no members');
  return [a, b];
}

/** The messages of an honest handshake. */
async function record(a: TestNode, b: TestNode): Promise<Readonly<Record<End, readonly Uint8Array[]>>> {
  const wired = wire(a, b);
  await wired.settled();
  return { dialler: wired.seen.dialler.sent, answerer: wired.seen.answerer.sent };
}

function noneProven({ seen }: Wired, ends: readonly End[] = ENDS): void {
  for (const end of ends) expect(seen[end].proven).toBeUndefined();
}

describe('bytes on the wire', () => {
  const situations = {
    members: twoMembers,
    'newcomers with the secret': async () => {
      const secret = createSecret(ROOM);
      return [await newNode({ secret }), await newNode({ secret })] as const;
    },
    'a guest and a member': async () => {
      const [member] = await newCluster(1);
      const guest = await newNode();
      if (member === undefined) throw new Error('no member');
      guest.invite = await prepareInvite((await inviteBy(member)).token, NOW_MS);
      return [guest, member] as const;
    },
    'members that resume': async () => {
      const [a, b] = await twoMembers();
      await wire(a, b).settled();
      return [a, b] as const;
    },
  };

  test.each(Object.entries(situations))('every byte of every message, altered: %s', async (_name, make) => {
    const [a, b] = await make();
    const resuming = a.resume.get(b.id, 0) !== undefined;
    const sessions = [a.resume.get(b.id, 0), b.resume.get(a.id, 0)] as const;
    const restore = (): void => {
      for (const [node, peer, session] of [
        [a, b, sessions[0]],
        [b, a, sessions[1]],
      ] as const) {
        if (session === undefined) node.resume.forget(peer.id);
        else node.resume.put(peer.id, session, 0);
      }
    };
    const honest = await record(a, b);
    let flips = 0;
    for (const end of ENDS) {
      for (const [position, message] of honest[end].entries()) {
        for (let at = 0; at < message.length; at++) {
          restore();
          const wired = wire(a, b, {
            tap: (from, bytes, count) => {
              if (from !== end || count !== position || at >= bytes.length) return [bytes];
              flips++;
              const altered = bytes.slice();
              altered[at] = (altered[at] as number) ^ (1 << (at % 8));
              return [altered];
            },
          });
          await bothOver(wired);
          expect(wired.seen[other(end)].proven, `byte ${at} of message ${position} of the ${end}`).toBeUndefined();
          // Who altered a hello has altered it for both.
          if (position === 0) noneProven(wired);
        }
      }
    }
    expect(flips).toBeGreaterThan(resuming ? 600 : 700);
  });

  test('cut at every length, and with something behind', async () => {
    const [a, b] = await twoMembers();
    const honest = await record(a, b);
    for (const end of ENDS) {
      for (const [position, message] of honest[end].entries()) {
        const changed = [...message.keys()].slice(1).map((length) => message.slice(0, length));
        changed.push(Uint8Array.of(...message, 0), Uint8Array.of(...message, ...message));
        for (const bytes of changed) {
          for (const node of [a, b]) for (const peer of [a, b]) node.resume.forget(peer.id);
          const length = bytes.length;
          const wired = wire(a, b, {
            tap: (from, own, count) => {
              if (from !== end || count !== position) return [own];
              const longer = new Uint8Array(length);
              longer.set(own.subarray(0, length));
              return [longer];
            },
          });
          await bothOver(wired);
          expect(wired.seen[other(end)].proven, `${length} bytes of message ${position}`).toBeUndefined();
        }
      }
    }
  });

  test('too much before the proof: bytes, or crumbs', async () => {
    const [a, b] = await twoMembers();
    const floods = [
      [new Uint8Array(PROOF_BYTES_MAX + 1)],
      Array.from({ length: 5 }, () => new Uint8Array(PROOF_BYTES_MAX / 4)),
      Array.from({ length: PROOF_MESSAGES_MAX + 1 }, () => new Uint8Array(0)),
      Array.from({ length: PROOF_MESSAGES_MAX + 1 }, () => Uint8Array.of(1)),
    ];
    for (const flood of floods) {
      const wired = wire(a, b, { tap: (from) => (from === 'dialler' ? flood : []) });
      await bothFailed(wired);
      expect(wired.seen.answerer.failure?.error.code).toBe('message-invalid');
      noneProven(wired);
    }
  });

  test('too much behind a proof that is still being checked', async () => {
    const [a, b] = await twoMembers();
    const frames = Array.from({ length: 5 }, () => new Uint8Array(PROOF_BYTES_MAX / 4));
    const wired = wire(a, b, { tap: (from, m, count) => (from === 'dialler' && count === 1 ? [m, ...frames] : [m]) });
    await bothOver(wired);
    expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'message-invalid' } } });
  });

  test('a message longer than any of the handshake', async () => {
    const [message = new Uint8Array(0)] = (await record(...(await twoMembers()))).dialler;
    const longer = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => message[at] ?? 0);
    expect(openMessage(longer(HANDSHAKE_MESSAGE_BYTES_MAX)).kind).toBe('hello');
    expect(() => openMessage(longer(HANDSHAKE_MESSAGE_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: 'message-invalid' }),
    );
  });

  test('each message left out, repeated, or in the other order', async () => {
    const [a, b] = await twoMembers();
    for (const end of ENDS) {
      for (const position of [0, 1]) {
        const repeated = wire(a, b, { tap: (from, m, count) => (from === end && count === position ? [m, m] : [m]) });
        // The second copy of a proof is behind it: it turns up after the peer is proven, and ends the link.
        await bothOver(repeated);
        const lost = wire(a, b, { tap: (from, m, count) => (from === end && count === position ? [] : [m]) });
        await until(() => lost.seen[other(end)].sent.length > 0);
        for (const node of [a, b]) node.clock.advance(PROOF_TIMEOUT_MS);
        await bothOver(lost);
        expect(lost.seen[other(end)].failure?.error.code).toMatch(/proof-timeout|link-failed/);
        expect(lost.seen[other(end)].proven).toBeUndefined();
      }
      const held: Uint8Array[] = [];
      const turned = wire(a, b, {
        tap: (from, m, count) => {
          if (from !== end) return [m];
          if (count === 0) held.push(m);
          return count === 0 ? [] : [m, ...held];
        },
      });
      // The peer never sees a hello, so never says its proof: time ends it.
      await until(() => turned.seen[end].sent.length > 0 && turned.seen[other(end)].sent.length > 0);
      for (const node of [a, b]) node.clock.advance(PROOF_TIMEOUT_MS);
      await bothOver(turned);
      noneProven(turned, [other(end)]);
    }
  });
});

describe('other people’s words', () => {
  test('a recorded handshake, replayed to either end', async () => {
    const [a, b] = await twoMembers();
    const honest = await record(a, b);
    for (const end of ENDS) {
      const wired = wire(a, b, { tap: (from, m, count) => [from === end ? (honest[end][count] ?? m) : m] });
      await bothOver(wired);
      noneProven(wired);
    }
    // Also when the attacker speaks alone.
    const proven: unknown[] = [];
    const alone = Handshake.start(b.options('answerer', a.id, HONEST_BINDINGS.answerer), {
      send: () => undefined,
      onProven: (peer) => proven.push(peer),
      onFailed: () => undefined,
    });
    for (const message of honest.dialler) alone.onBytes(message);
    expect((await alone.result).failure?.error.code).toBe('proof-failed');
    expect(proven).toEqual([]);
  });

  test('its own words, reflected, also with the ends exchanged', async () => {
    const [a] = await twoMembers();
    for (const exchange of [false, true]) {
      const handshake = Handshake.start(a.options('dialler', '', HONEST_BINDINGS.dialler), {
        send: (message) => {
          const { kind, body } = openMessage(message);
          const reflected = exchange && kind === 'hello' ? encodeHello({ ...decodeHello(body), end: 'answerer' }) : message;
          queueMicrotask(() => handshake.onBytes(reflected));
        },
        onProven: () => undefined,
        onFailed: () => undefined,
      });
      const { failure } = await handshake.result;
      expect(failure?.error.code).toBe(exchange ? 'proof-failed' : 'message-invalid');
    }
  });

  test('two ends that both dialled', async () => {
    const [a, b] = await twoMembers();
    const ends: Handshake[] = [];
    const start = (node: TestNode, peer: TestNode, to: number): Handshake =>
      Handshake.start(node.options('dialler', peer.id, HONEST_BINDINGS.dialler), {
        send: (message) => queueMicrotask(() => ends[to]?.onBytes(message)),
        onProven: () => undefined,
        onFailed: () => undefined,
      });
    ends.push(start(a, b, 1), start(b, a, 0));
    for (const end of ends) expect((await end.result).failure?.error.code).toBe('message-invalid');
  });

  test('two handshakes of the same two nodes whose messages cross', async () => {
    const [a, b] = await twoMembers();
    for (const crossed of [0, 1]) {
      for (const end of ENDS) {
        const kept: Uint8Array[] = [];
        const first = wire(a, b, {
          tap: (from, m, count) => {
            if (from === end && count === crossed) kept.push(m);
            return from === end && count === crossed ? [] : [m];
          },
        });
        await until(() => kept.length === 1);
        const second = wire(a, b, { tap: (from, m, count) => (from === end && count === crossed ? kept : [m]) });
        await bothOver(second);
        expect(second.seen[other(end)].proven).toBeUndefined();
        for (const node of [a, b]) node.clock.advance(PROOF_TIMEOUT_MS);
        await bothOver(first);
        expect(first.seen[other(end)].proven).toBeUndefined();
      }
    }
    // Undisturbed they do not disturb each other.
    const parallel = await Promise.all([wire(a, b).settled(), wire(b, a).settled()]);
    for (const { dialler, answerer } of parallel) expect([dialler.proven, answerer.proven]).not.toContain(undefined);
  });

  test('a version made up, or a range narrowed, on the way', async () => {
    const [a, b] = await twoMembers();
    for (const [versionMin, versionMax, code] of [
      [2, 9, 'protocol-mismatch'],
      [0, 0, 'protocol-mismatch'],
      [1, 9, 'proof-failed'],
      [0, 1, 'proof-failed'],
      [9, 1, 'protocol-mismatch'],
    ] as const) {
      const wired = wire(a, b, {
        tap: (from, m, count) =>
          from === 'dialler' && count === 0
            ? [encodeHello({ ...decodeHello(openMessage(m).body), versionMin, versionMax })]
            : [m],
      });
      await bothOver(wired);
      noneProven(wired);
      expect(wired.seen.answerer.failure?.error.code).toBe(code);
    }
  });

  test('tags and invites taken out, so that the ends fall back on less', async () => {
    const nothing = new Uint8Array(0);
    const [a, b] = await twoMembers();
    await wire(a, b).settled();
    for (const strip of [{ secretTag: nothing }, { resumeTag: nothing }, { secretTag: nothing, resumeTag: nothing }]) {
      const wired = wire(a, b, {
        tap: (_from, m, count) => [count === 0 ? encodeHello({ ...decodeHello(openMessage(m).body), ...strip }) : m],
      });
      await bothOver(wired);
      noneProven(wired);
    }
  });

  test('an unproven refusal is a stranger’s word, whatever it says', async () => {
    const [a, b] = await twoMembers();
    for (let code = 0; code < 10; code++) {
      const wired = wire(a, b, { tap: (from, m) => (from === 'answerer' ? [messageOf('refusal', Uint8Array.of(code))] : [m]) });
      await bothOver(wired);
      expect(wired.seen.dialler.failure?.origin).toBe('stranger');
    }
    const unknown = wire(a, b, { tap: (from, m) => (from === 'answerer' ? [messageOf('refusal', Uint8Array.of(200))] : [m]) });
    await bothOver(unknown);
    expect(unknown.seen.dialler.failure).toMatchObject({ origin: 'self', error: { code: 'message-invalid' } });
    // Also in the place of the proof, when there are keys already.
    const late = wire(a, b, {
      tap: (from, m, count) => (from === 'answerer' && count === 1 ? [messageOf('refusal', Uint8Array.of(9))] : [m]),
    });
    await bothOver(late);
    expect(late.seen.dialler.failure).toMatchObject({ origin: 'stranger', error: { code: 'member-revoked' } });
    // And once the peer is proven, what it did not seal is not its word: the link is broken, nobody was put out.
    const proven = wire(a, b);
    await proven.settled();
    proven.dialler.onBytes(messageOf('refusal', Uint8Array.of(9)));
    await until(() => proven.seen.dialler.failure !== undefined);
    expect(proven.seen.dialler.failure?.origin).not.toBe('member');
  });
});

describe('somebody else', () => {
  test('who says that it is another node', async () => {
    const [a, b] = await twoMembers();
    const thief = await newNode({ cluster: 'cluster-1' });
    thief.secret = a.secret;
    thief.members = new Map(a.members);
    // It knows the secret and the member's id and public key; the private key it does not have.
    const faces = [
      new Node({ ...thief.identity, id: a.id }),
      new Node({ ...thief.identity, id: a.id, publicKey: a.identity.publicKey }),
    ];
    for (const face of faces) {
      Object.assign(face, { secret: a.secret, members: new Map(a.members), clusterId: 'cluster-1' });
      const wired = wire(face, b);
      await bothOver(wired);
      expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'proof-failed' } } });
    }
  });

  test('itself: the same identity, alive twice', async () => {
    const [a] = await twoMembers();
    const copy = new Node(a.identity);
    Object.assign(copy, { secret: a.secret, members: a.members, clusterId: a.clusterId });
    const wired = wire(a, copy);
    await bothFailed(wired);
    noneProven(wired);
    expect(wired.seen.dialler.failure?.error).toMatchObject({
      code: 'proof-failed',
      message: expect.stringContaining('this node'),
    });
  });

  test('who takes the id of a newcomer, where no configuration knows anybody', async () => {
    const secret = createSecret(ROOM);
    const [a, b, thief] = await Promise.all([newNode({ secret }), newNode({ secret }), newNode({ secret })]);
    for (const publicKey of [thief.identity.publicKey, a.identity.publicKey]) {
      const face = new Node({ ...thief.identity, id: a.id, publicKey });
      face.secret = a.secret;
      const wired = wire(face, b);
      await bothOver(wired);
      expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'proof-failed' } } });
    }
  });

  test('who is another than the one that was dialled, or that dialled another', async () => {
    const [a, b, c] = await newCluster(3);
    if (a === undefined || b === undefined || c === undefined) throw new Error('no members');
    const wrongPeer = wire(a, c, { expected: { dialler: b.id, answerer: a.id } });
    await bothFailed(wrongPeer);
    noneProven(wrongPeer);
    // Each finds it by itself: either of them may be the attacker.
    for (const end of ENDS) {
      expect(wrongPeer.seen[end].failure).toMatchObject({ origin: 'self', error: { code: 'proof-failed' } });
    }
  });

  test('a member whose configuration says another key for an id', async () => {
    const [a, b] = await twoMembers();
    b.members.set(a.id, (await newIdentity()).publicKey);
    const wired = wire(a, b);
    await bothOver(wired);
    expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'proof-failed' } } });
  });

  test('who knows an invite’s number and its welcome key, as every reader does, but not its private key', async () => {
    const [member] = await newCluster(1);
    if (member === undefined) throw new Error('no member');
    const { token, welcomeKey, inviteId } = await inviteBy(member, { uses: 5 });
    const honest = await prepareInvite(token, NOW_MS);
    const thief = await newNode();
    const inviteKey = thief.identity.privateKey;
    thief.invite = { ...honest, inviteKey, welcomeKey, inviteId, role: 'voter' };
    const wired = wire(thief, member);
    await bothFailed(wired);
    expect(wired.seen.answerer).toMatchObject({ proven: undefined, failure: { error: { code: 'invite-invalid' } } });
    // Nor does who knows the number alone get as far as the member's name.
    thief.invite = { ...honest, inviteKey, welcomeKey: new Uint8Array(32) };
    const blind = wire(thief, member);
    await bothFailed(blind);
    noneProven(blind);
    expect(blind.seen.answerer.failure?.error.code).toBe('proof-failed');
  });

  test('an invite whose role was raised in its link', async () => {
    const [member] = await newCluster(1);
    if (member === undefined) throw new Error('no member');
    const { token } = await inviteBy(member, { role: 'reader' });
    const guest = await newNode();
    guest.invite = { ...(await prepareInvite(token, NOW_MS)), role: 'voter' };
    const { answerer } = await wire(guest, member).settled();
    expect(answerer.proven?.admission).toMatchObject({ by: 'invite', role: 'reader' });
  });
});

describe('in the middle', () => {
  /** The signaling server announces certificates of its own to both and relays every byte between its two channels. */
  const own = { dialler: new Uint8Array(32).fill(1), answerer: new Uint8Array(32).fill(2) };
  const between = (seed: number): Readonly<Record<End, ChannelBinding>> => ({
    dialler: { own: own.dialler, peer: new Uint8Array(32).fill(3 + (seed % 100)) },
    answerer: { own: own.answerer, peer: new Uint8Array(32).fill(4 + (seed % 100)) },
  });

  test('who ends the encryption on both sides is found out, 1,000 of 1,000 times, on both sides', async () => {
    const [a, b] = await twoMembers();
    const open = await openRoom(ROOM);
    const public_ = await Promise.all([newNode({ secret: open }), newNode({ secret: open })]);
    let detected = 0;
    for (let i = 0; i < 1_000; i++) {
      const [dialler, answerer] = i % 4 === 0 ? public_ : [a, b];
      const wired = wire(dialler, answerer, { bindings: between(i) });
      await bothFailed(wired);
      if (wired.seen.dialler.proven === undefined && wired.seen.answerer.proven === undefined) detected++;
    }
    expect(detected).toBe(1_000);
  });

  test('on one side only, with the certificates exchanged, or by pretending that there is none', async () => {
    const [a, b] = await twoMembers();
    const { dialler, answerer } = HONEST_BINDINGS;
    const swapped = { own: dialler.peer, peer: dialler.own };
    for (const bindings of [
      { dialler: between(0).dialler, answerer },
      { dialler: swapped, answerer },
      { dialler: undefined, answerer },
      { dialler, answerer: undefined },
      { dialler: { own: new Uint8Array(0), peer: new Uint8Array(0) }, answerer: undefined },
      {
        dialler: { own: new Uint8Array(64), peer: new Uint8Array(0) },
        answerer: { own: new Uint8Array(0), peer: new Uint8Array(63) },
      },
    ]) {
      const wired = wire(a, b, { bindings });
      await bothFailed(wired);
      noneProven(wired);
    }
  });

  test('it resumes no session either', async () => {
    const [a, b] = await twoMembers();
    await wire(a, b).settled();
    const wired = wire(a, b, { bindings: between(0) });
    await bothFailed(wired);
    noneProven(wired);
    // Nor has it spoilt the session for the honest.
    expect((await wire(a, b).settled()).dialler.proven?.resumed).toBe(true);
  });

  test('who knows the name of an open room is somebody, but never somebody else', async () => {
    const open = await openRoom(ROOM);
    const [a, b, middle] = await Promise.all([newNode({ secret: open }), newNode({ secret: open }), newNode({ secret: open })]);
    // It shakes hands with each of them under its own name: they wanted to reach each other.
    const withA = wire(a, middle, { expected: { dialler: b.id, answerer: '' } });
    const withB = wire(middle, b, { expected: { dialler: b.id, answerer: a.id } });
    await Promise.all([bothOver(withA), bothOver(withB)]);
    noneProven(withA, ['dialler']);
    noneProven(withB, ['answerer']);
  });

  test('a key of its own in the hellos', async () => {
    const secret = createSecret(ROOM);
    const [a, b] = await Promise.all([newNode({ secret }), newNode({ secret })]);
    const { hello } = await makeOffer((await newNode()).options('dialler', '', undefined));
    const weak = [hello.ephemeral, new Uint8Array(65), Uint8Array.of(4, ...new Uint8Array(64).fill(255))];
    for (const ephemeral of weak) {
      const wired = wire(a, b, {
        tap: (_from, m, count) => [count === 0 ? encodeHello({ ...decodeHello(openMessage(m).body), ephemeral }) : m],
      });
      await bothFailed(wired);
      noneProven(wired);
    }
  });
});
