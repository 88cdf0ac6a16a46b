/** `raft.enter` and its kin for a page: the browser's storage, links to its other tabs and WebRTC, the page's own signaling server, ticks from a worker. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { RecordOptions, TuningOptions, WantedSuffrage } from '../runtime/api/api.ts';
import type { ClientNode } from '../runtime/api/client.ts';
import { type AutopilotOptions, type EntryMode, resolveAutopilot, resolveTuning } from '../runtime/api/options.ts';
import type { Runtime } from '../runtime/node/runtime.ts';
import { type Names, requireOneOf } from '../runtime/ports/require-known.ts';
import { SignalingClient } from '../signaling/client.ts';
import { SIGNALING_PATH } from '../signaling/protocol.ts';
import { IS_DEVELOPMENT } from '../state/development.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import { IdbStorage } from '../storage/idb/idb-storage.ts';
import { MemoryStorage } from '../storage/memory/memory-storage.ts';
import type { StorageProvider } from '../storage/storage.ts';
import { broadcastTransport } from '../transport/broadcast.ts';
import { multiTransport } from '../transport/multi/transport.ts';
import { relayTransport } from '../transport/relay.ts';
import type { Transport } from '../transport/transport.ts';
import { webrtcTransport } from '../transport/webrtc/transport.ts';
import { accessBy } from '../trust/access.ts';
import { type RoomLink, requireRoomName } from '../trust/room-link.ts';
import { createSecret } from '../trust/secret.ts';
import { browserClock } from './browser-clock.ts';
import { BROWSER_STORAGE_KINDS, type BrowserStorageKind, browserStorage } from './browser-storage.ts';
import { deviceId, deviceVoters, noteVoter, pageWitness } from './device.ts';
import { followSecret, keptLink } from './kept-room.ts';
import { CLIENT_OPTION_NAMES, type ClientOptions, checkClientCall, openClientIn } from './open-client.ts';
import { watchPageLife } from './page-life.ts';
import { watchSurroundings } from './page-surroundings.ts';
import { linkFrom, linkIn, type RoomOptions } from './room-access.ts';
import { makeVerbs, type Prepared, type Verbs } from './verbs.ts';

export interface OpenOptions extends RoomOptions {
  /** URL of the signaling server (ws: or wss:). Default: this page's own origin, path SIGNALING_PATH. */
  readonly signaling?: string;
  /** A name for people. */
  readonly name?: string;
  /**
   * Where the node is kept: 'indexeddb' (default); 'opfs', files of the browser, faster, and refused with `storage-unavailable`
   * where there are none; 'auto', files where they can be had and else IndexedDB, as `status.storageKind` says. A node that this
   * device keeps in the other of the two moves over, as it is. 'memory' keeps nothing: such a node joins as a learner unless
   * suffrage says otherwise; alone it founds. Errors: invalid-argument for another word.
   */
  readonly storage?: BrowserStorageKind | 'memory' | StorageProvider;
  /** Which WebRTC link to other browsers (tabs of this one are reached without); or a transport of your own. Default 'simple-peer'. */
  readonly link?: 'simple-peer' | 'native' | Transport;
  /**
   * Whether frames may go through the signaling server to members that WebRTC has not reached for a few seconds, until it does; sealed, so
   * that the server cannot read them. A member at the edge without WebRTC can be reached in no other way. Default true.
   */
  readonly relay?: boolean;
  /** Puts something of yours around the transport that is used: to count, hold back or lose what passes. For tests and demos. */
  readonly interpose?: (transport: Transport) => Transport;
  readonly iceServers?: readonly RTCIceServer[] | (() => Promise<readonly RTCIceServer[]>);
  readonly suffrage?: WantedSuffrage;
  readonly priority?: number;
  readonly tuning?: Partial<TuningOptions>;
  /** How the leader decides who votes (AUTOPILOT_DEFAULTS). Errors: invalid-argument for a name or a number that cannot be. */
  readonly autopilot?: Partial<AutopilotOptions>;
  /** How many shall vote in a cluster that this node founds: 1 to 9. Default 3. */
  readonly votersTarget?: number;
  /** In a cluster that this node founds: commands are refused (`no-quorum`) where fewer voters hold them. 1 to 5. Default 1. */
  readonly minCopies?: number;
  /** Names the device: one vote each (`autopilot.oneVoterPerDevice`). Default: a random name of this origin and profile; '' for none. */
  readonly device?: string;
  /** When what is stored cannot be read: come back as a new node (default), or reject with `corrupt`. */
  readonly onCorrupt?: 'rejoin' | 'refuse';
  /** Records what the node's core is told, to be replayed (RaftNode.record). Default false. */
  readonly record?: boolean | RecordOptions;
  /** Aborts the opening. */
  readonly signal?: AbortSignal;
}

const OPTION_NAMES: Names<OpenOptions> = {
  secret: true,
  openRoom: true,
  authorize: true,
  signaling: true,
  name: true,
  storage: true,
  link: true,
  relay: true,
  interpose: true,
  iceServers: true,
  suffrage: true,
  priority: true,
  tuning: true,
  autopilot: true,
  votersTarget: true,
  minCopies: true,
  device: true,
  onCorrupt: true,
  record: true,
  signal: true,
};

/** Where a tab remembers its identity over a reload. A copy of it in a duplicated tab does no harm: the identity is locked. */
const PREFERRED_KEY = 'tabraft/identity/';

async function prepare(mode: EntryMode, given: string, options: OpenOptions = {}): Promise<Prepared> {
  const known = linkFrom(given, options);
  const storage = storageOf(options);
  const signaling = new SignalingClient({ url: options.signaling ?? ownSignalingUrl() });
  const makeTransport = transportOf(options, signaling);
  // Last: what is wrong with the call is told before anything is kept.
  const access = await accessBy(known ?? (await linkOfPage(requireRoomName(given), storage)));
  const { room, shelf, rendezvous } = access;
  return {
    options: {
      room,
      authorize: options.authorize,
      access,
      mode,
      storage,
      transport: interposed(options, makeTransport(rendezvous)),
      signaling,
      clock: browserClock(),
      name: options.name ?? '',
      suffrage: options.suffrage ?? (storage.durable ? 'voter' : 'learner'),
      priority: options.priority ?? 0,
      preferred: readPreferred(shelf),
      favoured: deviceVoters(shelf),
      tuning: resolveTuning({ ...DEVELOPMENT_TUNING, ...options.tuning }),
      autopilot: resolveAutopilot(options.autopilot),
      votersTarget: options.votersTarget,
      minCopies: options.minCopies,
      device: options.device ?? deviceId(),
      onCorrupt: options.onCorrupt,
      bootWitness: pageWitness(),
      record: options.record === true ? {} : options.record || undefined,
    },
    signal: options.signal,
    opened: (engine) => {
      if (IS_DEVELOPMENT) tellOfSecondEntry(shelf, engine);
      writePreferred(shelf, engine.id);
      followVotes(shelf, engine);
      followSecret(access, engine.trust, engine.emitter);
      followPage(engine);
    },
  };
}

/** Members compare their states often, so that one that differs is found while its author looks. */
const DEVELOPMENT_TUNING: Partial<TuningOptions> = IS_DEVELOPMENT ? { digestEveryEntries: 50 } : {};

/** What this device's nodes vote in is remembered for when the browser comes back. */
function followVotes(shelf: string, { id, emitter, standing }: Runtime): void {
  emitter.on('config', ({ voters }) => noteVoter(shelf, id, voters.includes(id)));
  noteVoter(shelf, id, standing.member?.conf.voters.includes(id) === true);
}

/** Told that its leader goes, the others elect at once, not after a timeout. */
function followPage(engine: Runtime): void {
  const surroundings = watchSurroundings(engine.reports.own);
  const life = watchPageLife({
    onGone: () => void engine.stop('pagehide'),
    onPutAway: () => engine.pause(),
    onBack: () => engine.resume(),
  });
  engine.onEnd(() => {
    surroundings.stop();
    life.stop();
  });
}

/** Rooms that nodes of this page are in: for the development build. */
const entered = new Map<string, number>();

/** Two members in one page is what a hot reload or a forgotten `stop` leaves behind: both vote, and one of them will be gone. */
function tellOfSecondEntry(room: string, engine: Runtime): void {
  const before = entered.get(room) ?? 0;
  entered.set(room, before + 1);
  engine.onEnd(() => entered.set(room, (entered.get(room) ?? 1) - 1));
  if (before > 0)
    engine.application.reportMisuse(
      `This page has entered the room ${room} ${before + 1} times: each is a member of its own. Keep one node for a page, and stop it before the next (node.stop()).`,
    );
}

/**
 * Of a room given by its name alone: the link that the page was opened with, else the secret that this site keeps for the name.
 * Errors: those of a link that was cut; insecure-context, storage-unavailable.
 */
async function linkOfPage(room: string, { durable }: Pick<StorageProvider, 'durable'>): Promise<RoomLink> {
  const inPage = linkIn(globalThis.location?.hash ?? '', room);
  if (inPage !== undefined) return inPage;
  // Where nothing can be kept, others come in by this node's link.
  if (!durable && globalThis.indexedDB === undefined) return { kind: 'secret', secret: createSecret(room), at: undefined };
  return keptLink(room);
}

function storageOf(options: OpenOptions): StorageProvider {
  const { storage } = options;
  if (storage === 'memory') return new MemoryStorage();
  if (typeof storage === 'object' && typeof storage?.acquire === 'function') return storage;
  if (storage !== undefined) requireOneOf('storage', storage, [...BROWSER_STORAGE_KINDS, 'memory']);
  return browserStorage(storage as BrowserStorageKind | undefined);
}

/** Errors: invalid-argument. */
function interposed({ interpose }: OpenOptions, transport: Transport): Transport {
  if (interpose === undefined) return transport;
  const made = typeof interpose === 'function' ? interpose(transport) : undefined;
  if (typeof made?.start !== 'function' || typeof made.send !== 'function')
    throw new RaftError('invalid-argument', 'interpose must be a function that gives a transport.');
  return made;
}

/**
 * To tabs of this browser over BroadcastChannels, which needs no server and no network; to everybody else over WebRTC, and over the
 * relay to whom that does not reach. Without WebRTC it is its error: a page that only its neighbours can reach would keep a room from
 * everybody else, and a server need not relay.
 */
function transportOf(options: OpenOptions, signaling: SignalingClient): (rendezvous: string) => Transport {
  const given = options.link;
  if (typeof given === 'object' && typeof given?.start === 'function') return () => given;
  // Unless the application says otherwise, the signaling server may name servers; by itself tabraft names none.
  const iceServers = options.iceServers ?? (() => signaling.iceServers());
  const link = options.link ?? 'simple-peer';
  if (typeof link === 'object') throw new RaftError('invalid-argument', 'A transport of your own needs a start function.');
  requireOneOf('link', link, ['simple-peer', 'native']);
  const { relay = true } = options;
  if (typeof relay !== 'boolean') throw new RaftError('invalid-argument', `relay is true or false, got ${String(relay)}.`);
  const webrtc = webrtcTransport({ link, iceServers });
  const { BroadcastChannel, RTCPeerConnection } = globalThis;
  if (typeof RTCPeerConnection !== 'function') return () => webrtc;
  const fallback = relay ? relayTransport({ relay: signaling }) : undefined;
  const isAlone = typeof BroadcastChannel !== 'function';
  if (isAlone && fallback === undefined) return () => webrtc;
  return (room) => multiTransport({ transports: isAlone ? [webrtc] : [broadcastTransport({ room }), webrtc], fallback });
}

/** Errors: invalid-argument outside a page. */
function ownSignalingUrl(): string {
  const { location } = globalThis;
  if (location === undefined)
    throw new RaftError('invalid-argument', 'Outside a page the URL of the signaling server must be given.');
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}${SIGNALING_PATH}`;
}

function readPreferred(room: string): NodeId | undefined {
  try {
    return globalThis.sessionStorage?.getItem(PREFERRED_KEY + room) ?? undefined;
  } catch {
    return undefined;
  }
}

function writePreferred(room: string, id: NodeId): void {
  try {
    globalThis.sessionStorage?.setItem(PREFERRED_KEY + room, id);
  } catch {
    // A page without session storage takes whichever of its identities is free.
  }
}

/** What a client in a page is opened with. */
export interface OpenClientOptions
  extends ClientOptions,
    Pick<OpenOptions, 'signaling' | 'link' | 'relay' | 'interpose' | 'iceServers'> {}

const CLIENT_NAMES: Names<OpenClientOptions> = {
  ...CLIENT_OPTION_NAMES,
  signaling: true,
  link: true,
  relay: true,
  interpose: true,
  iceServers: true,
};

/**
 * A client: a page that is no member, and reads, proposes and watches through any that is. It keeps nothing, and every opening is
 * another one. Errors: those of `raft.enter` but storage's.
 */
export async function openClient<S, C extends Handlers<S>, Q extends Queries<S>>(
  room: string,
  machine: StateMachine<S, C, Q>,
  options: OpenClientOptions = {},
): Promise<ClientNode<S, C, Q>> {
  checkClientCall(room, machine, options, CLIENT_NAMES);
  const known = linkFrom(room, options);
  const signaling = new SignalingClient({ url: options.signaling ?? ownSignalingUrl() });
  const makeTransport = transportOf(options, signaling);
  const access = await accessBy(known ?? (await linkOfPage(requireRoomName(room), { durable: true })));
  const transport = interposed(options, makeTransport(access.rendezvous));
  return openClientIn(machine, { access, transport, signaling, clock: browserClock() }, options);
}

/** The ways into a room, for a page. */
export const raft: Verbs<OpenOptions> = /* @__PURE__ */ makeVerbs(OPTION_NAMES, prepare);

export type { Transport };
export { IdbStorage };
