/**
 * How a node comes to belong to a cluster: it always did (its storage says so), it founds one (only when the
 * signaling server has granted it the room), or a member's leader takes it in (§4.2.1, §4.4).
 */
import { RaftError } from '../../core/errors.ts';
import { MEMBER_CONTEXT_BYTES_MAX } from '../../core/limits.ts';
import type { Entry, NodeId } from '../../core/types.ts';
import { makeEntry, NO_BYTES, NO_NODE } from '../../core/types.ts';
import type { ClusterIdentity, NodeStore } from '../../storage/storage.ts';
import { decodeJoinReply, decodeQuorumReport, encodeJoin, type Introduction, type QuorumReport } from '../../wire/bodies.ts';
import type { EntryMode } from '../api/options.ts';
import type { MemberContextFields } from '../member/configuration.ts';
import { type ClusterSettings, encodeMember, encodeSettings } from '../member/configuration.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import type { CallResult } from '../peers/peers.ts';
import type { Clock } from '../ports/clock.ts';

/** A join that nobody answered is tried again after this long, in ms, at another member. */
export const JOIN_RETRY_MS = 500;
/** How long a member may take to bring a join through its cluster, in ms. */
export const JOIN_TIMEOUT_MS = 10_000;
/**
 * So long after it was granted the room a node whose storage failed tries again to found it, in ms: less than the server
 * lets a grant last (signaling/rooms.ts), so that no two nodes found one room. Later it is the server that grants anew.
 */
export const FOUNDING_RETRIED_MS = 15_000;
/** The first epoch of a cluster; `recover` raises it. */
export const FIRST_EPOCH = 1;

export interface JoinHooks {
  /** Linked nodes that said they belong to a cluster. */
  candidates(): readonly { readonly id: NodeId; readonly clusterId: string }[];
  call(peer: NodeId, body: Uint8Array, timeoutMs: number, done: (result: CallResult) => void): void;
  /** This node now belongs to the cluster, durably. */
  onMember(cluster: ClusterIdentity, how: 'founded' | 'joined'): void;
  /** Who belongs to the cluster, as the member says that took this node in. */
  onIntroduced(introduction: Introduction | undefined, by: NodeId): void;
  /** Who was asked could not take this node in, because it hears no majority; undefined: for another reason. */
  onNoQuorum(report: QuorumReport | undefined, by: NodeId): void;
  onFault(error: RaftError): void;
  /** It can never become a member as it was asked to. */
  onHopeless(error: RaftError): void;
}

export interface Newcomer {
  readonly self: NodeId;
  readonly mode: EntryMode;
  readonly member: MemberContextFields;
  readonly settings: ClusterSettings;
}

export class Join {
  readonly #newcomer: Newcomer;
  readonly #store: NodeStore;
  readonly #clock: Clock;
  readonly #hooks: JoinHooks;
  #busy = false;
  #done = false;
  #retryAtMs = 0;
  #mayFoundUntilMs = Number.NEGATIVE_INFINITY;
  #lastAsked: NodeId = NO_NODE;
  #expectedCluster: string | undefined;

  constructor(newcomer: Newcomer, store: NodeStore, clock: Clock, hooks: JoinHooks) {
    this.#newcomer = newcomer;
    this.#store = store;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  stop(): void {
    this.#done = true;
  }

  /** The room is fresh and this node may found it. */
  onGrant(): void {
    if (this.#done || this.#busy) return;
    if (this.#newcomer.mode === 'join')
      return this.#hooks.onHopeless(new RaftError('rejected', 'There is no cluster in this room to join.'));
    if (this.#newcomer.mode === 'open')
      return this.#hooks.onHopeless(new RaftError('rejected', 'This device holds no identity of this room to open.'));
    this.#mayFoundUntilMs = this.#clock.monotonicMs() + FOUNDING_RETRIED_MS;
    void this.#found();
  }

  /** The room has a cluster. */
  onCluster(clusterId: string): void {
    if (this.#done) return;
    this.#expectedCluster = clusterId;
    if (this.#newcomer.mode === 'create') this.#hooks.onHopeless(new RaftError('rejected', 'The room already has a cluster.'));
    if (this.#newcomer.mode === 'open')
      this.#hooks.onHopeless(new RaftError('rejected', 'This device holds no identity of this room to open.'));
  }

  /** Founds the room that it was granted, or asks a member to be taken in, when there is one to ask. Call on every tick and when a peer says hello. */
  tick(): void {
    if (this.#done || this.#busy || this.#clock.monotonicMs() < this.#retryAtMs) return;
    if (this.#expectedCluster === undefined && this.#clock.monotonicMs() < this.#mayFoundUntilMs) return void this.#found();
    if (this.#newcomer.mode !== 'enter' && this.#newcomer.mode !== 'join') return;
    const candidates = this.#hooks
      .candidates()
      .filter(({ clusterId }) => this.#expectedCluster === undefined || clusterId === this.#expectedCluster)
      // In order of their ids, so that everybody is asked in turn: one of them may have been removed and know no leader.
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const next = candidates.find(({ id }) => id > this.#lastAsked) ?? candidates[0];
    if (next === undefined) return;
    const context = this.#ownContext();
    if (context === undefined) return;
    this.#lastAsked = next.id;
    this.#busy = true;
    const body = encodeJoin({ nodeId: this.#newcomer.self, context });
    this.#hooks.call(next.id, body, JOIN_TIMEOUT_MS, (result) => void this.#onJoinAnswer(result));
  }

  async #onJoinAnswer(result: CallResult): Promise<void> {
    this.#retryAtMs = this.#clock.monotonicMs() + JOIN_RETRY_MS;
    try {
      if (this.#done) return;
      if (result.error !== undefined) {
        this.#hooks.onNoQuorum(quorumReportIn(result.body), this.#lastAsked);
        if (!result.error.retryable && result.error.code !== 'timeout') this.#hooks.onFault(result.error);
        return;
      }
      const { introduction, ...cluster } = decodeJoinReply(result.body);
      await this.#store.write({ cluster });
      this.#hooks.onIntroduced(introduction, this.#lastAsked);
      this.#finish(cluster, 'joined');
    } catch (error) {
      this.#hooks.onFault(storageErrorOf(error));
    } finally {
      this.#busy = false;
    }
  }

  /** What the configuration shall keep of this node; undefined, once it is told, when nobody could take it in with so much. */
  #ownContext(): Uint8Array | undefined {
    const context = encodeMember(this.#newcomer.member);
    if (context.length <= MEMBER_CONTEXT_BYTES_MAX) return context;
    this.#done = true;
    const text = `This node would keep ${context.length} bytes in the configuration; at most ${MEMBER_CONTEXT_BYTES_MAX}.`;
    this.#hooks.onHopeless(new RaftError('config-invalid', text));
    return undefined;
  }

  /** One atomic write makes the cluster: its id, and a committed first entry that makes this node its only voter. */
  async #found(): Promise<void> {
    const context = this.#ownContext();
    if (context === undefined) return;
    this.#busy = true;
    try {
      const cluster: ClusterIdentity = { clusterId: randomClusterId(), epoch: FIRST_EPOCH };
      await this.#store.write({
        cluster,
        hardState: { term: 1, vote: NO_NODE, commit: 1 },
        entries: [this.#firstEntry(context)],
      });
      this.#finish(cluster, 'founded');
    } catch (error) {
      this.#hooks.onFault(storageErrorOf(error));
      this.#retryAtMs = this.#clock.monotonicMs() + JOIN_RETRY_MS;
    } finally {
      this.#busy = false;
    }
  }

  #firstEntry(context: Uint8Array): Entry {
    const { self, settings } = this.#newcomer;
    const change = {
      transition: 'auto' as const,
      steps: [{ op: 'voter' as const, id: self, context }],
      context: encodeSettings(settings),
    };
    return makeEntry(1, 1, 'conf', this.#clock.wallMs(), NO_BYTES, change);
  }

  #finish(cluster: ClusterIdentity, how: 'founded' | 'joined'): void {
    if (this.#done) return;
    this.#done = true;
    this.#hooks.onMember(cluster, how);
  }
}

/** Not randomUUID, which exists only in secure contexts. */
function randomClusterId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Told beside a refusal by builds that know how; of what cannot be read nothing is believed. */
function quorumReportIn(body: Uint8Array): QuorumReport | undefined {
  try {
    return body.length === 0 ? undefined : decodeQuorumReport(body);
  } catch {
    return undefined;
  }
}
