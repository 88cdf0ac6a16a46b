/** The Transport port over a medium: one session per peer that can be reached over it. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Discovery, Lane, LinkSecurity, LinkStatus, Transport, TransportHandlers } from '../transport.ts';
import type { Medium } from './medium.ts';
import { Session, type SessionContext } from './session.ts';

/** Peers of one medium. Others are left alone. */
const PEERS_MAX = 64;

export class MediumTransport implements Transport {
  readonly kind: string;
  readonly #medium: Medium;
  readonly #sessions = new Map<NodeId, Session>();
  readonly #leaving = new Set<Promise<void>>();
  #context: SessionContext | undefined;
  #preferred: ReadonlySet<NodeId> | undefined;
  #dialsOthers: boolean;
  #stopped = false;

  /** @param dials whether peers are greeted before `prefer` has said whom to. */
  constructor(medium: Medium, dials: boolean) {
    this.#medium = medium;
    this.kind = medium.kind;
    this.#dialsOthers = dials;
  }

  async start(self: NodeId, handlers: TransportHandlers, discovery: Discovery): Promise<void> {
    this.#context = {
      self,
      medium: this.#medium,
      onMessage: (peer, message) => {
        if (!this.#stopped) handlers.onMessage(peer, message);
      },
      onLink: (peer, state) => {
        if (!this.#stopped) handlers.onLink(peer, state);
      },
      onLeaving: (leaving) => {
        const done = leaving.finally(() => this.#leaving.delete(done));
        this.#leaving.add(done);
      },
    };
    await this.#medium.open(
      self,
      {
        onPeers: (peers) => this.#onPeers(peers),
        onFrame: (from, frame) => this.#hear(from, frame),
        onGone: (peer, why) => {
          for (const session of this.#sessions.values()) if (peer === undefined || session.id === peer) session.gone(why);
        },
        onEnded: (peer) => {
          if (!this.#stopped && this.#sessions.get(peer)?.status().state === 'open') handlers.onEnded?.(peer);
        },
        onDrain: () => {
          for (const session of this.#sessions.values()) session.drained();
        },
        onFault: (error) => {
          if (!this.#stopped) handlers.onFault(error);
        },
      },
      discovery,
    );
  }

  send(peer: NodeId, bytes: Uint8Array, lane: Lane): boolean {
    return this.#sessions.get(peer)?.send(bytes, lane) === true;
  }

  prefer(peers: readonly NodeId[], others: 'later' | 'never'): void {
    this.#preferred = new Set(peers);
    this.#dialsOthers = others === 'later';
    for (const session of this.#sessions.values()) session.setWanted(this.#isWanted(session.id));
  }

  hurry(): void {
    this.#medium.lookAgain?.();
    for (const session of this.#sessions.values()) session.hurry();
  }

  queuedBytes(peer: NodeId, lane: Lane): number {
    return this.#sessions.get(peer)?.queuedBytes(lane) ?? 0;
  }

  links(): readonly LinkStatus[] {
    return [...this.#sessions.values()].map((session) => session.status());
  }

  security(peer: NodeId): LinkSecurity | undefined {
    const context = this.#context;
    if (context === undefined || this.#sessions.get(peer)?.status().state !== 'open') return undefined;
    return { protection: this.#medium.protection, initiator: context.self < peer, binding: undefined };
  }

  disconnect(peer: NodeId, reason: string): void {
    this.#sessions.get(peer)?.disconnect(new RaftError('link-failed', `disconnected: ${reason}`));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const session of this.#sessions.values()) session.stop();
    await Promise.all(this.#leaving); // the medium still carries their last words
    this.#sessions.clear();
    await this.#medium.close();
  }

  #onPeers(peers: readonly NodeId[]): void {
    if (this.#stopped) return;
    const now = new Set(peers);
    for (const session of this.#sessions.values()) {
      if (now.has(session.id)) continue;
      session.setPresent(false);
      if (session.status().state === 'closed') this.#sessions.delete(session.id);
    }
    for (const id of now) this.#sessionOf(id)?.setPresent(true);
  }

  #hear(from: NodeId, frame: Uint8Array): void {
    // While this end leaves, what the others still say is heard: their answers to its farewell.
    (this.#stopped ? this.#sessions.get(from) : this.#sessionOf(from))?.hear(frame);
  }

  #isWanted(id: NodeId): boolean {
    return this.#dialsOthers || this.#preferred?.has(id) === true;
  }

  #sessionOf(id: NodeId): Session | undefined {
    const known = this.#sessions.get(id);
    const context = this.#context;
    if (known !== undefined || context === undefined || id === context.self || this.#sessions.size >= PEERS_MAX) return known;
    const session = new Session(id, context);
    this.#sessions.set(id, session);
    session.setWanted(this.#isWanted(id));
    return session;
  }
}
