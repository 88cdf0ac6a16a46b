/** `raft.enter` and its kin for a Node process at the edge: LMDB, a signaling server by URL, links of the caller's choice. */
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
import type { Transport } from '../transport/transport.ts';
import { webrtcTransport } from '../transport/webrtc/transport.ts';
import { nodeClock } from './node-clock.ts';
import { makeVerbs, type Prepared, type Verbs } from './verbs.ts';

export interface EdgeOptions {
  /** URL of the signaling server, or a signaling of your own. */
  readonly signaling: string | Signaling;
  /** How to open a WebSocket where the environment has none (Node before 22): `(url) => new WebSocket(url)` of `ws`. */
  readonly connect?: SignalingClientOptions['connect'];
  /** A directory for LMDB (the package `lmdb` must be installed), or storage of your own. 'memory' keeps nothing. */
  readonly storage: { readonly directory: string } | 'memory' | StorageProvider;
  /** A WebRTC implementation for the native link, or a transport of your own. */
  readonly link: { readonly RTCPeerConnection: typeof RTCPeerConnection } | Transport;
  readonly name?: string;
  readonly suffrage?: WantedSuffrage;
  readonly priority?: number;
  readonly preferred?: NodeId;
  readonly tuning?: Partial<TuningOptions>;
  /** How the leader decides who votes (AUTOPILOT_DEFAULTS). Errors: invalid-argument for a name or a number that cannot be. */
  readonly autopilot?: Partial<AutopilotOptions>;
  /** How many shall vote in a cluster that this node founds: 1 to 9. Default 3. */
  readonly votersTarget?: number;
  /** Names the device: one vote each (`autopilot.oneVoterPerDevice`). Default: one of its own. */
  readonly device?: string;
  /** When what is stored cannot be read: come back as a new node (default), or reject with `corrupt`. */
  readonly onCorrupt?: 'rejoin' | 'refuse';
  readonly signal?: AbortSignal;
}

const OPTION_NAMES: Names<EdgeOptions> = {
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
  device: true,
  onCorrupt: true,
  signal: true,
};

function prepare(mode: EntryMode, room: string, options: EdgeOptions | undefined): Prepared {
  if (options === undefined) throw new RaftError('invalid-argument', 'A node at the edge needs signaling, storage and link.');
  const storage = storageOf(options);
  return {
    options: {
      room,
      mode,
      storage,
      transport: transportOf(options),
      signaling: signalingOf(options),
      clock: nodeClock(),
      name: options.name ?? '',
      suffrage: options.suffrage ?? (storage.durable ? 'voter' : 'learner'),
      priority: options.priority ?? 0,
      preferred: options.preferred,
      tuning: resolveTuning(options.tuning),
      autopilot: resolveAutopilot(options.autopilot),
      votersTarget: options.votersTarget,
      device: options.device,
      lasting: true,
      onCorrupt: options.onCorrupt,
    },
    signal: options.signal,
  };
}

function signalingOf({ signaling, connect }: EdgeOptions): Signaling {
  return typeof signaling === 'string' ? new SignalingClient({ url: signaling, connect }) : signaling;
}

function transportOf({ link }: EdgeOptions): Transport {
  return 'start' in link ? link : webrtcTransport({ link: 'native', RTCPeerConnection: link.RTCPeerConnection });
}

function storageOf(options: EdgeOptions): StorageProvider {
  if (options.storage === 'memory') return new MemoryStorage();
  return 'acquire' in options.storage ? options.storage : new LmdbStorage({ path: options.storage.directory });
}

/** The ways into a room, for a Node process. */
export const raft: Verbs<EdgeOptions> = /* @__PURE__ */ makeVerbs(OPTION_NAMES, prepare);

export { LmdbStorage };
