/**
 * Who is here, and what they show of themselves: over the links, beside the log. Each member tells every linked one, throttled and
 * said again before it is forgotten. What came from others is decoded when somebody looks, so that a flood costs next to nothing.
 */
import { packCommand, unpackCommand } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { sameValue } from '../../state/same-value.ts';
import { PRESENCE_BYTES_MAX, PRESENCE_TTL_MS_MAX } from '../../wire/limits.ts';
import type { Shown } from '../../wire/peer-message.ts';
import { PRESENCE_SINCE } from '../../wire/tables.ts';
import type { Presence, Present, ShowOptions } from '../api/presence.ts';
import type { Registration } from '../api/registration.ts';
import { contextOf } from '../member/configuration.ts';
import type { Peer } from '../peers/peers.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireKnown } from '../ports/require-known.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import { PresenceListeners } from './presence-listeners.ts';

/** Between two tellings of a value that changes, in ms: a cursor looks smooth at 20 a second. */
export const TELL_EVERY_MS = 50;
/** Listeners hear of changes at most this often, in ms, whoever sends how much. */
const SHOW_EVERY_MS = 30;
/** What is shown without a time of its own is forgotten after so long, in ms, and said again three times in it. */
export const SHOWN_MS = 15_000;
const AGAIN_MS: number = SHOWN_MS / 3;
/** A member whose link broke is still here for so long, in ms: links break and come back. */
export const GRACE_MS = 3_000;
/** Members that are remembered; nobody has so many links. */
const PRESENT_MAX = 1_024;
const TTL_MS_MIN = 100;

interface Other {
  readonly id: NodeId;
  data: Uint8Array | null;
  /** The decoded value; undefined until somebody looks, or for nothing. */
  value: unknown;
  isDecoded: boolean;
  /** Monotonic ms at which what it shows is forgotten. */
  untilMs: number;
  /** Monotonic ms at which it is not here any more; infinite while it is linked. */
  goneAtMs: number;
}

const NOTHING: readonly Present[] = [];

export class PresenceBoard implements Presence {
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  readonly #others = new Map<NodeId, Other>();
  readonly #listeners: PresenceListeners;
  #own: { readonly state: unknown; readonly data: Uint8Array | null; readonly untilMs: number } | undefined;
  #shown: readonly Present[] = NOTHING;
  /** As listeners heard it last. */
  #lastTold: readonly Present[] = NOTHING;
  #isStale = false;
  /** A link took nothing: it is told at the next tick. */
  #hasMissed = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #tellTimer: { stop(): void } | undefined;
  #showTimer: { stop(): void } | undefined;
  #ended = false;

  constructor(standing: Standing, speakers: Speakers, reportError: (error: unknown) => void) {
    this.#standing = standing;
    this.#speakers = speakers;
    this.#listeners = new PresenceListeners(reportError);
  }

  get own(): unknown {
    return this.#own?.state;
  }

  get others(): readonly Present[] {
    if (this.#isStale) this.#look();
    return this.#shown;
  }

  set(state: unknown, options: ShowOptions = {}): void {
    const data = packShown(state, options);
    const { ttlMs } = options;
    const now = this.#standing.clock.monotonicMs();
    // A copy: what the caller does with its object later is not shown.
    const kept = data === null ? undefined : unpackCommand(data);
    this.#own = { state: kept, data, untilMs: ttlMs === undefined ? Number.POSITIVE_INFINITY : now + ttlMs };
    this.#tellSoon();
  }

  subscribe(listener: (others: readonly Present[]) => void, options: { readonly signal?: AbortSignal } = {}): Registration {
    return this.#listeners.add(listener, options);
  }

  // ---- what comes over the links; only members are heard (peers/inbox)

  onPresence(peer: NodeId, { data, ttlMs }: Shown): void {
    const other = this.#otherOf(peer);
    if (other === undefined) return;
    // A view on the link's buffer, and what is kept must not keep that.
    other.data = data === null ? null : data.slice();
    other.isDecoded = false;
    other.untilMs = this.#standing.clock.monotonicMs() + ttlMs;
    this.#changed();
  }

  /** A link has opened, closed, or its hello has been judged. */
  onPeer(peer: Peer): void {
    if (this.#isHere(peer)) {
      const known = this.#others.get(peer.id);
      const other = this.#otherOf(peer.id);
      if (other === undefined) return;
      const isNew = known === undefined || known.goneAtMs !== Number.POSITIVE_INFINITY;
      other.goneAtMs = Number.POSITIVE_INFINITY;
      if (!isNew) return;
      this.#tell(peer);
      return this.#changed();
    }
    const other = this.#others.get(peer.id);
    if (other !== undefined && other.goneAtMs === Number.POSITIVE_INFINITY)
      other.goneAtMs = this.#standing.clock.monotonicMs() + GRACE_MS;
  }

  /** It goes on purpose: nobody has to wait for its time. */
  onGoodbye(peer: NodeId): void {
    if (this.#others.delete(peer)) this.#changed();
  }

  tick(): void {
    const now = this.#standing.clock.monotonicMs();
    for (const peer of this.#standing.peers.all()) this.onPeer(peer);
    for (const other of [...this.#others.values()]) {
      if (other.goneAtMs <= now || !this.#isMember(other.id)) this.onGoodbye(other.id);
      else if (other.data !== null && other.untilMs <= now) {
        other.data = null;
        other.isDecoded = false;
        this.#changed();
      }
    }
    if (this.#own === undefined) return;
    if (this.#own.data !== null && this.#own.untilMs <= now) {
      this.#own = { state: undefined, data: null, untilMs: Number.POSITIVE_INFINITY };
      return;
    }
    if (this.#hasMissed || (this.#own.data !== null && now - this.#toldAtMs >= AGAIN_MS)) this.#tellSoon();
  }

  stop(): void {
    this.#ended = true;
    this.#tellTimer?.stop();
    this.#showTimer?.stop();
    this.#others.clear();
    this.#shown = NOTHING;
    this.#isStale = false;
  }

  #isMember(id: NodeId): boolean {
    const speaker = this.#speakers.speaker(id);
    return speaker === 'member' || speaker === 'voter';
  }

  #isHere(peer: Peer): boolean {
    return peer.trusted && peer.link === 'open' && this.#isMember(peer.id);
  }

  #otherOf(id: NodeId): Other | undefined {
    const known = this.#others.get(id);
    if (known !== undefined) return known;
    if (this.#others.size >= PRESENT_MAX || this.#ended) return undefined;
    const made: Other = {
      id,
      data: null,
      value: undefined,
      isDecoded: false,
      untilMs: Number.POSITIVE_INFINITY,
      goneAtMs: Number.POSITIVE_INFINITY,
    };
    this.#others.set(id, made);
    return made;
  }

  /** At once when it was quiet, else when its time has come: the last value counts. */
  #tellSoon(): void {
    if (this.#tellTimer !== undefined || this.#ended) return;
    const waitMs = this.#toldAtMs + TELL_EVERY_MS - this.#standing.clock.monotonicMs();
    if (waitMs <= 0) return this.#tellAll();
    this.#tellTimer = this.#standing.clock.after(waitMs, () => {
      this.#tellTimer = undefined;
      this.#tellAll();
    });
  }

  #tellAll(): void {
    this.#toldAtMs = this.#standing.clock.monotonicMs();
    this.#hasMissed = false;
    for (const peer of this.#standing.peers.all()) this.#tell(peer);
  }

  #tell(peer: Peer): void {
    if (this.#own === undefined || this.#ended || peer.version < PRESENCE_SINCE || !this.#isHere(peer)) return;
    const leftMs = Math.max(1, Math.ceil(this.#own.untilMs - this.#standing.clock.monotonicMs()));
    const shown: Shown = { kind: 'presence', ttlMs: Math.min(SHOWN_MS, leftMs), data: this.#own.data };
    if (!this.#standing.peers.send(peer.id, shown, 'bulk')) this.#hasMissed = true;
  }

  #changed(): void {
    this.#isStale = true;
    if (this.#listeners.size === 0 || this.#showTimer !== undefined || this.#ended) return;
    this.#showTimer = this.#standing.clock.after(SHOW_EVERY_MS, () => {
      this.#showTimer = undefined;
      this.#show();
    });
  }

  #show(): void {
    const { others } = this;
    if (this.#lastTold === others) return;
    this.#lastTold = others;
    this.#listeners.tell(others);
  }
  #look(): void {
    this.#isStale = false;
    const { member, peers } = this.#standing;
    const before = new Map(this.#shown.map((present) => [present.id, present]));
    const next = [...this.#others.values()].map((other): Present => {
      const name =
        (member === undefined ? '' : contextOf(member.conf, other.id).name) || (peers.get(other.id)?.hello?.name ?? '');
      const present: Present = { id: other.id, name, state: stateOf(other) };
      const known = before.get(other.id);
      return known !== undefined && sameValue(known, present) ? known : present;
    });
    next.sort((a, b) => (a.id < b.id ? -1 : 1));
    const isSame = next.length === this.#shown.length && next.every((present, i) => present === this.#shown[i]);
    if (!isSame) this.#shown = next;
  }
}

/** What cannot be read shows nothing. */
function stateOf(other: Other): unknown {
  if (other.isDecoded) return other.value;
  other.isDecoded = true;
  try {
    other.value = other.data === null ? undefined : unpackCommand(other.data);
  } catch {
    other.value = undefined;
  }
  return other.value;
}

/** What this node shows, looked at. Errors: too-large, invalid-argument. */
export function packShown(state: unknown, options: ShowOptions): Uint8Array | null {
  requireKnown('presence', options, { ttlMs: true });
  if (options.ttlMs !== undefined) requireInteger('ttlMs', options.ttlMs, TTL_MS_MIN, PRESENCE_TTL_MS_MAX);
  const data = state === undefined ? null : packCommand(state);
  if (data !== null && data.length > PRESENCE_BYTES_MAX)
    throw new RaftError('too-large', `Presence takes at most ${PRESENCE_BYTES_MAX} bytes, this takes ${data.length}.`);
  return data;
}
