/**
 * One link of a transport, from the moment its channel is open: first the proof, then the link's own messages. Nothing of the
 * peer's is handed on before it is proven; whatever cannot be read ends the link.
 *
 * Behind the proof a message goes as it is, but for those that begin with a mark of this room or are empty: these get ESCAPE in
 * front. One word is this room's own: HEARD says that the peer is proven here, so that it may say more than a stranger could.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Lane, LinkSecurity } from '../../transport/transport.ts';
import { type TrustErrorCode, trustErrorOf } from '../errors.ts';
import { Handshake, type HandshakeFailure, type ProvenPeer } from '../handshake/handshake.ts';
import { HANDSHAKE_MARK } from '../handshake/messages.ts';
import type { HandshakeOptions } from '../handshake/offer.ts';
import { EARLY_MESSAGES_MAX, HANDSHAKE_MESSAGE_BYTES_MAX, LANE_BYTES_MAX } from '../limits.ts';
import { Backlog } from './backlog.ts';
import { SealedLanes } from './sealed-lanes.ts';

const ESCAPE = 0xf0;
/** No message of the link becomes this one: behind ESCAPE comes a mark, or nothing. */
const HEARD: Uint8Array = Uint8Array.of(ESCAPE, 0);

/** What a link needs of the transport below it, and tells the one above. */
export interface LinkContext {
  readonly peer: NodeId;
  readonly security: LinkSecurity;
  /** Into the channel below; false when that is gone or full. */
  send(bytes: Uint8Array, lane: Lane): boolean;
  /** Bytes that wait in the channel below. */
  queuedBytes(lane: Lane): number;
  onProven(proven: ProvenPeer): void;
  onMessage(bytes: Uint8Array): void;
  /** At most once, also behind `close`: the channel below has to be closed, behind what was sent. `failure`: why the peer was not let in, or turned this node away. */
  onOver(error: RaftError, failure: HandshakeFailure | undefined): void;
}

export class ProvenLink {
  proven: ProvenPeer | undefined;
  readonly #context: LinkContext;
  #handshake: Handshake | undefined;
  #sealed: SealedLanes | undefined;
  /** Of a peer whose proof is not begun yet. */
  #early: Uint8Array[] = [];
  readonly #backlog: Backlog = new Backlog((bytes, lane) => this.#pass(bytes, lane));
  #over = false;
  #told = false;
  #closed = false;

  constructor(context: LinkContext) {
    this.#context = context;
  }

  /** Begins the proof, and reads what has come meanwhile. */
  begin(options: Omit<HandshakeOptions, 'end' | 'binding' | 'peer'>): void {
    if (this.#over || this.#closed || this.#handshake !== undefined) return;
    const { security, peer } = this.#context;
    const { protection, initiator, binding } = security;
    // Without the certificates nobody could tell whose encryption it is.
    if (protection === 'dtls' && binding === undefined)
      return this.#fail(trustErrorOf('proof-failed', 'the link does not say which certificates it has'));
    const end = initiator ? 'dialler' : 'answerer';
    // Both ends have the same bytes here, both certificates in one order: they stand for either.
    const bound = binding === undefined ? undefined : { own: binding, peer: binding };
    this.#handshake = Handshake.start(
      { ...options, end, peer, binding: bound },
      {
        send: (message) => {
          if (!this.#context.send(message, 'urgent')) throw new RaftError('link-failed', 'The link takes no messages.');
        },
        onProven: (proven) => this.#onProven(proven),
        onFailed: (failure) => this.#end(failure.error, failure),
      },
    );
    for (const message of this.#early.splice(0)) this.#handshake.onBytes(message);
  }

  hear(bytes: Uint8Array): void {
    if (this.#over || this.#closed) return;
    if (this.#handshake === undefined) return this.#keepEarly(bytes);
    if (!this.#handshake.onBytes(bytes)) this.#read(bytes);
  }

  /** False when the peer is not proven, or too much waits. */
  send(bytes: Uint8Array, lane: Lane): boolean {
    if (this.#over || this.#closed || this.proven === undefined) return false;
    const first = bytes[0];
    const isMarked = first === undefined || first === ESCAPE || first === HANDSHAKE_MARK;
    return this.#backlog.push(isMarked ? escaped(bytes) : bytes, lane);
  }

  queuedBytes(lane: Lane): number {
    return this.#backlog.bytes(lane) + (this.#sealed?.waitingBytes(lane) ?? 0);
  }

  /** What the peer was let in by is over: from here on nothing is heard of it or said to it, but why. */
  refuse(code: TrustErrorCode): void {
    if (this.#over || this.#closed || this.proven === undefined) return;
    this.#over = true;
    this.#handshake?.refuse(code);
  }

  /**
   * The channel below is closed; nothing is sent any more. What has come is still read: a peer that turns this node away closes
   * behind its word, and what others carried is still being opened.
   * @param read runs when it has been read
   */
  close(read: () => void): void {
    this.#closed = true;
    this.#handshake?.close();
    const end = (): void => {
      this.#over = true;
      read();
    };
    if (this.#sealed === undefined || this.#over) end();
    else this.#sealed.whenRead(end);
  }

  /** All that was given to `send` is in the channel below. */
  get isDrained(): boolean {
    return this.#backlog.isEmpty && (this.#sealed?.isIdle ?? true);
  }

  /** Resolves when it is; never, when the peer does not say a word any more. */
  async drained(): Promise<void> {
    if (!this.#backlog.isEmpty) await this.#backlog.released;
    await this.#sealed?.drained();
  }

  #keepEarly(bytes: Uint8Array): void {
    if (this.#early.length >= EARLY_MESSAGES_MAX || bytes.length > HANDSHAKE_MESSAGE_BYTES_MAX)
      return this.#fail(trustErrorOf('message-invalid', 'it said too much before it proved anything'));
    this.#early.push(bytes.slice());
  }

  #onProven(proven: ProvenPeer): void {
    if (this.#over || this.#closed) return;
    this.proven = proven;
    const { protection } = this.#context.security;
    if (protection === 'none') {
      if (proven.sealKeys === undefined) return this.#fail(new RaftError('link-failed', 'There are no keys to seal with.'));
      this.#sealed = new SealedLanes(proven.sealKeys, {
        onSealed: (bytes, lane) => {
          if (!this.#over && !this.#closed && !this.#context.send(bytes, lane))
            this.#fail(new RaftError('link-failed', 'The link is full.'));
        },
        onOpened: (bytes) => {
          if (!this.#over) this.#hand(bytes);
        },
        onBroken: (error) =>
          this.#fail(RaftError.is(error) ? error : new RaftError('link-failed', 'Sealing failed.', { cause: error })),
      });
    }
    this.#pass(HEARD, 'urgent');
    this.#context.onProven(proven);
    for (const message of proven.early) this.#read(message);
  }

  #pass(bytes: Uint8Array, lane: Lane): boolean {
    if (this.#sealed === undefined) return this.#context.send(bytes, lane);
    const queued = this.#context.queuedBytes(lane) + this.#sealed.waitingBytes(lane);
    if (queued > 0 && queued + bytes.length > LANE_BYTES_MAX[lane]) return false;
    this.#sealed.seal(bytes, lane);
    return true;
  }

  #read(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#sealed === undefined) this.#hand(bytes);
    else this.#sealed.open(bytes);
  }

  #hand(bytes: Uint8Array): void {
    // Whatever it says, it says it to a node that it has proven.
    if (!this.#closed && !this.#backlog.release()) return this.#fail(new RaftError('link-failed', 'The link is full.'));
    if (bytes[0] !== ESCAPE) return this.#context.onMessage(bytes);
    if (bytes.length !== HEARD.length || bytes[1] !== HEARD[1]) this.#context.onMessage(bytes.subarray(1));
  }

  #fail(error: RaftError): void {
    this.#end(error, this.proven === undefined ? { error, origin: 'self' } : undefined);
  }

  #end(error: RaftError, failure: HandshakeFailure | undefined): void {
    this.#over = true;
    if (this.#told) return;
    this.#told = true;
    this.#context.onOver(error, failure);
  }
}

function escaped(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + 1);
  longer[0] = ESCAPE;
  longer.set(bytes, 1);
  return longer;
}
