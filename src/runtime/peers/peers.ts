/**
 * The other nodes as this one sees them: who is linked, who they said they are, what was asked of them and
 * not answered yet. Nothing is believed of a link before its hello fits this node's cluster.
 */
import { RaftError } from '../../core/errors.ts';
import type { Message, NodeId } from '../../core/types.ts';
import type { Lane, LinkState, Transport } from '../../transport/transport.ts';
import { decodePeerMessage, encodePeerMessage, type LinkEnds } from '../../wire/codec.ts';
import { MESSAGE_BYTES_MAX, STRANGER_BYTES_MAX } from '../../wire/limits.ts';
import type {
  Call,
  CallMethod,
  Goodbye,
  Hello,
  PeerMessage,
  Reply,
  ReplyError,
  Shown,
  SnapshotAck,
  SnapshotChunk,
  SnapshotOffer,
} from '../../wire/peer-message.ts';
import { PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../wire/peer-message.ts';
import { CALL_SINCE, RAFT_SINCE, REFUSAL_CODES, REFUSAL_REASONS } from '../../wire/tables.ts';
import type { Clock } from '../ports/clock.ts';
import { examine, type InboxView } from './inbox.ts';

/** Calls waiting for an answer from one peer; more are refused with `busy`. */
export const CALLS_PER_PEER_MAX = 1_024;
/** Messages that cannot be decoded, or that nobody honest says, before a peer's link is dropped; it may dial again. */
export const STRIKES_MAX = 3;
/** Nothing is heard of a peer whose link was dropped for its messages, for so long, in ms. */
export const STRIKES_PAUSE_MS = 10_000;

export const NO_BODY: Uint8Array = new Uint8Array(0);

export interface PeerHooks {
  /** What this node says of itself on a new link, and again when it changes. */
  hello(): Hello;
  /** Why a peer's hello does not fit, or undefined. */
  judge(hello: Hello): RaftError | undefined;
  onPeer(peer: Peer): void;
  /** What the inbox must know of this node. */
  readonly view: InboxView;
  /** A peer that is no member spoke as one. */
  onNotMember(peer: NodeId, message: PeerMessage): void;
  onRaft(message: Message): void;
  onCall(peer: NodeId, call: Call, reply: (body: Uint8Array, error?: RaftError) => void): void;
  onSnapshotOffer(peer: NodeId, offer: SnapshotOffer): void;
  onSnapshotChunk(peer: NodeId, chunk: SnapshotChunk): void;
  onSnapshotAck(peer: NodeId, ack: SnapshotAck): void;
  onGoodbye(peer: NodeId, goodbye: Goodbye): void;
  onPresence(peer: NodeId, shown: Shown): void;
  /** A member refuses this node: wrong cluster, old epoch, removed. */
  onRefused(peer: NodeId, error: RaftError): void;
  onTrace(direction: 'sent' | 'received', peer: NodeId, message: PeerMessage): void;
  /** A message could not be encoded. */
  onUnsendable(error: RaftError): void;
}

export interface CallResult {
  readonly body: Uint8Array;
  readonly error: RaftError | undefined;
}

interface WaitingCall {
  readonly done: (result: CallResult) => void;
  readonly deadlineMs: number;
  readonly askedMs: number;
}

export class Peer {
  readonly id: NodeId;
  link: LinkState | 'none' = 'none';
  /** What it said of itself on this link; undefined before. */
  hello: Hello | undefined;
  /** Monotonic ms of the last message from it; undefined before the first. */
  lastHeardMs: number | undefined;
  /** Monotonic ms at which it was asked the last question that it has answered: so much later at least it was there. */
  confirmedMs: number = Number.NEGATIVE_INFINITY;
  /** It said goodbye, and nothing since. */
  saidGoodbye = false;
  /** It is there, and says that it takes no part: its storage fails, or its page is put away. */
  isIdle = false;
  /** Its hello is its own, and of no other cluster, epoch or protocol than this node's. */
  fits = false;
  /** Its hello names this node's cluster. What it may say is for the inbox. */
  trusted = false;
  /** Of the protocol, the highest that both know; the lowest until its hello has said what it knows. */
  version: number = PROTOCOL_VERSION_MIN;
  strikes = 0;
  /** Monotonic ms until which it is not heard: it has said too much that nobody honest says. */
  mutedUntilMs = 0;
  readonly calls: Map<number, WaitingCall> = new Map();
  /** Who is at the two ends: what is known to both need not be said in every message. */
  readonly ends: LinkEnds;
  constructor(id: NodeId, self: NodeId) {
    this.id = id;
    this.ends = { self, peer: id };
  }
}

/** Nodes remembered beside the linked ones, for status; the oldest unlinked go first. */
const PEERS_REMEMBERED_MAX = 256;

export class Peers {
  readonly #self: NodeId;
  readonly #transport: Transport;
  readonly #clock: Clock;
  /** Set by `attach`, before the transport starts. */
  #hooks!: PeerHooks;
  readonly #peers = new Map<NodeId, Peer>();
  #nextCall = 1;
  traced = false;

  constructor(self: NodeId, transport: Transport, clock: Clock) {
    this.#self = self;
    this.#transport = transport;
    this.#clock = clock;
  }

  /** Says where what arrives shall go; called once. */
  attach(hooks: PeerHooks): void {
    this.#hooks = hooks;
  }

  all(): Iterable<Peer> {
    return this.#peers.values();
  }

  get(id: NodeId): Peer | undefined {
    return this.#peers.get(id);
  }

  isLinked(id: NodeId): boolean {
    return this.#peers.get(id)?.trusted === true;
  }

  /** Linked nodes that said they belong to a cluster: whom a newcomer may ask. */
  belonging(): { readonly id: NodeId; readonly clusterId: string }[] {
    const linked = [...this.#peers.values()].filter((peer) => peer.link === 'open');
    return linked.flatMap(({ id, hello }) =>
      hello === undefined || hello.clusterId === '' ? [] : [{ id, clusterId: hello.clusterId }],
    );
  }

  onLink(id: NodeId, state: LinkState): void {
    const peer = this.#peerOf(id);
    peer.link = state;
    // Its hello would not be heard: it has to dial again later.
    if (state === 'open' && this.#clock.monotonicMs() < peer.mutedUntilMs)
      return this.#transport.disconnect(id, 'message-invalid');
    if (state === 'open') {
      peer.hello = undefined;
      peer.version = PROTOCOL_VERSION_MIN;
      peer.fits = false;
      peer.trusted = false;
      peer.strikes = 0;
      this.#post(peer, this.#hooks.hello(), 'urgent');
    } else if (state === 'closed') {
      peer.fits = false;
      peer.trusted = false;
      this.#failCalls(peer, new RaftError('link-failed', `The link to ${id} closed.`));
    }
    this.#hooks.onPeer(peer);
  }

  /** Says hello again on every open link: this node has joined a cluster, or changed its mind. */
  announce(): void {
    const hello = this.#hooks.hello();
    for (const peer of this.#peers.values()) {
      if (peer.link !== 'open') continue;
      this.#post(peer, hello, 'urgent');
      if (peer.hello !== undefined) this.#judge(peer, peer.hello);
    }
  }

  /** The page or process of a peer has ended: as good as its goodbye, which it had no time to say. */
  onEnded(id: NodeId): void {
    const peer = this.#peers.get(id);
    if (peer?.trusted !== true || peer.saidGoodbye) return;
    peer.saidGoodbye = true;
    this.#hooks.onGoodbye(id, { kind: 'goodbye', reason: 'pagehide' });
  }

  onMessage(id: NodeId, bytes: Uint8Array): void {
    const peer = this.#peerOf(id);
    const now = this.#clock.monotonicMs();
    if (now < peer.mutedUntilMs) return;
    let message: PeerMessage;
    try {
      message = decodePeerMessage(bytes, peer.ends, peer.fits ? MESSAGE_BYTES_MAX : STRANGER_BYTES_MAX);
    } catch {
      return this.#strike(peer, 1);
    }
    if (this.traced) this.#hooks.onTrace('received', id, message);
    const verdict = examine(message, bytes.length, peer.ends, this.#hooks.view);
    if (verdict.kind === 'taken') {
      peer.lastHeardMs = now;
      peer.saidGoodbye = message.kind === 'goodbye';
      return this.#dispatch(peer, message);
    }
    this.#strike(peer, verdict.strikes);
    if (message.kind === 'call') this.#refuseCall(peer, message);
    if (verdict.notMember) this.#hooks.onNotMember(id, message);
  }

  #strike(peer: Peer, strikes: number): void {
    peer.strikes += strikes;
    if (strikes === 0 || peer.strikes < STRIKES_MAX) return;
    peer.mutedUntilMs = this.#clock.monotonicMs() + STRIKES_PAUSE_MS;
    this.#transport.disconnect(peer.id, 'message-invalid');
  }

  #refuseCall(peer: Peer, call: Call): void {
    const error = new RaftError('not-a-member', 'The caller is no member of a cluster of this node.');
    this.send(peer.id, { kind: 'reply', id: call.id, error: replyError(error), body: NO_BODY }, 'urgent');
  }

  #dispatch(peer: Peer, message: PeerMessage): void {
    switch (message.kind) {
      case 'hello':
        return this.#onHello(peer, message);
      case 'refusal':
        return this.#hooks.onRefused(peer.id, new RaftError(REFUSAL_CODES[message.reason], message.message));
      case 'goodbye':
        return this.#hooks.onGoodbye(peer.id, message);
      case 'presence':
        return this.#hooks.onPresence(peer.id, message);
      case 'call':
        return this.#onCall(peer, message);
      case 'reply':
        return this.#onReply(peer, message);
      case 'raft':
        return this.#hooks.onRaft(message.message);
      case 'snapshot-offer':
        return this.#hooks.onSnapshotOffer(peer.id, message);
      case 'snapshot-chunk':
        return this.#hooks.onSnapshotChunk(peer.id, message);
      case 'snapshot-ack':
        return this.#hooks.onSnapshotAck(peer.id, message);
    }
  }

  #onHello(peer: Peer, hello: Hello): void {
    peer.hello = hello;
    peer.version = versionError(hello) === undefined ? Math.min(PROTOCOL_VERSION_MAX, hello.versionMax) : PROTOCOL_VERSION_MIN;
    this.#judge(peer, hello);
    this.#hooks.onPeer(peer);
  }

  #judge(peer: Peer, hello: Hello): void {
    const error =
      hello.nodeId === peer.id
        ? (versionError(hello) ?? this.#hooks.judge(hello))
        : new RaftError('node-mismatch', `The link to ${peer.id} was answered by ${hello.nodeId}.`);
    const own = this.#hooks.hello();
    peer.fits = error === undefined;
    peer.trusted = peer.fits && own.clusterId !== '' && own.clusterId === hello.clusterId;
    if (error === undefined) return;
    const reason = REFUSAL_REASONS.find((each) => REFUSAL_CODES[each] === error.code) ?? 'not-a-member';
    this.#post(peer, { kind: 'refusal', reason, message: error.message }, 'urgent');
  }

  /** True when it went onto a link. Raft needs no more: what is lost is sent again. */
  sendRaft(message: Message): boolean {
    const peer = this.#peers.get(message.to);
    if (peer === undefined || !peer.trusted || (RAFT_SINCE[message.type] ?? 1) > peer.version) return false;
    return this.#post(peer, { kind: 'raft', group: 0, message }, 'urgent');
  }

  send(id: NodeId, message: PeerMessage, lane: Lane): boolean {
    const peer = this.#peers.get(id);
    return peer !== undefined && peer.link === 'open' && this.#post(peer, message, lane);
  }

  queuedBytes(id: NodeId, lane: Lane): number {
    return this.#transport.queuedBytes(id, lane);
  }

  goodbye(reason: Goodbye['reason']): void {
    for (const peer of this.#peers.values()) if (peer.link === 'open') this.#post(peer, { kind: 'goodbye', reason }, 'urgent');
  }

  /** Asks a linked node; `done` is called exactly once: with the answer, link-failed, busy or timeout. */
  call(id: NodeId, method: CallMethod, body: Uint8Array, timeoutMs: number, done: (result: CallResult) => void): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.link !== 'open') {
      return done({ body: NO_BODY, error: new RaftError('link-failed', `There is no open link to ${id}.`) });
    }
    if (peer.calls.size >= CALLS_PER_PEER_MAX) {
      return done({
        body: NO_BODY,
        error: new RaftError('busy', `${CALLS_PER_PEER_MAX} calls to ${id} are waiting.`, { retryAfterMs: 100 }),
      });
    }
    if ((CALL_SINCE[method] ?? 1) > peer.version)
      return done({ body: NO_BODY, error: new RaftError('protocol-mismatch', `${id} runs an earlier build.`) });
    const number = this.#nextCall++;
    const askedMs = this.#clock.monotonicMs();
    peer.calls.set(number, { done, deadlineMs: askedMs + timeoutMs, askedMs });
    if (this.#post(peer, { kind: 'call', id: number, method, body }, 'urgent')) return;
    peer.calls.delete(number);
    done({ body: NO_BODY, error: new RaftError('link-failed', `The link to ${id} takes no more.`) });
  }

  /** Ends the calls that nobody answered in time. Call on every tick. */
  tick(): void {
    const now = this.#clock.monotonicMs();
    for (const peer of this.#peers.values()) {
      for (const [id, call] of peer.calls) {
        if (call.deadlineMs > now) continue;
        peer.calls.delete(id);
        call.done({ body: NO_BODY, error: new RaftError('timeout', `${peer.id} did not answer.`) });
      }
    }
  }

  /** The clock stood still: who was heard just before may be long gone. */
  forgetContact(): void {
    for (const peer of this.#peers.values()) peer.lastHeardMs = undefined;
  }

  stop(error: RaftError): void {
    for (const peer of this.#peers.values()) this.#failCalls(peer, error);
  }

  #onCall(peer: Peer, call: Call): void {
    let answered = false;
    this.#hooks.onCall(peer.id, call, (body, error) => {
      if (answered) return;
      answered = true;
      this.send(peer.id, { kind: 'reply', id: call.id, error: error === undefined ? null : replyError(error), body }, 'urgent');
    });
  }

  #onReply(peer: Peer, reply: Reply): void {
    const call = peer.calls.get(reply.id);
    if (call === undefined) return;
    peer.calls.delete(reply.id);
    peer.confirmedMs = Math.max(peer.confirmedMs, call.askedMs);
    call.done({ body: reply.body, error: reply.error === null ? undefined : errorOf(reply.error) });
  }

  #failCalls(peer: Peer, error: RaftError): void {
    const calls = [...peer.calls.values()];
    peer.calls.clear();
    for (const call of calls) call.done({ body: NO_BODY, error });
  }

  #post(peer: Peer, message: PeerMessage, lane: Lane): boolean {
    if (this.traced) this.#hooks.onTrace('sent', peer.id, message);
    try {
      return this.#transport.send(peer.id, encodePeerMessage(message, peer.ends, peer.version), lane);
    } catch (error) {
      // What cannot be said is a fault of this node's, and no reason for it to end.
      this.#hooks.onUnsendable(RaftError.is(error) ? error : new RaftError('invariant', String(error), { cause: error }));
      return false;
    }
  }

  #peerOf(id: NodeId): Peer {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      peer = new Peer(id, this.#self);
      this.#peers.set(id, peer);
      if (this.#peers.size > PEERS_REMEMBERED_MAX) this.#forgetOne();
    }
    return peer;
  }

  #forgetOne(): void {
    for (const peer of this.#peers.values()) {
      if (peer.link === 'open' || peer.link === 'connecting') continue;
      this.#peers.delete(peer.id);
      return;
    }
  }
}

function versionError(hello: Hello): RaftError | undefined {
  if (hello.versionMin <= PROTOCOL_VERSION_MAX && hello.versionMax >= PROTOCOL_VERSION_MIN) return undefined;
  return new RaftError(
    'protocol-mismatch',
    `${hello.nodeId} speaks protocol versions ${hello.versionMin} to ${hello.versionMax}, this node ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}.`,
  );
}

function replyError(error: RaftError): ReplyError {
  return { code: error.code, message: error.message, leaderHint: error.leaderHint ?? '', retryAfterMs: error.retryAfterMs ?? 0 };
}

function errorOf(error: ReplyError): RaftError {
  return new RaftError(error.code, error.message, {
    leaderHint: error.leaderHint === '' ? undefined : error.leaderHint,
    retryAfterMs: error.retryAfterMs === 0 ? undefined : error.retryAfterMs,
  });
}
