/** `raft.enter` and its kin for a Node process at the edge: LMDB, a signaling server by URL, links of the caller's choice. */
import { openSocket } from '../../signaling/sockets.ts';
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { TuningOptions, WantedSuffrage } from '../runtime/api/api.ts';
import type { ClientNode } from '../runtime/api/client.ts';
import { type AutopilotOptions, type EntryMode, resolveAutopilot, resolveTuning } from '../runtime/api/options.ts';
import type { Names } from '../runtime/ports/require-known.ts';
import { SignalingClient, type SignalingClientOptions } from '../signaling/client.ts';
import type { Signaling } from '../signaling/signaling.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import { LmdbStorage } from '../storage/lmdb/lmdb-storage.ts';
import { MemoryStorage } from '../storage/memory/memory-storage.ts';
import type { StorageProvider } from '../storage/storage.ts';
import { multiTransport } from '../transport/multi/transport.ts';
import { relayTransport } from '../transport/relay.ts';
import type { Transport } from '../transport/transport.ts';
import { webrtcTransport } from '../transport/webrtc/transport.ts';
import { accessBy } from '../trust/access.ts';
import type { RoomLink } from '../trust/room-link.ts';
import { nodeClock } from './node-clock.ts';
import { CLIENT_OPTION_NAMES, type ClientOptions, checkClientCall, openClientIn } from './open-client.ts';
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
  const link = requireLink(room, options);
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

/** Errors: invalid-argument, room-invalid, wrong-secret, invite-invalid. */
function requireLink(room: string, options: RoomOptions): RoomLink {
  const link = linkFrom(room, options);
  if (link !== undefined) return link;
  throw new RaftError('invalid-argument', 'A room needs its link (createRoomLink makes one), its secret, or openRoom: true.');
}

function signalingOf({ signaling, connect }: Pick<EdgeOptions, 'signaling' | 'connect'>): Signaling {
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

/** What a client at the edge is opened with. */
export interface EdgeClientOptions extends ClientOptions, Pick<EdgeOptions, 'signaling' | 'connect' | 'link'> {}

const CLIENT_NAMES: Names<EdgeClientOptions> = {
  ...CLIENT_OPTION_NAMES,
  signaling: true,
  connect: true,
  link: true,
};

/**
 * A client: a process that is no member, and reads, proposes and watches through any that is. It keeps nothing, and every opening
 * is another one. Errors: those of `raft.enter` but storage's.
 */
export async function openClient<S, C extends Handlers<S>, Q extends Queries<S>>(
  room: string,
  machine: StateMachine<S, C, Q>,
  options: EdgeClientOptions,
): Promise<ClientNode<S, C, Q>> {
  checkClientCall(room, machine, options, CLIENT_NAMES);
  if (options === undefined) throw new RaftError('invalid-argument', 'A client at the edge needs signaling and link.');
  const access = await accessBy(requireLink(room, options));
  const signaling = signalingOf(options);
  const transport = transportOf(options.link, signaling);
  return openClientIn(machine, { access, transport, signaling, clock: nodeClock() }, options);
}

/** The ways into a room, for a Node process. */
export const raft: Verbs<EdgeOptions> = /* @__PURE__ */ makeVerbs(OPTION_NAMES, prepare);

export { LmdbStorage };
