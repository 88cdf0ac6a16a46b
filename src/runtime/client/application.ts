/**
 * The application side of the seam: what the log drives. Each committed entry goes through the sessions to the machine, and what
 * it came to is told to everybody who waits or watches, in the order in which they were given.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId, ReadState } from '../../core/types.ts';
import type { Applied, ReplicatedState } from '../../state/replicated-state.ts';
import type { Sessions } from '../../state/sessions.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { ClientQuestion } from '../../wire/client-bodies.ts';
import { type ClusterSettings, decodeSettings } from '../member/configuration.ts';
import { errorData, errorFrom } from '../ports/error-data.ts';
import type { Application, Consensus, ErrorData } from '../ports/seam.ts';
import type { Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';

/** Hears what is applied. None of its calls may throw. */
export interface AppliedListener {
  /** The member goes on from a state that covers the log up to `applied`: what was remembered of an earlier one is void. */
  onOpened?(applied: Index): void;
  /** A leader's snapshot is the state now. */
  onInstalled?(applied: Index, sessions: Sessions): void;
  onApplied?(entry: Entry, applied: Applied): void;
  /** Settings of the cluster, from the next entry on. */
  onConfigured?(settings: ClusterSettings): void;
  /** After each run of entries. */
  onAppliedTo?(index: Index): void;
}

export interface ApplicationParts {
  readonly state: ReplicatedState;
  readonly reads: Reads;
  readonly proposals: Proposals;
  readonly listeners: readonly AppliedListener[];
  readonly calls: NodeCalls;
}

/** What the application side as a whole does when consensus says so. */
export type NodeCalls = Pick<
  Application,
  | 'inherit'
  | 'flush'
  | 'tick'
  | 'stood'
  | 'removed'
  | 'stopping'
  | 'ended'
  | 'lastRecords'
  | 'decide'
  | 'digest'
  | 'client'
  | 'resyncFailed'
>;

export class ApplicationSide implements Application {
  readonly #parts: ApplicationParts;
  readonly #consensus: Consensus;
  /** Those that hear of each entry: they are asked once for every command. */
  readonly #perEntry: readonly Required<Pick<AppliedListener, 'onApplied'>>[];
  #halted = false;

  constructor(parts: ApplicationParts, consensus: Consensus) {
    this.#parts = parts;
    this.#consensus = consensus;
    this.#perEntry = parts.listeners.filter(hearsEntries);
  }

  /** Nothing more is applied: the node has ended, or its member has. */
  halt(): void {
    this.#halted = true;
  }

  async reset(): Promise<void> {
    this.#halted = false;
    await this.#parts.state.reset();
    this.#consensus.decided(this.#parts.state.trust.bytes());
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#parts.state.restore(chunks);
    this.#consensus.decided(this.#parts.state.trust.bytes());
  }

  opened(applied: Index): void {
    this.#parts.reads.onOpened(applied);
    for (const listener of this.#parts.listeners) listener.onOpened?.(applied);
  }

  installed(applied: Index): void {
    for (const listener of this.#parts.listeners) listener.onInstalled?.(applied, this.#parts.state.sessions);
  }

  committed(entries: readonly Entry[]): void {
    const { state } = this.#parts;
    const listeners = this.#perEntry;
    let done: Index = 0;
    try {
      for (const entry of entries) {
        if (this.#halted) return;
        const applied = state.apply(entry);
        done = entry.index;
        if (applied.kind === 'trust' && !applied.replayed) this.#consensus.decided(state.trust.bytes());
        for (const listener of listeners) listener.onApplied(entry, applied);
      }
    } catch (error) {
      if (done > 0) this.#consensus.applied(done);
      this.#halted = true;
      return this.#consensus.failed(errorData(codedError(error)));
    }
    this.#consensus.applied(done);
  }

  configured(index: Index, context: Uint8Array, roles: readonly (readonly [id: NodeId, role: MemberRole])[]): void {
    const settings = decodeSettings(context);
    this.#parts.state.configured(index, settings, new Map(roles));
    for (const listener of this.#parts.listeners) listener.onConfigured?.(settings);
  }

  caughtUp(applied: Index): void {
    this.#parts.reads.onAppliedTo(applied);
    for (const listener of this.#parts.listeners) listener.onAppliedTo?.(applied);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    return this.#parts.state.snapshot();
  }

  proposed(ticket: number, error: ErrorData | undefined): void {
    this.#parts.proposals.onAnswer(ticket, error === undefined ? undefined : errorFrom(error));
  }

  confirmed(read: ReadState): void {
    this.#parts.reads.onReadState(read);
  }

  leaderChanged(): void {
    this.#parts.reads.onLeaderChange();
  }

  inherit(records: ReadonlyMap<string, Uint8Array>): Promise<void> {
    return this.#parts.calls.inherit(records);
  }

  flush(): void {
    this.#parts.calls.flush();
  }

  tick(): void {
    this.#parts.calls.tick();
  }

  stood(): void {
    this.#parts.calls.stood();
  }

  removed(): void {
    this.#parts.calls.removed();
  }

  stopping(): void {
    this.#parts.calls.stopping();
  }

  ended(): void {
    this.#parts.calls.ended();
  }

  lastRecords(): Promise<WriteBatch | undefined> {
    return this.#parts.calls.lastRecords();
  }

  decide(command: Uint8Array, role: MemberRole, timeoutMs: number): Promise<void> {
    return this.#parts.calls.decide(command, role, timeoutMs);
  }

  digest(peer: NodeId, question: Uint8Array): Promise<Uint8Array> {
    return this.#parts.calls.digest(peer, question);
  }

  client(client: NodeId, question: ClientQuestion): Promise<Uint8Array> {
    return this.#parts.calls.client(client, question);
  }

  resyncFailed(): void {
    this.#parts.calls.resyncFailed();
  }
}

function hearsEntries(listener: AppliedListener): listener is Required<Pick<AppliedListener, 'onApplied'>> {
  return listener.onApplied !== undefined;
}

function codedError(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('invariant', `The node stopped itself: ${String(error)}`, { cause: error });
}
