/** The proof under the links of every transport: to its owner a link is open when the peer is proven. */
import { describe, expect, it, test } from 'vitest';
import type { NodeId } from '../../src/core/types.ts';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { broadcastTransport } from '../../src/transport/broadcast.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { multiTransport } from '../../src/transport/multi/transport.ts';
import type { LinkSecurity, LinkState, Transport } from '../../src/transport/transport.ts';
import { accessBy } from '../../src/trust/access.ts';
import { HANDSHAKE_MARK, SEALED_MARK } from '../../src/trust/handshake/messages.ts';
import { PROOF_BYTES_MAX } from '../../src/trust/limits.ts';
import type { GateView } from '../../src/trust/links/gate.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { BrowserLocks } from '../transport/locks.ts';
import { newIdentity, until } from './ends.ts';
import { type Gated, gateOf, Identities, KNOWS_NOBODY, secretAccess, withSecurity } from './gates.ts';

const access = await secretAccess();
const PRINTS = new TextEncoder().encode('sha-256 AA|sha-256 BB');

describe.each([
  ['links that stay on the device', (inner: Transport) => inner],
  ['links that others carry', (inner: Transport) => withSecurity(inner, () => ({ protection: 'none' }))],
  ['links with certificates', (inner: Transport) => withSecurity(inner, () => ({ protection: 'dtls', binding: PRINTS }))],
])('the transport suite with the proof under %s', (_name, over) => {
  const hub = new MemoryHub();
  const identities = new Identities();
  const create = (id: NodeId): Transport => gateOf(identities.get(id), access).gate.wrap(over(hub.transport()));
  for (const { name, run } of transportSuite({ create, newId: () => identities.newId() })) test(name, run);
});

describe('the transport suite with the proof under two kinds of links as one', () => {
  const hub = new MemoryHub();
  const identities = new Identities();
  const create = (id: NodeId): Transport => {
    const transports = [
      broadcastTransport({ room: 'proven-suite', locks: null }),
      withSecurity(hub.transport(), () => ({ protection: 'none' })),
    ];
    return gateOf(identities.get(id), access).gate.wrap(multiTransport({ transports }));
  };
  for (const { name, run } of transportSuite({ create, newId: () => identities.newId() })) {
    // Two kinds of links count apart, and the better one may take over in between.
    if (name !== 'counts bytes sent and received') test(name, run);
  }
});

interface Node extends Gated {
  readonly id: NodeId;
  readonly transport: Transport;
  readonly heard: { readonly from: NodeId; readonly bytes: Uint8Array }[];
  readonly links: string[];
  see(peers: readonly NodeId[]): void;
}

type Over = (inner: Transport) => Transport;

async function node(hub: MemoryHub, gated: Gated, over: Over = (inner) => inner): Promise<Node> {
  const { id } = gated.gate.identity;
  const transport = gated.gate.wrap(over(hub.transport()));
  return start(id, gated, transport);
}

async function start(id: NodeId, gated: Gated, transport: Transport): Promise<Node> {
  const heard: { readonly from: NodeId; readonly bytes: Uint8Array }[] = [];
  const links: string[] = [];
  let see: (peers: readonly NodeId[]) => void = () => undefined;
  await transport.start(
    id,
    {
      onMessage: (from, bytes) => void heard.push({ from, bytes: bytes.slice() }),
      onLink: (peer: NodeId, state: LinkState) => void links.push(`${peer} ${state}`),
      onFault: () => undefined,
    },
    {
      listen: ({ onPeers }) => {
        see = onPeers;
      },
      signal: () => false,
    },
  );
  return { ...gated, id, transport, heard, links, see: (peers) => see(peers) };
}

async function pair(hub: MemoryHub, over?: Over): Promise<[Node, Node]> {
  const made = await Promise.all([newIdentity(), newIdentity()]);
  const a = await node(hub, gateOf(made[0], access), over);
  const b = await node(hub, gateOf(made[1], access), over);
  a.see([b.id]);
  b.see([a.id]);
  await until(() => a.links.includes(`${b.id} open`) && b.links.includes(`${a.id} open`));
  return [a, b];
}

/** One who is no library: bytes of its own, and all that it is told. */
async function outsider(hub: MemoryHub, id: NodeId, over: Over = (inner) => inner): Promise<Node> {
  return start(id, gateOf(await newIdentity(), access), over(hub.transport()));
}

describe('a proven link', () => {
  it('tells who is at the other end, and forgets it with the link', async () => {
    const [a, b] = await pair(new MemoryHub());
    expect(a.gate.proofOf(b.id)?.publicKey).toEqual(b.gate.identity.publicKey);
    expect(a.found.proven.map(({ peer }) => peer)).toEqual([b.id]);
    expect(a.links).toEqual([`${b.id} connecting`, `${b.id} open`]);
    await b.transport.stop();
    await until(() => a.links.includes(`${b.id} closed`));
    expect(a.gate.proofOf(b.id)).toBeUndefined();
    await a.transport.stop();
  });

  const marked = [[], [HANDSHAKE_MARK], [0xf0], [0xf0, 0], [0xf0, 0xf0], [SEALED_MARK], [HANDSHAKE_MARK, 0x54, 0x52, 2, 1]];
  it.each(['local', 'none'] as const)('carries any bytes, also such as the proof is made of (%s)', async (protection) => {
    const [a, b] = await pair(new MemoryHub(), (inner) => withSecurity(inner, () => ({ protection })));
    for (const bytes of marked) expect(a.transport.send(b.id, Uint8Array.from(bytes), 'urgent')).toBe(true);
    await until(() => b.heard.length === marked.length);
    expect(b.heard.map(({ bytes }) => [...bytes])).toEqual(marked);
    expect(b.links).toHaveLength(2);
  });

  it('takes much at once right after it opened, and loses none of it', async () => {
    const hub = new MemoryHub();
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    const [a, b] = [await node(hub, gateOf(first, access)), await node(hub, gateOf(second, access))];
    a.see([b.id]);
    b.see([a.id]);
    await until(() => a.links.includes(`${b.id} open`));
    const large = new Uint8Array(PROOF_BYTES_MAX).fill(7);
    for (let i = 0; i < 100; i++) expect(a.transport.send(b.id, large, i % 2 === 0 ? 'urgent' : 'bulk')).toBe(true);
    await until(() => b.heard.length === 100);
    expect(a.found.refused).toEqual([]);
  });

  it('says nothing that others can read where others carry it', async () => {
    const carried: Uint8Array[] = [];
    const [a, b] = await pair(new MemoryHub(), (inner) => {
      const over = withSecurity(inner, () => ({ protection: 'none' }));
      return {
        ...over,
        send: (peer, bytes, lane) => {
          carried.push(bytes.slice());
          return over.send(peer, bytes, lane);
        },
      };
    });
    const word = new TextEncoder().encode('nobody else may read this');
    a.transport.send(b.id, word, 'urgent');
    a.transport.send(b.id, word, 'bulk');
    await until(() => b.heard.length === 2);
    expect(b.heard.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(Array(2).fill('nobody else may read this'));
    for (const bytes of carried) expect(new TextDecoder().decode(bytes)).not.toContain('nobody');
  });
});

describe('who is not let in', () => {
  it('hears of nobody and is heard by nobody, whatever it says', async () => {
    const hub = new MemoryHub();
    const a = await node(hub, gateOf(await newIdentity(), access));
    const stranger = await outsider(hub, (await newIdentity()).id);
    a.see([stranger.id]);
    stranger.see([a.id]);
    await until(() => stranger.links.includes(`${a.id} open`));
    for (let first = 0; first < 256; first++) stranger.transport.send(a.id, Uint8Array.of(first, 1, 2, 3), 'urgent');
    await until(() => a.found.refused.length > 0);
    expect(a.found.refused[0]?.failure).toMatchObject({ origin: 'self', error: { code: 'message-invalid' } });
    expect(a.heard).toEqual([]);
    expect(a.links.filter((told) => told.endsWith('open'))).toEqual([]);
    expect(a.transport.send(stranger.id, Uint8Array.of(1), 'urgent')).toBe(false);
    expect(a.transport.links().every(({ state }) => state !== 'open')).toBe(true);
  });

  it('a wrong secret is told by its code, to both', async () => {
    const hub = new MemoryHub();
    const other = await accessBy({ kind: 'secret', secret: createSecret('kitchen'), at: undefined });
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    const [a, b] = [await node(hub, gateOf(first, access)), await node(hub, gateOf(second, other))];
    a.see([b.id]);
    b.see([a.id]);
    await until(() => a.found.refused.length > 0 && b.found.refused.length > 0);
    for (const { found } of [a, b]) expect(found.refused[0]?.failure.error.code).toBe('wrong-secret');
    expect([...a.links, ...b.links].filter((told) => told.endsWith('open'))).toEqual([]);
    expect(a.transport.links().find(({ peer }) => peer === b.id)?.error?.code).toBe('wrong-secret');
  });

  it('another than the one the link is to, though it knows the secret', async () => {
    const hub = new MemoryHub();
    const [first, thief] = await Promise.all([newIdentity(), newIdentity()]);
    const a = await node(hub, gateOf(first, access));
    const gated = gateOf(thief, access);
    const victim = (await newIdentity()).id;
    const b = await start(victim, gated, gated.gate.wrap(hub.transport()));
    a.see([victim]);
    b.see([a.id]);
    await until(() => a.found.refused.length > 0);
    expect(a.found.refused[0]?.failure.error.code).toBe('proof-failed');
    expect(a.links.filter((told) => told.endsWith('open'))).toEqual([]);
  });

  it('whoever ends the encryption in the middle: the two ends have other certificates', async () => {
    const hub = new MemoryHub();
    const seen = (self: NodeId): Partial<LinkSecurity> => ({
      protection: 'dtls',
      binding: new TextEncoder().encode(`middle|${self}`),
    });
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    const over: Over = (inner) => withSecurity(inner, seen);
    const [a, b] = [await node(hub, gateOf(first, access), over), await node(hub, gateOf(second, access), over)];
    a.see([b.id]);
    b.see([a.id]);
    await until(() => a.found.refused.length > 0 && b.found.refused.length > 0);
    expect(a.found.refused[0]?.failure.error.code).toBe('proof-failed');
    expect([...a.links, ...b.links].filter((told) => told.endsWith('open'))).toEqual([]);
  });

  it('an encrypted link that does not say its certificates', async () => {
    const hub = new MemoryHub();
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    const over: Over = (inner) => withSecurity(inner, () => ({ protection: 'dtls', binding: undefined }));
    const [a, b] = [await node(hub, gateOf(first, access), over), await node(hub, gateOf(second, access), over)];
    a.see([b.id]);
    b.see([a.id]);
    const codes = () => [...a.found.refused, ...b.found.refused].map(({ failure }) => failure.error.code);
    await until(() => codes().includes('proof-failed'));
    expect([...a.found.proven, ...b.found.proven]).toEqual([]);
  });

  it('may try again, but not at once, and is let in when its time has come', async () => {
    const hub = new MemoryHub();
    const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
    const bare = { ...access, secret: undefined, shared: undefined };
    let knows = false;
    const memberOf = (identity: { readonly id: NodeId; readonly publicKey: Uint8Array }) => ({
      ...KNOWS_NOBODY,
      clusterId: 'c',
      epoch: 1,
      memberKey: (id: NodeId) => (knows && id === identity.id ? identity.publicKey : undefined),
    });
    const a = await node(hub, gateOf(first, bare, memberOf(second)));
    const b = await node(hub, gateOf(second, bare, memberOf(first)));
    a.see([b.id]);
    b.see([a.id]);
    await until(() => a.found.refused.length > 1);
    expect(a.found.refused.every(({ failure }) => failure.error.code === 'not-admitted')).toBe(true);
    knows = true;
    a.gate.review();
    b.gate.review();
    await until(() => a.links.includes(`${b.id} open`) && b.links.includes(`${a.id} open`));
    expect(a.found.proven[0]?.proven.admission).toEqual({ by: 'member' });
  });

  describe('what a peer was let in by is over', () => {
    const changed = { epoch: 1, commitment: new Uint8Array(32).fill(9) };
    const overs: readonly [string, Over][] = [
      ['on the device', (inner) => inner],
      ['carried by others', (inner) => withSecurity(inner, () => ({ protection: 'none' }))],
    ];
    interface Known {
      secret: GateView['secret'];
      readonly revoked: Set<NodeId>;
    }
    /** A node that knows what it is told, and one that came by the secret. */
    async function pair(over: Over): Promise<{ a: Node; b: Node; known: Known }> {
      const hub = new MemoryHub();
      const [first, second] = await Promise.all([newIdentity(), newIdentity()]);
      const known: Known = { secret: KNOWS_NOBODY.secret, revoked: new Set() };
      const view: GateView = {
        ...KNOWS_NOBODY,
        get secret() {
          return known.secret;
        },
        isRevoked: (id) => known.revoked.has(id),
      };
      const a = await node(hub, gateOf(first, access, view), over);
      const b = await node(hub, gateOf(second, access), over);
      a.see([b.id]);
      b.see([a.id]);
      return { a, b, known };
    }

    for (const [name, over] of overs) {
      for (const code of ['wrong-secret', 'member-revoked'] as const) {
        it(`its open link ends at once, and it hears why: ${code}, links ${name}`, async () => {
          const { a, b, known } = await pair(over);
          await until(() => a.links.includes(`${b.id} open`) && b.links.includes(`${a.id} open`));
          a.transport.send(b.id, Uint8Array.of(1), 'urgent');
          await until(() => b.heard.length === 1);
          if (code === 'wrong-secret') known.secret = changed;
          else known.revoked.add(b.id);
          a.gate.review();
          // From this moment, not when the channel is closed.
          expect(a.transport.send(b.id, Uint8Array.of(2), 'urgent')).toBe(false);
          b.transport.send(a.id, Uint8Array.of(3), 'urgent');
          await until(() => b.links.includes(`${a.id} closed`) && a.links.includes(`${b.id} closed`));
          expect(b.found.refused[0]?.failure).toMatchObject({ error: { code }, origin: 'insider' });
          expect([a.heard, b.heard.length]).toEqual([[], 1]);
          // It tries again, and is not let in.
          await until(() => {
            for (const { gate } of [a, b]) gate.review();
            return b.found.refused.length > 1;
          });
          expect(a.links.filter((text) => text === `${b.id} open`)).toHaveLength(1);
        });
      }
    }

    it('it is decided while it proves: the link never opens', async () => {
      const { a, b, known } = await pair((inner) => inner);
      await until(() => a.links.includes(`${b.id} connecting`));
      known.secret = changed;
      await until(() => b.found.refused.length > 0);
      expect(b.found.refused[0]?.failure.error.code).toBe('wrong-secret');
      expect(a.links).not.toContain(`${b.id} open`);
      expect(a.found.proven).toEqual([]);
    });
  });

  it('a sealed message that was altered, repeated or left out on the way ends the link', async () => {
    for (const harm of ['alter', 'repeat', 'leave out'] as const) {
      let armed = false;
      const over: Over = (inner) => {
        const carried = withSecurity(inner, () => ({ protection: 'none' }));
        return {
          ...carried,
          send: (peer, bytes, lane) => {
            if (!armed) return carried.send(peer, bytes, lane);
            armed = false;
            if (harm === 'leave out') return true;
            const sent = harm === 'alter' ? bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) : bytes;
            if (harm === 'repeat') carried.send(peer, bytes, lane);
            return carried.send(peer, sent, lane);
          },
        };
      };
      const [a, b] = await pair(new MemoryHub(), over);
      a.transport.send(b.id, Uint8Array.of(0), 'urgent');
      await until(() => b.heard.length === 1);
      armed = true;
      a.transport.send(b.id, Uint8Array.of(1, 2, 3), 'urgent');
      await until(() => !armed);
      a.transport.send(b.id, Uint8Array.of(4, 5, 6), 'urgent');
      await until(() => b.links.includes(`${a.id} closed`));
      expect(b.heard.map(({ bytes }) => [...bytes])).toEqual(harm === 'repeat' ? [[0], [1, 2, 3]] : [[0]]);
    }
  });
});

test('what there is to dial again is dialled again through the proof too, and what cannot be asked is not offered', async () => {
  const asked: string[] = [];
  const plain = new MemoryHub().transport();
  const dialling: Transport = Object.assign(new MemoryHub().transport(), {
    hurry: () => void asked.push('hurry'),
    prefer: (peers: readonly NodeId[]) => void asked.push(`prefer ${peers.join()}`),
  });
  const { gate } = gateOf(await newIdentity(), access);
  const wrapped = gate.wrap(dialling);
  wrapped.hurry?.();
  wrapped.prefer?.(['a'], 'later');
  expect(asked).toEqual(['hurry', 'prefer a']);
  expect(gate.wrap(plain)).toMatchObject({ hurry: plain.hurry, prefer: plain.prefer });
});

test('that a tab has ended is told of who has proven himself, and of nobody who only took a name', async () => {
  const room = 'ended';
  const browser = new BrowserLocks();
  const tabs = [browser.tab(), browser.tab(), browser.tab()] as const;
  const gated = await Promise.all([0, 1].map(async () => gateOf(await newIdentity(), access)));
  const [own, other] = gated as [Gated, Gated];
  const told: string[] = [];
  const quiet = { onMessage: () => undefined, onFault: () => undefined };
  const note = (what: string) => (peer: string, state?: string) => void told.push(`${peer} ${state ?? what}`);
  const nowhere = { listen: () => undefined, signal: () => false };
  const proven = (gate: Gated['gate'], i: 0 | 1): Transport => gate.wrap(broadcastTransport({ room, locks: tabs[i].locks }));
  const [mine, theirs] = [proven(own.gate, 0), proven(other.gate, 1)];
  const bare = broadcastTransport({ room, locks: tabs[2].locks });
  await mine.start(own.gate.identity.id, { ...quiet, onLink: note(''), onEnded: note('has ended') }, nowhere);
  await theirs.start(other.gate.identity.id, { ...quiet, onLink: () => undefined }, nowhere);
  await bare.start('liar', { ...quiet, onLink: () => undefined }, nowhere);
  await until(() => told.includes(`${other.gate.identity.id} open`) && told.includes('liar connecting'));
  tabs[2].crash();
  await until(() => told.includes('liar closed'));
  tabs[1].crash();
  await until(() => told.includes(`${other.gate.identity.id} closed`));
  expect(told.filter((one) => one.endsWith('has ended'))).toEqual([`${other.gate.identity.id} has ended`]);
  await Promise.all([mine, theirs, bare].map((transport) => transport.stop()));
});
