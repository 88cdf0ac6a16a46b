/** What the page of the browser tests runs: the transport suite over real WebRTC, and one node to be driven from outside. */
import { SignalingClient } from '../../../src/signaling/client.ts';
import { transportSuite } from '../../../src/testing/transport-suite.ts';
import type { Discovery, Transport } from '../../../src/transport/transport.ts';
import { webrtcTransport } from '../../../src/transport/webrtc/transport.ts';

export type Kind = 'simple-peer' | 'native' | 'mixed';
let made = 0;

function create(kind: Kind): Transport {
  const link = kind === 'mixed' ? (made++ % 2 === 0 ? 'native' : 'simple-peer') : kind;
  return webrtcTransport({ link });
}

/** A connection that can be made to say that it broke. */
class Breakable extends RTCPeerConnection {
  static readonly all: Breakable[] = [];
  private claimed: RTCIceConnectionState | undefined;
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    Breakable.all.push(this);
  }
  override get iceConnectionState(): RTCIceConnectionState {
    return this.claimed ?? super.iceConnectionState;
  }
  claim(state: RTCIceConnectionState | undefined): void {
    this.claimed = state;
    this.dispatchEvent(new Event('iceconnectionstatechange'));
  }
}

/** Two transports in this page that signal each other directly. */
function introduce(transports: readonly Transport[], told: string[]): Promise<unknown> {
  const listeners = new Map<string, Parameters<Discovery['listen']>[0]>();
  const ids = transports.map((_, i) => `node-${i}`);
  return Promise.all(
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
    const bootNonce = Math.random().toString(36).slice(2);
    await signaling.enter(
      { room: 'browser-test', nodeId: id, bootNonce, clusterId: undefined, mayFound: true },
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
