/** What the page of the browser tests runs: the transport suite over real WebRTC, and one node to be driven from outside. */
import { SignalingClient } from '../../../src/signaling/client.ts';
import { transportSuite } from '../../../src/testing/transport-suite.ts';
import { broadcastTransport } from '../../../src/transport/broadcast.ts';
import { multiTransport } from '../../../src/transport/multi/transport.ts';
import type { Discovery, Transport } from '../../../src/transport/transport.ts';
import { webrtcTransport } from '../../../src/transport/webrtc/transport.ts';

export type Kind = 'simple-peer' | 'native' | 'mixed' | 'broadcast' | 'multi';
let made = 0;

function create(kind: Kind): Transport {
  if (kind === 'broadcast') return broadcastTransport({ room: 'suite' });
  if (kind === 'multi')
    return multiTransport({ transports: [broadcastTransport({ room: 'suite' }), webrtcTransport({ link: 'native' })] });
  const link = kind === 'mixed' ? (made++ % 2 === 0 ? 'native' : 'simple-peer') : kind;
  return webrtcTransport({ link });
}

/** A connection that can be made to say that it broke. */
class Breakable extends RTCPeerConnection {
  static readonly all: Breakable[] = [];
  #claimed: RTCIceConnectionState | undefined;
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    Breakable.all.push(this);
  }
  override get iceConnectionState(): RTCIceConnectionState {
    return this.#claimed ?? super.iceConnectionState;
  }
  claim(state: RTCIceConnectionState | undefined): void {
    this.#claimed = state;
    this.dispatchEvent(new Event('iceconnectionstatechange'));
  }
}

/** Two transports in this page that signal each other directly. */
async function introduce(
  transports: readonly Transport[],
  told: string[],
  others: readonly string[] = [],
): Promise<ReadonlyMap<string, Parameters<Discovery['listen']>[0]>> {
  const listeners = new Map<string, Parameters<Discovery['listen']>[0]>();
  const ids = [...transports.map((_, i) => `node-${i}`), ...others];
  await Promise.all(
    transports.map(async (transport, i) => {
      const self = `node-${i}`;
      await transport.start(
        self,
        {
          onMessage: (peer, bytes) => void told.push(`${self} got ${bytes.length} from ${peer}`),
          onLink: (peer, state) => void told.push(`${self} ${peer} ${state}`),
          onFault: (error) => void told.push(`${self} fault ${error.code}: ${error.message}`),
        },
        {
          listen: (listener) => void listeners.set(self, listener),
          signal: (to, data) => {
            setTimeout(() => listeners.get(to)?.onSignal(self, structuredClone(data)), 0);
            return true;
          },
        },
      );
      setTimeout(() => listeners.get(self)?.onPeers(ids.filter((id) => id !== self)), 0);
    }),
  );
  return listeners;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const harness = {
  cases: (): string[] => transportSuite({ create: () => create('native') }).map(({ name }) => name),

  run: async (kind: Kind, name: string): Promise<void> => {
    await transportSuite({ create: () => create(kind), timeoutMs: 20_000 })
      .find((one) => one.name === name)
      ?.run();
  },

  /** What a node is told that has no way to the network: only relays, and none named. */
  isolated: async (link: 'simple-peer' | 'native'): Promise<string[]> => {
    const told: string[] = [];
    const transports = [0, 1].map(() => webrtcTransport({ link, relayOnly: true }));
    await introduce(transports, told);
    await until(() => told.some((one) => one.includes('fault')));
    const errors = transports.flatMap((transport) => transport.links().map(({ error }) => error?.code ?? ''));
    await Promise.all(transports.map((transport) => transport.stop()));
    return [...told.filter((one) => one.includes('fault')), ...errors.filter((code) => code !== '')];
  },

  /** Breaks a native link, and says what came of it. */
  restart: async (): Promise<{ readonly told: string[]; readonly fragments: number }> => {
    const told: string[] = [];
    const transports = [0, 1].map(() => webrtcTransport({ link: 'native', RTCPeerConnection: Breakable }));
    await introduce(transports, told);
    await until(() => told.filter((one) => one.endsWith('open')).length === 2);
    const fragments = new Set<string>();
    const look = (): void => {
      for (const { localDescription } of Breakable.all) {
        for (const match of localDescription?.sdp.matchAll(/a=ice-ufrag:(\S+)/g) ?? []) fragments.add(match[1] ?? '');
      }
    };
    look();
    for (const connection of Breakable.all) connection.claim('failed');
    await until(() => {
      look();
      return fragments.size >= 4;
    });
    for (const connection of Breakable.all) connection.claim(undefined);
    transports[0]?.send('node-1', new Uint8Array(100_000), 'urgent');
    await until(() => told.includes('node-1 got 100000 from node-0'));
    await Promise.all(transports.map((transport) => transport.stop()));
    return { told, fragments: fragments.size };
  },

  /** What both ends of a link can bind a proof to. */
  bindings: async (link: 'simple-peer' | 'native'): Promise<{ readonly texts: string[]; readonly initiators: number }> => {
    const told: string[] = [];
    const transports = [0, 1].map(() => webrtcTransport({ link }));
    await introduce(transports, told);
    await until(() => told.filter((one) => one.endsWith('open')).length === 2);
    const both = transports.map((transport, i) => transport.security?.(`node-${1 - i}`));
    await Promise.all(transports.map((transport) => transport.stop()));
    return {
      texts: both.map((one) => new TextDecoder().decode(one?.binding)),
      initiators: both.filter((one) => one?.initiator === true).length,
    };
  },

  /** A node that other tabs of this origin find without any server. */
  broadcast: async (id: string): Promise<void> => {
    const { told } = harness;
    harness.node = broadcastTransport({ room: 'crash' });
    await harness.node.start(
      id,
      {
        onMessage: (peer, bytes) => void told.push(`${peer}: ${new TextDecoder().decode(bytes)}`),
        onLink: (peer, state) => void told.push(`${peer} ${state}`),
        onFault: (error) => void told.push(error.code),
      },
      { listen: () => undefined, signal: () => false },
    );
  },

  /** Many that come at once, all linked with each other: how many connections were being made at a time, per node and at most. */
  crowd: async (count: number): Promise<{ readonly tookMs: number; readonly tryingMax: number; readonly faults: string[] }> => {
    const told: string[] = [];
    const before = performance.now();
    const made = Array.from({ length: count }, () => new Set<RTCPeerConnection>());
    const transports = made.map((mine) => {
      class Counted extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          mine.add(this);
        }
      }
      return webrtcTransport({ link: 'native', RTCPeerConnection: Counted });
    });
    await introduce(transports, told);
    let tryingMax = 0;
    await until(() => {
      const open = transports.map((transport) => transport.links().filter(({ state }) => state === 'open').length);
      for (const [i, mine] of made.entries()) tryingMax = Math.max(tryingMax, mine.size - (open[i] ?? 0));
      return open.every((links) => links === count - 1);
    });
    const tookMs = performance.now() - before;
    await Promise.all(transports.map((transport) => transport.stop()));
    return { tookMs, tryingMax, faults: told.filter((one) => one.includes('fault')) };
  },

  /** An honest pair beside somebody who sends one of them 600 real offers. */
  flood: async (): Promise<{ readonly made: number; readonly linked: boolean }> => {
    const told: string[] = [];
    let made = 0;
    class Counted extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        made++;
      }
    }
    const victim = webrtcTransport({ link: 'native', RTCPeerConnection: Counted });
    const honest = webrtcTransport({ link: 'native' });
    const listeners = await introduce([honest, victim], told, ['stranger']);
    const stranger = new RTCPeerConnection();
    stranger.createDataChannel('x');
    const description = (await stranger.createOffer()) as { type: 'offer'; sdp: string };
    for (let i = 0; i < 600; i++)
      listeners.get('node-1')?.onSignal('a-stranger', { instance: `i${i}`, session: `s${i}`, description });
    await until(() => told.includes('node-1 node-0 open') && told.includes('node-0 node-1 open'));
    const linked = honest.send('node-1', new Uint8Array(1), 'urgent');
    stranger.close();
    await Promise.all([victim.stop(), honest.stop()]);
    return { made, linked };
  },

  /** One node over a real signaling server; what it is told is kept in `told`. */
  told: [] as string[],
  node: undefined as Transport | undefined,
  open: async (id: string, link: 'simple-peer' | 'native'): Promise<void> => {
    const { told } = harness;
    const transport = webrtcTransport({ link });
    const signaling = new SignalingClient({ url: new URL('/', location.href) });
    harness.node = transport;
    let listener: Parameters<Discovery['listen']>[0] | undefined;
    await transport.start(
      id,
      {
        onMessage: (peer, bytes) => void told.push(`${peer}: ${new TextDecoder().decode(bytes)}`),
        onLink: (peer, state) => void told.push(`${peer} ${state}`),
        onFault: (error) => void told.push(error.code),
      },
      {
        listen: (one) => {
          listener = one;
        },
        signal: (to, data) => signaling.signal(to, data),
      },
    );
    await signaling.enter(
      { room: 'browser-test', nodeId: id, clusterId: undefined, mayFound: true },
      {
        onPeers: (peers) => listener?.onPeers(peers),
        onSignal: (from, data) => listener?.onSignal(from, data),
        onGrant: () => undefined,
        onCluster: () => undefined,
        onState: () => undefined,
      },
    );
    addEventListener('pagehide', () => {
      transport.send(id === 'a' ? 'b' : 'a', new TextEncoder().encode('goodbye'), 'urgent');
      void transport.stop();
    });
  },
  say: (to: string, text: string): boolean => harness.node?.send(to, new TextEncoder().encode(text), 'urgent') === true,
};
export type Harness = typeof harness;
Object.assign(globalThis, { harness });
