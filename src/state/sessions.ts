/**
 * Client sessions: why a write that is sent twice is applied once (thesis §6.3).
 *
 * Part of the replicated state: every member holds the same table, it is in every snapshot, and it is
 * bounded and expired by log time only, never by a local clock.
 */
import type { NodeId } from '../core/types.ts';
import { isClientName } from '../trust/roles.ts';
import type { Outcome } from './state-machine.ts';

export interface StoredOutcome {
  readonly index: number;
  readonly term: number;
  readonly outcome: Outcome;
}

/** A session; as the answer to a lookup it says that the write is new. */
interface Session {
  readonly kind: 'new';
  readonly clientId: NodeId;
  lastActive: number;
  answeredBelow: number;
  readonly outcomes: Map<number, StoredOutcome>;
}

export interface SessionLimits {
  readonly sessionsMax: number;
  /** ms of log time without a write. */
  readonly sessionTtlMs: number;
}

/** Outcomes kept for one session: a client with more unanswered writes loses the oldest ones' outcomes. */
export const SESSION_OUTCOMES_MAX = 65_536;
/** Idempotency keys kept over all clients; the oldest go first. */
export const KEYS_MAX = 16_384;
/** Clients, which come and go and may be many, have this share of all sessions: they cannot push members' out. */
const CLIENT_SHARE = 4;
/** Expiry is looked at every so many entries: cheap, and at the same entry on every member. */
const EXPIRY_EVERY_ENTRIES = 256;

/** What the table knows of a write: not seen, done before, or too late to tell. */
export type Lookup =
  | Session
  | { readonly kind: 'done'; readonly stored: StoredOutcome }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'no-session' };
const FORGOTTEN: Lookup = { kind: 'forgotten' };
const NO_SESSION: Lookup = { kind: 'no-session' };

/** Plain form of the table, for snapshots. */
export type SessionsImage = readonly [
  sessions: ReadonlyArray<
    readonly [id: number, clientId: string, lastActive: number, answeredBelow: number, outcomes: readonly OutcomeImage[]]
  >,
  keys: ReadonlyArray<readonly [key: string, time: number, outcome: OutcomeImage]>,
];
type OutcomeImage = readonly [sequence: number, index: number, term: number, outcome: Outcome];

export class Sessions {
  readonly #sessions = new Map<number, Session>();
  readonly #keys = new Map<string, { readonly time: number; readonly stored: StoredOutcome }>();
  #limits: SessionLimits;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /** The limits are the cluster's, not this node's: they change by a configuration entry, at the same index everywhere. */
  setLimits(limits: SessionLimits): void {
    this.#limits = limits;
  }

  /** How long a session lives without a write, in ms. */
  get lifeMs(): number {
    return this.#limits.sessionTtlMs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Opens the session named by the index of its registering entry, making room by dropping the least active. */
  register(id: number, clientId: NodeId, now: number): void {
    const isFull = this.#sessions.size >= this.#limits.sessionsMax;
    if (isClientName(clientId) && this.#clients >= Math.max(1, Math.floor(this.#limits.sessionsMax / CLIENT_SHARE)))
      this.#dropLeastActive(({ clientId: other }) => isClientName(other));
    else if (isFull) this.#dropLeastActive(() => true);
    this.#sessions.set(id, { kind: 'new', clientId, lastActive: now, answeredBelow: 1, outcomes: new Map() });
  }

  close(id: number): void {
    this.#sessions.delete(id);
  }

  /** Looks a write up, noting that its session is alive and what its client has had answered. */
  lookup(
    write: { readonly session: number; readonly sequence: number; readonly answeredBelow: number; readonly key: string },
    now: number,
  ): Lookup {
    const session = this.#sessions.get(write.session);
    if (session === undefined) return NO_SESSION;
    session.lastActive = now;
    forgetBelow(session, write.answeredBelow);
    const stored = session.outcomes.get(write.sequence);
    if (stored !== undefined) return { kind: 'done', stored };
    if (write.sequence < session.answeredBelow) return FORGOTTEN;
    if (write.key !== '') {
      const known = this.#keys.get(write.key);
      if (known !== undefined) return { kind: 'done', stored: known.stored };
    }
    return session;
  }

  /** The outcome of a write of a session, if it is held. */
  outcomeOf(session: number, sequence: number): StoredOutcome | undefined {
    return this.#sessions.get(session)?.outcomes.get(sequence);
  }

  /** Whose it is; undefined for a session that is not there. */
  ownerOf(session: number): NodeId | undefined {
    return this.#sessions.get(session)?.clientId;
  }

  has(session: number): boolean {
    return this.#sessions.has(session);
  }

  /** Keeps the outcome of a write that a lookup in its session has found to be new. */
  remember(
    session: Session,
    write: { readonly sequence: number; readonly key: string },
    stored: StoredOutcome,
    now: number,
  ): void {
    session.outcomes.set(write.sequence, stored);
    if (session.outcomes.size > SESSION_OUTCOMES_MAX) forgetBelow(session, session.answeredBelow + 1);
    if (write.key === '') return;
    this.#keys.set(write.key, { time: now, stored });
    if (this.#keys.size > KEYS_MAX) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
  }

  /** Called for every applied entry, with log time: drops what has been silent too long. */
  expire(index: number, now: number): void {
    if (index % EXPIRY_EVERY_ENTRIES !== 0) return;
    const oldest = now - this.#limits.sessionTtlMs;
    for (const [id, session] of this.#sessions) if (session.lastActive < oldest) this.#sessions.delete(id);
    for (const [key, entry] of this.#keys) {
      if (entry.time >= oldest) break;
      this.#keys.delete(key);
    }
  }

  image(): SessionsImage {
    const sessions = [...this.#sessions].map(
      ([id, s]) =>
        [
          id,
          s.clientId,
          s.lastActive,
          s.answeredBelow,
          [...s.outcomes].map(([sequence, o]) => outcomeImage(sequence, o)),
        ] as const,
    );
    const keys = [...this.#keys].map(([key, entry]) => [key, entry.time, outcomeImage(0, entry.stored)] as const);
    return [sessions, keys];
  }

  load([sessions, keys]: SessionsImage): void {
    this.clear();
    for (const [id, clientId, lastActive, answeredBelow, outcomes] of sessions) {
      const restored = new Map(outcomes.map(([sequence, index, term, outcome]) => [sequence, { index, term, outcome }]));
      this.#sessions.set(id, { kind: 'new', clientId, lastActive, answeredBelow, outcomes: restored });
    }
    for (const [key, time, [, index, term, outcome]] of keys) this.#keys.set(key, { time, stored: { index, term, outcome } });
  }

  clear(): void {
    this.#sessions.clear();
    this.#keys.clear();
  }

  get #clients(): number {
    let count = 0;
    for (const { clientId } of this.#sessions.values()) if (isClientName(clientId)) count++;
    return count;
  }

  #dropLeastActive(isMeant: (session: Session) => boolean): void {
    let least: number | undefined;
    let leastActive = Number.POSITIVE_INFINITY;
    for (const [id, session] of this.#sessions) {
      if (session.lastActive < leastActive && isMeant(session)) {
        least = id;
        leastActive = session.lastActive;
      }
    }
    if (least !== undefined) this.#sessions.delete(least);
  }
}

function outcomeImage(sequence: number, stored: StoredOutcome): OutcomeImage {
  return [sequence, stored.index, stored.term, stored.outcome];
}

function forgetBelow(session: Session, answeredBelow: number): void {
  if (answeredBelow <= session.answeredBelow) return;
  if (answeredBelow - session.answeredBelow <= session.outcomes.size) {
    for (let sequence = session.answeredBelow; sequence < answeredBelow; sequence++) session.outcomes.delete(sequence);
  } else {
    for (const sequence of session.outcomes.keys()) if (sequence < answeredBelow) session.outcomes.delete(sequence);
  }
  session.answeredBelow = answeredBelow;
}
