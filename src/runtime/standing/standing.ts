/**
 * How this node stands: everything that more than one part of it must know of the whole. Read-only to all; written by node/runtime
 * only, which holds the record itself.
 */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId, Term } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { ClusterIdentity } from '../../storage/storage.ts';
import type { QuorumReport } from '../../wire/bodies.ts';
import type { NodeRole, TuningOptions } from '../api/api.ts';
import { suffrageOf } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import type { Peers } from '../peers/peers.ts';
import type { Clock } from '../ports/clock.ts';
import { sleepMs, stoodStillMs, unseenMs } from './passing-time.ts';

export type StandingState =
  /** It belongs to no cluster yet. */
  | { readonly kind: 'seeking' }
  | { readonly kind: 'member'; readonly member: Member }
  /** It was in the configuration once, and no longer is. */
  | { readonly kind: 'removed'; readonly member: Member }
  /** Its storage failed: it takes no part until that works again. */
  | { readonly kind: 'suspended'; readonly error: RaftError }
  /** Its page is put away, and may come back. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'ended'; readonly error: RaftError };

export interface Standing {
  readonly id: NodeId;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly peers: Peers;
  readonly state: StandingState;
  /** Of a node in the state `member` or `removed`. */
  readonly member: Member | undefined;
  readonly cluster: ClusterIdentity | undefined;
  /** NO_NODE when none is known. */
  readonly leaderId: NodeId;
  /** 0 outside a cluster. */
  readonly term: Term;
  readonly role: NodeRole;
  /** First index of this node's present or last leadership: once that is applied its state is the newest. */
  readonly leadSince: Index;
  /** When the last tick was handled, in monotonic ms: what has passed since then the core has not seen yet. */
  readonly lastTickMs: number;
  /** The same by the wall clock. */
  readonly lastTickWallMs: number;
  /** Since when nothing is known to have been slept through, in monotonic ms: what was known of others before is old. */
  readonly awakeSinceMs: number;
  /** When this node was made, in monotonic ms. */
  readonly openedMs: number;
  /** Of a newcomer: what the member said that could not take it in, because it hears no majority. */
  readonly outside: { readonly by: NodeId; readonly report: QuorumReport } | undefined;
}

const SEEKING: StandingState & { readonly kind: 'seeking' } = { kind: 'seeking' };

/** What is stored of it; that a member is removed is the member's own to say. */
type StoredState = Exclude<StandingState, { readonly kind: 'removed' }>;

/** The record behind Standing. */
export class StandingRecord implements Standing {
  readonly id: NodeId;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly peers: Peers;
  cluster: ClusterIdentity | undefined;
  leadSince: Index = 0;
  lastTickMs = 0;
  lastTickWallMs = 0;
  awakeSinceMs = 0;
  readonly openedMs: number;
  outside: Standing['outside'];
  #state: StoredState = SEEKING;

  constructor(parts: Pick<Standing, 'id' | 'clock' | 'tuning' | 'peers'>) {
    this.id = parts.id;
    this.clock = parts.clock;
    this.tuning = parts.tuning;
    this.peers = parts.peers;
    this.openedMs = parts.clock.monotonicMs();
  }

  get state(): StandingState {
    const state = this.#state;
    return state.kind === 'member' && state.member.removed ? { kind: 'removed', member: state.member } : state;
  }

  get member(): Member | undefined {
    return this.#state.kind === 'member' ? this.#state.member : undefined;
  }

  get leaderId(): NodeId {
    const { member } = this;
    return member === undefined || member.removed ? NO_NODE : member.soft.leader;
  }

  get term(): Term {
    return this.member?.hard.term ?? 0;
  }

  get role(): NodeRole {
    const { kind } = this.#state;
    if (kind === 'ended' || kind === 'suspended' || kind === 'paused') return 'stopped';
    const { member } = this;
    if (member === undefined) return 'learner';
    if (member.removed) return 'removed';
    if (member.soft.role !== 'follower') return member.soft.role;
    return suffrageOf(member.conf, this.id) === 'voter' ? 'follower' : 'learner';
  }

  seek(): void {
    this.#state = SEEKING;
  }

  belong(member: Member, cluster: ClusterIdentity): void {
    this.cluster = cluster;
    this.outside = undefined;
    this.#state = { kind: 'member', member };
  }

  suspend(error: RaftError): void {
    this.#state = { kind: 'suspended', error };
  }

  pause(): void {
    this.#state = { kind: 'paused' };
  }

  /** A tick is handled now. What went by since the last, in ms; after a sleep nothing counts that was known of others before. */
  passTime(): number {
    const elapsed = unseenMs(this);
    if (stoodStillMs(this) > 0) this.peers.forgetContact();
    if (elapsed > sleepMs(this)) this.awakeSinceMs = this.clock.monotonicMs();
    this.ticked();
    return elapsed;
  }

  ticked(): void {
    this.lastTickMs = this.clock.monotonicMs();
    this.lastTickWallMs = this.clock.wallMs();
  }

  end(error: RaftError): void {
    this.#state = { kind: 'ended', error };
  }
}

/** Errors: removed, stopped. */
export function assertRunning({ state }: Standing): void {
  assertGoesOn(state.kind === 'removed', state.kind === 'ended' ? state.error : undefined);
}

/** Errors: removed, stopped. */
export function assertGoesOn(isRemoved: boolean, ended: RaftError | undefined): void {
  if (isRemoved) throw new RaftError('removed', 'This node was removed from the cluster.');
  if (ended === undefined) return;
  const { code, message } = ended;
  const told = code === 'stopped' || code === 'removed' ? code : 'stopped';
  throw new RaftError(told, message, { cause: ended, mayHaveApplied: false });
}
