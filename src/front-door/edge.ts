/** `raft.enter` and its kin for a Node process at the edge: LMDB, a signaling server by URL, links of the caller's choice. */
import { openSocket } from '../../signaling/sockets.ts';
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { TuningOptions, WantedSuffrage } from '../runtime/api/api.ts';
import { type AutopilotOptions, type EntryMode, resolveAutopilot, resolveTuning } from '../runtime/api/options.ts';
import type { Names } from '../runtime/ports/require-known.ts';
import { SignalingClient, type SignalingClientOptions } from '../signaling/client.ts';
import type { Signaling } from '../signaling/signaling.ts';
import { LmdbStorage } from '../storage/lmdb/lmdb-storage.ts';
import { MemoryStorage } from '../storage/memory/memory-storage.ts';
import type { StorageProvider } from '../storage/storage.ts';
import { multiTransport } from '../transport/multi/transport.ts';
import { relayTransport } from '../transport/relay.ts';
import type { Transport } from '../transport/transport.ts';
import { webrtcTransport } from '../transport/webrtc/transport.ts';
import { accessBy } from '../trust/access.ts';
import { nodeClock } from './node-clock.ts';
import { linkFrom, nameIn, type RoomOptions } from './room-access.ts';
import { makeVerbs, type Prepared, type Verbs } from './verbs.ts';

export interface EdgeLinks {
  /** For links over WebRTC. Without it all frames go through the signaling server. */
  readonly RTCPeerConnection?: typeof RTCPeerConnection | undefined;
  /** Whether frames may go through the signaling server where nothing else works. Default true. */
  readonly relay?: boolean | undefined;
}

export interface EdgeOptions extends RoomOptions {
  /** URL of the signaling server, or a signaling of your own. */
  readonly signaling: string | Signaling;
  /** How to open a WebSocket to the signaling server. Default: the environment's own, or that of `ws`. */
  readonly connect?: SignalingClientOptions['connect'];
  /** A directory for LMDB (the package `lmdb` must be installed), or storage of your own. 'memory' keeps nothing. */
  readonly storage: { readonly directory: string } | 'memory' | StorageProvider;
  /** How to reach the others, or a transport of your own. */
  readonly link: EdgeLinks | Transport;
  readonly name?: string;
  readonly suffrage?: WantedSuffrage;
  readonly priority?: number;
  readonly preferred?: NodeId;
  readonly tuning?: Partial<TuningOptions>;
  /** How the leader decides who votes (AUTOPILOT_DEFAULTS). Errors: invalid-argument for a name or a number that cannot be. */
  readonly autopilot?: Partial<AutopilotOptions>;
  /** How many shall vote in a cluster that this node founds: 1 to 9. Default 3. */
  readonly votersTarget?: number;
  /** In a cluster that this node founds: commands are refused (`no-quorum`) where fewer voters hold them. 1 to 5. Default 1. */
  readonly minCopies?: number;
  /** Names the device: one vote each (`autopilot.oneVoterPerDevice`). Default: one of its own. */
  readonly device?: string;
  /** When what is stored cannot be read: come back as a new node (default), or reject with `corrupt`. */
  readonly onCorrupt?: 'rejoin' | 'refuse';
  readonly signal?: AbortSignal;
}

const OPTION_NAMES: Names<EdgeOptions> = {
  secret: true,
  openRoom: true,
  authorize: true,
  signaling: true,
  connect: true,
  storage: true,
  link: true,
  name: true,
  suffrage: true,
  priority: true,
  preferred: true,
  tuning: true,
  autopilot: true,
  votersTarget: true,
  minCopies: true,
  device: true,
  onCorrupt: true,
  signal: true,
};

async function prepare(mode: EntryMode, room: string, options: EdgeOptions | undefined): Promise<Prepared> {
  if (options === undefined) throw new RaftError('invalid-argument', 'A node at the edge needs signaling, storage and link.');
  const link = linkFrom(room, options);
  if (link === undefined)
    throw new RaftError('invalid-argument', 'A room needs its link (createRoomLink makes one), its secret, or openRoom: true.');
  const storage = storageOf(options);
  const signaling = signalingOf(options);
  return {
    options: {
      room: nameIn(link),
      authorize: options.authorize,
      access: await accessBy(link),
      mode,
      storage,
      transport: transportOf(options.link, signaling),
      signaling,
      clock: nodeClock(),
      name: options.name ?? '',
      suffrage: options.suffrage ?? (storage.durable ? 'voter' : 'learner'),
      priority: options.priority ?? 0,
      preferred: options.preferred,
      tuning: resolveTuning(options.tuning),
      autopilot: resolveAutopilot(options.autopilot),
      votersTarget: options.votersTarget,
      minCopies: options.minCopies,
      device: options.device,
      lasting: true,
      onCorrupt: options.onCorrupt,
    },
    signal: options.signal,
  };
}

function signalingOf({ signaling, connect }: EdgeOptions): Signaling {
  if (typeof signaling !== 'string') return signaling;
  const own = globalThis.WebSocket === undefined ? openSocket : undefined;
  return new SignalingClient({ url: signaling, connect: connect ?? own });
}

/** WebRTC, and the relay for those whom it does not reach. Errors: invalid-argument when that leaves nothing. */
function transportOf(link: EdgeLinks | Transport, signaling: Signaling): Transport {
  if ('start' in link) return link;
  const relay = link.relay !== false && signaling instanceof SignalingClient ? signaling : undefined;
  const { RTCPeerConnection } = link;
  if (RTCPeerConnection === undefined) {
    if (relay !== undefined) return relayTransport({ relay, dials: true });
    throw new RaftError(
      'invalid-argument',
      'Without RTCPeerConnection a node reaches the others through the relay only, which is off.',
    );
  }
  const iceServers = (): readonly RTCIceServer[] => (signaling instanceof SignalingClient ? signaling.iceServers() : []);
  const webrtc = webrtcTransport({ link: 'native', RTCPeerConnection, iceServers });
  return relay === undefined ? webrtc : multiTransport({ transports: [webrtc], fallback: relayTransport({ relay }) });
}

function storageOf(options: EdgeOptions): StorageProvider {
  if (options.storage === 'memory') return new MemoryStorage();
  return 'acquire' in options.storage ? options.storage : new LmdbStorage({ path: options.storage.directory });
}

/** The ways into a room, for a Node process. */
export const raft: Verbs<EdgeOptions> = /* @__PURE__ */ makeVerbs(OPTION_NAMES, prepare);

export { LmdbStorage };
