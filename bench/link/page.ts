/** One page with both ends: a bare data channel, and a link of each kind, measured in turns in the same run. */
import type { Discovery, Lane, Transport } from '../../src/transport/transport.ts';
import { webrtcTransport } from '../../src/transport/webrtc/transport.ts';

export interface LinkFigures {
  /** Medians of the turns: ms, MiB/s. */
  readonly roundTripMs: number;
  readonly bulkMibPerSecond: number;
  /** Of pings that were sent while the bulk was under way: ms. */
  readonly besideBulkP95Ms: number;
}

/** Two ends of one channel: what an end is given arrives at the other. */
interface Pair {
  send(end: 0 | 1, bytes: Uint8Array<ArrayBuffer>, lane: Lane): boolean;
  onMessage: (end: 0 | 1, bytes: Uint8Array) => void;
  close(): Promise<void>;
}

const PING_BYTES = 100;
/** As large as a frame, so that the bare channel is not given more to do. */
const CHUNK_BYTES = 16_000;
/** What the bare channel may have waiting, as an application would hold it: bytes. */
const BARE_BUFFER_BYTES = 1024 * 1024;
const PING_EVERY_MS = 20;

async function barePair(): Promise<Pair> {
  const ends = [new RTCPeerConnection(), new RTCPeerConnection()] as const;
  const [a, b] = ends;
  a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate ?? undefined);
  b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate ?? undefined);
  const first = a.createDataChannel('bench');
  const arrived = new Promise<RTCDataChannel>((resolve) => {
    b.ondatachannel = ({ channel }) => resolve(channel);
  });
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription ?? { type: 'offer', sdp: '' });
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription ?? { type: 'answer', sdp: '' });
  const second = await arrived;
  const channels = [first, second] as const;
  const pair: Pair = {
    onMessage: () => {},
    send: (end, bytes) => {
      if (channels[end].bufferedAmount > BARE_BUFFER_BYTES) return false;
      channels[end].send(bytes);
      return true;
    },
    close: async () => {
      for (const end of ends) end.close();
    },
  };
  for (const end of [0, 1] as const) {
    channels[end].binaryType = 'arraybuffer';
    channels[end].onmessage = ({ data }) => pair.onMessage(end, new Uint8Array(data as ArrayBuffer));
  }
  await until(() => channels.every(({ readyState }) => readyState === 'open'));
  return pair;
}

async function linkPair(link: 'simple-peer' | 'native'): Promise<Pair> {
  const ids = ['a', 'b'] as const;
  const transports: readonly Transport[] = ids.map(() => webrtcTransport({ link }));
  const listeners: Parameters<Discovery['listen']>[0][] = [];
  const pair: Pair = {
    onMessage: () => {},
    send: (end, bytes, lane) => transports[end]?.send(ids[end === 0 ? 1 : 0], bytes, lane) === true,
    close: async () => {
      await Promise.all(transports.map((transport) => transport.stop()));
    },
  };
  await Promise.all(
    ([0, 1] as const).map((end) =>
      transports[end]?.start(
        ids[end],
        { onMessage: (_peer, bytes) => pair.onMessage(end, bytes), onLink: () => {}, onFault: (error) => console.error(error) },
        {
          listen: (listener) => {
            listeners[end] = listener;
          },
          signal: (_to, data) => {
            setTimeout(() => listeners[end === 0 ? 1 : 0]?.onSignal(ids[end], structuredClone(data)), 0);
            return true;
          },
        },
      ),
    ),
  );
  for (const end of [0, 1] as const) listeners[end]?.onPeers([ids[end === 0 ? 1 : 0]]);
  await until(() => transports.every((transport) => transport.links().some(({ state }) => state === 'open')));
  return pair;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** There and back, one after the other. */
async function roundTrips(pair: Pair, count: number): Promise<number[]> {
  const times: number[] = [];
  let back: (() => void) | undefined;
  pair.onMessage = (end, bytes) => {
    if (end === 1) pair.send(1, new Uint8Array(bytes), 'urgent');
    else back?.();
  };
  for (let i = 0; i < count; i++) {
    const returned = new Promise<void>((resolve) => {
      back = resolve;
    });
    const began = performance.now();
    pair.send(0, new Uint8Array(PING_BYTES), 'urgent');
    await returned;
    times.push(performance.now() - began);
  }
  return times;
}

/** So many bytes one way, and pings beside them. */
async function bulk(pair: Pair, bytes: number): Promise<{ readonly mibPerSecond: number; readonly pingsMs: readonly number[] }> {
  const pingsMs: number[] = [];
  let got = 0;
  pair.onMessage = (end, message) => {
    if (message.length !== PING_BYTES) got += message.length;
    else if (end === 1) pair.send(1, new Uint8Array(message), 'urgent');
    else pingsMs.push(performance.now() - new DataView(message.buffer, message.byteOffset).getFloat64(0));
  };
  const pings = setInterval(() => {
    const ping = new Uint8Array(PING_BYTES);
    new DataView(ping.buffer).setFloat64(0, performance.now());
    pair.send(0, ping, 'urgent');
  }, PING_EVERY_MS);
  const began = performance.now();
  for (let sent = 0; sent < bytes; ) {
    if (pair.send(0, new Uint8Array(CHUNK_BYTES), 'bulk')) sent += CHUNK_BYTES;
    else await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await until(() => got >= bytes);
  const seconds = (performance.now() - began) / 1_000;
  clearInterval(pings);
  return { mibPerSecond: got / 1_048_576 / seconds, pingsMs };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export type Kind = 'bare' | 'simple-peer' | 'native';

/** Each kind in every turn, so that what else the machine does meets all of them. */
async function measure(turns: number, trips: number, bytes: number): Promise<Readonly<Record<Kind, LinkFigures>>> {
  const kinds: readonly Kind[] = ['bare', 'simple-peer', 'native'];
  const seen = new Map(kinds.map((kind) => [kind, { trips: [] as number[], speeds: [] as number[], pings: [] as number[] }]));
  for (let turn = 0; turn < turns; turn++) {
    for (const [kind, figures] of seen) {
      const pair = kind === 'bare' ? await barePair() : await linkPair(kind);
      await roundTrips(pair, 50);
      figures.trips.push(quantile(await roundTrips(pair, trips), 0.5));
      const { mibPerSecond, pingsMs } = await bulk(pair, bytes);
      figures.speeds.push(mibPerSecond);
      figures.pings.push(quantile(pingsMs, 0.95));
      await pair.close();
    }
  }
  const figuresOf = (kind: Kind): LinkFigures => {
    const { trips: times = [], speeds = [], pings = [] } = seen.get(kind) ?? {};
    const middle = (values: readonly number[]): number => quantile(values, 0.5);
    return { roundTripMs: middle(times), bulkMibPerSecond: middle(speeds), besideBulkP95Ms: middle(pings) };
  };
  return { bare: figuresOf('bare'), 'simple-peer': figuresOf('simple-peer'), native: figuresOf('native') };
}

Object.assign(globalThis, { measure });
