/** What the pages of the attack tests run: one is an honest node, the others want in. */
import { browserClock } from '../../../src/front-door/browser-clock.ts';
import { defineStateMachine, type RaftNode, raft } from '../../../src/index.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { webrtcTransport } from '../../../src/transport/webrtc/transport.ts';
import { type Access, accessBy } from '../../../src/trust/access.ts';
import { createKeyPair, type Identity, identityOf } from '../../../src/trust/identity.ts';
import { TrustGate } from '../../../src/trust/links/gate.ts';
import { parseRoomLink } from '../../../src/trust/room-link.ts';
import { createSecret } from '../../../src/trust/secret.ts';
import { encodePeerMessage } from '../../../src/wire/codec.ts';
import { FrameWriter } from '../../../src/wire/frames.ts';
import { RAFT_SAMPLES, SAMPLES } from '../../wire/samples.ts';
import { connected, Place, RawPeer } from './raw-peer.ts';

const counter = defineStateMachine<{ sum: number }>()({
  initial: () => ({ sum: 0 }),
  commands: {
    add: (state, amount: { by: number }) => {
      state.sum += amount.by;
      return state.sum;
    },
  },
});
type CounterNode = RaftNode<{ sum: number }, typeof counter.commands, Record<never, never>>;

/** Messages of every kind, as a member would say them. */
const EVERYTHING: readonly Uint8Array[] = [
  ...SAMPLES.map(([, message]) => message),
  ...RAFT_SAMPLES.map((message) => ({ kind: 'raft', group: 0, message }) as const),
].map((message) => encodePeerMessage(message));

/** One frame for each message, as links cut them. */
function frameOf(message: Uint8Array): Uint8Array {
  const writer = new FrameWriter();
  writer.push('urgent', message);
  return writer.take()?.slice() ?? new Uint8Array(0);
}

/** Its id comes first, so that it dials. */
async function identityBefore(peer: string): Promise<Identity> {
  for (;;) {
    const identity = await identityOf(await createKeyPair(false));
    if (identity.id < peer) return identity;
  }
}

export type Guise = 'wrong secret' | 'no secret' | 'revoked' | 'honest';

async function accessAs(guise: Guise, link: string): Promise<Access> {
  const known = await accessBy(parseRoomLink(link));
  if (guise === 'no secret') return { ...known, secret: undefined, shared: undefined };
  if (guise !== 'wrong secret') return known;
  const { secret } = await accessBy({ kind: 'secret', secret: createSecret(known.room), at: known.rendezvous });
  return { ...known, secret };
}

const harness = {
  node: undefined as CounterNode | undefined,
  /** Whom this node has heard, above the proof. */
  received: [] as string[],
  faults: [] as string[],

  enter: async (link: string, signaling: string): Promise<string> => {
    const node = await raft.enter(link, counter, { signaling, link: 'native' });
    harness.node = node;
    node.trace(({ direction, peer, kind }) => {
      if (direction === 'received') harness.received.push(`${peer} ${kind}`);
    });
    node.on('fault', ({ error }) => harness.faults.push(error.code));
    node.on('fatal', ({ error }) => harness.faults.push(`fatal ${error.code}`));
    return node.id;
  },

  /** Says everything that there is to say, without a proof, over so many channels: each begins with another kind. */
  sayEverything: async (signaling: string, room: string, peer: string): Promise<number> => {
    const channels = 6;
    await Promise.all(
      Array.from({ length: channels }, async (_, i) => {
        const self = `-stranger-${i}`;
        const place = new Place(signaling, room, self);
        await place.entered;
        const raw = await connected(place, self, peer);
        const from = Math.floor((i * EVERYTHING.length) / channels);
        for (const message of [...EVERYTHING.slice(from), ...EVERYTHING.slice(0, from)]) raw.send(frameOf(message));
        await raw.closed;
        place.leave();
      }),
    );
    return EVERYTHING.length;
  },

  /** Sends back whatever it is told, also under the victim's own name. */
  reflect: async (signaling: string, room: string, peer: string): Promise<number> => {
    const place = new Place(signaling, room, '-mirror');
    await place.entered;
    const raw = await connected(place, '-mirror', peer);
    for (const frame of raw.heard) raw.send(frame);
    raw.onFrame = (frame) => raw.send(frame);
    await raw.closed;
    place.leave();
    return raw.heard.length;
  },

  /** A real key of its own. */
  identity: undefined as Identity | undefined,
  makeIdentity: async (peer: string): Promise<string> => {
    harness.identity = await identityBefore(peer);
    return harness.identity.id;
  },

  /** Proves what it can: with what code it is refused, or 'proven', and what it said to get so far. */
  prove: async (guise: Guise, link: string, signaling: string, peer: string): Promise<{ code: string; said: number[][] }> => {
    const identity = (guise === 'revoked' || guise === 'honest' ? harness.identity : undefined) ?? (await identityBefore(peer));
    const access = await accessAs(guise, link);
    const place = new Place(signaling, access.rendezvous, identity.id);
    await place.entered;
    const gate = new TrustGate(identity, access, browserClock());
    const said: number[][] = [];
    const inner = webrtcTransport({ link: 'native' });
    const recorded: Transport = {
      kind: inner.kind,
      start: (...given) => inner.start(...given),
      links: () => inner.links(),
      stop: () => inner.stop(),
      security: (of) => inner.security?.(of),
      queuedBytes: (...given) => inner.queuedBytes(...given),
      disconnect: (...given) => inner.disconnect(...given),
      send: (to, bytes, lane) => {
        said.push([...bytes]);
        return inner.send(to, bytes, lane);
      },
    };
    const transport = gate.wrap(recorded);
    const code = await new Promise<string>((resolve) => {
      const nobody = { clusterId: '', epoch: 0, secret: { epoch: 0, commitment: new Uint8Array(0) } };
      const view = { ...nobody, memberKey: () => undefined, isRevoked: () => false, invite: () => undefined };
      gate.attach(view, {
        // The other end may still be checking: who is to be refused waits for its word.
        onProven: () => {
          if (guise === 'honest') resolve('proven');
        },
        onRefused: (_peer, { error }) => {
          if (error.code !== 'link-failed') resolve(error.code);
        },
        onFault: () => undefined,
      });
      const ignored = (): void => undefined;
      void transport.start(
        identity.id,
        { onMessage: ignored, onLink: ignored, onFault: ignored },
        {
          listen: ({ onPeers, onSignal }) => {
            place.listen(onSignal);
            onPeers([peer]);
          },
          signal: (to, data) => place.signal(to, data),
        },
      );
    });
    await transport.stop();
    place.leave();
    return { code, said };
  },

  /** Proves itself with the right secret, and says under what name it was. */
  proveAs: async (link: string, signaling: string, peer: string): Promise<{ code: string; said: number[][]; self: string }> => {
    const self = await harness.makeIdentity(peer);
    return { self, ...(await harness.prove('honest', link, signaling, peer)) };
  },

  /** Says again what somebody honest has said, under that one's name, and then something that only a member may. */
  replay: async (signaling: string, room: string, self: string, peer: string, said: number[][]): Promise<void> => {
    const place = new Place(signaling, room, self);
    await place.entered;
    const raw = await connected(place, self, peer);
    for (const bytes of said) raw.send(frameOf(Uint8Array.from(bytes)));
    for (const message of EVERYTHING) raw.send(frameOf(message));
    await raw.closed;
    place.leave();
  },

  /** What the server in the middle has its page do: it is each of the two to the other. */
  relayed: 0,
  relay: async (url: string): Promise<void> => {
    const socket = new WebSocket(url);
    const ends = new Map<string, RawPeer>();
    /** The end that `to` takes for `as`. */
    const endOf = (as: string, to: string): RawPeer => {
      const known = ends.get(`${as} ${to}`);
      if (known !== undefined) return known;
      const made = new RawPeer(as, to, (data) => socket.send(JSON.stringify({ as, to, data })));
      ends.set(`${as} ${to}`, made);
      const other = endOf(to, as);
      const pass = (frame: Uint8Array): void => {
        harness.relayed++;
        void other.opened.then(() => other.send(frame));
      };
      made.onFrame = pass;
      void made.closed.then(() => {
        for (const end of [made, other]) end.close();
        ends.clear();
      });
      made.dial();
      return made;
    };
    socket.onmessage = ({ data }) => {
      const { from, to, data: signal } = JSON.parse(String(data)) as { from: string; to: string; data: never };
      endOf(to, from).hear(signal);
    };
    await new Promise<void>((resolve) => {
      socket.onopen = () => resolve();
    });
  },
};

export type Harness = typeof harness;
globalThis.attackHarness = harness;

declare global {
  var attackHarness: Harness;
}
