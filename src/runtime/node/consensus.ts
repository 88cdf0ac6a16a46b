/** The consensus side of the seam: what the application side asks of it, done where the core is. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { checkEnvelope } from '../../state/envelope.ts';
import type { NodeStore, WriteBatch } from '../../storage/storage.ts';
import { encodeId, encodeProposal } from '../../wire/bodies.ts';
import type { Emitter } from '../api/emitter.ts';
import { tooFewCopies } from '../duties/copies.ts';
import type { Digests } from '../duties/digests.ts';
import type { FreeSpace } from '../duties/free-space.ts';
import type { Hosting } from '../duties/hosting.ts';
import { errorData, errorFrom } from '../ports/error-data.ts';
import type { Application, Consensus, ErrorData, Leadership, ProposalBatch } from '../ports/seam.ts';
import type { Standing } from '../standing/standing.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { ProposalGuard } from './proposal-guard.ts';
import { storeKept } from './store-kept.ts';

/** A forwarded proposal without an answer is sent again after this long, in ms. */
export const FORWARD_TIMEOUT_MS = 3_000;

interface ConsensusParts {
  readonly standing: Standing;
  readonly store: NodeStore;
  readonly emitter: Emitter;
  readonly freeSpace: FreeSpace;
  readonly digests: Digests;
  /** What is asked before something is written. */
  readonly guard: ProposalGuard;
  /** Who hears what was decided. */
  readonly gatekeeper: Gatekeeper;
  /** Of the state machine: a leader takes no command that it could not apply itself. */
  readonly machineVersion: number;
  readonly hosting: () => Pick<Hosting, 'proposeFor'>;
  readonly application: () => Pick<Application, 'proposed'>;
  /** Storage failed. */
  readonly fail: (error: RaftError) => void;
  readonly wake: () => void;
}

export class ConsensusSide implements Consensus {
  readonly #parts: ConsensusParts;
  readonly #standing: Standing;
  /** Of the log as it was found at the start. */
  #uncommitted: () => Promise<readonly Entry[]> = () => Promise.resolve([]);

  constructor(parts: ConsensusParts) {
    this.#parts = parts;
    this.#standing = parts.standing;
  }

  applied(index: Index): void {
    this.#standing.member?.replica.applied(index);
  }

  failed(error: ErrorData): void {
    this.#standing.member?.replica.fail(errorFrom(error));
  }

  leadership(): Leadership | undefined {
    const { leaderId, term, id, peers } = this.#standing;
    if (leaderId === NO_NODE) return undefined;
    if (leaderId === id) return { leaderId, term, isSelf: true };
    return peers.isLinked(leaderId) ? { leaderId, term, isSelf: false } : undefined;
  }

  propose({ ticket, leadership, data }: ProposalBatch): void {
    const done = (error: RaftError | undefined): void =>
      this.#parts.application().proposed(ticket, error === undefined ? undefined : errorData(error));
    if (leadership.leaderId === this.#standing.id) return this.proposeHere(leadership.leaderId, data, done);
    this.#standing.peers.call(leadership.leaderId, 'propose', encodeProposal(data), FORWARD_TIMEOUT_MS, ({ error }) => {
      done(error === undefined ? undefined : this.#afterRefusal(leadership.leaderId, error));
      if (error !== undefined) this.#parts.wake();
    });
  }

  /** A leader of an older version of the state machine cannot take this node's commands: it is asked to let this one lead. */
  #afterRefusal(leaderId: NodeId, error: RaftError): RaftError {
    const { member, id, peers } = this.#standing;
    if (error.code !== 'version-mismatch' || member?.conf.voters.includes(id) !== true) return error;
    peers.call(leaderId, 'transfer', encodeId(id), FORWARD_TIMEOUT_MS, () => {});
    return new RaftError('not-leader', 'The leader runs an older version of the state machine and is asked to step aside.');
  }

  decided(ledger: Uint8Array): void {
    this.#parts.gatekeeper.onDecided(ledger);
  }

  /** Into this node's own log, when it leads, what a member has written. */
  proposeHere(by: NodeId, data: readonly Uint8Array[], done: (error: RaftError | undefined) => void): void {
    const { member } = this.#standing;
    if (member === undefined) return done(new RaftError('not-leader', 'This node belongs to no cluster.'));
    const refusal = this.#parts.guard.refusal(by, data);
    if (!(refusal instanceof Promise)) return refusal === undefined ? this.#append(data, done) : done(refusal);
    void refusal.then((refused) => {
      if (refused !== undefined) return done(refused);
      this.#append(data, done);
      this.#parts.wake();
    });
  }

  #append(data: readonly Uint8Array[], done: (error: RaftError | undefined) => void): void {
    const { member, clock } = this.#standing;
    if (member === undefined) return done(new RaftError('not-leader', 'This node belongs to no cluster.'));
    const few = tooFewCopies(member.conf);
    if (few !== undefined) return done(few);
    const full = this.#parts.freeSpace.refusal();
    if (full !== undefined) return done(full);
    try {
      for (const bytes of data) checkEnvelope(bytes, this.#parts.machineVersion);
    } catch (error) {
      return done(RaftError.is(error) ? error : new RaftError('invalid-argument', String(error)));
    }
    member.core.setTime(clock.wallMs());
    const outcome = member.core.propose(data);
    if (outcome.ok) return done(undefined);
    done(
      new RaftError(outcome.reason, 'The leader refused the proposal.', {
        leaderHint: this.#hint(),
        retryAfterMs: outcome.reason === 'busy' ? 50 : undefined,
      }),
    );
  }

  proposeFor(client: NodeId, data: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#parts.hosting().proposeFor(client, data, (error) => (error === undefined ? resolve() : reject(error))),
    );
  }

  askReadRound(context: string): boolean {
    const { member, leaderId } = this.#standing;
    return member !== undefined && leaderId !== NO_NODE && member.core.readIndex(context).ok;
  }

  wake(): void {
    this.#parts.wake();
  }

  keep(batch: WriteBatch): void {
    void this.#parts.store.write(batch).catch(() => {});
  }

  store(batch: WriteBatch): Promise<void> {
    const { store, emitter, fail } = this.#parts;
    return storeKept(batch, this.#standing, store, emitter, fail);
  }

  /** What `uncommitted` answers: read when it is asked for. */
  found(uncommitted: () => Promise<readonly Entry[]>): void {
    this.#uncommitted = uncommitted;
  }

  uncommitted(): Promise<readonly Entry[]> {
    return this.#uncommitted();
  }

  async entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]> {
    const { member } = this.#standing;
    if (member === undefined) throw new RaftError('not-a-member', 'This node belongs to no cluster.');
    return member.view.read(from, to, bytesMax);
  }

  tellDigest(question: Uint8Array): void {
    this.#parts.digests.tell(question);
  }

  askDigest(peer: NodeId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
    return this.#parts.digests.ask(peer, question, timeoutMs);
  }

  async stateHolders(): Promise<readonly NodeId[]> {
    return this.#parts.digests.stateHolders();
  }

  resync(stateQuestion: Uint8Array): void {
    void this.#parts.digests.resync(stateQuestion);
  }

  sendState(peer: NodeId): void {
    this.#parts.digests.sendState(peer);
  }

  notLeader(): RaftError {
    return new RaftError('not-leader', 'This node does not lead.', { leaderHint: this.#hint() });
  }

  #hint(): NodeId | undefined {
    return this.#standing.leaderId === NO_NODE ? undefined : this.#standing.leaderId;
  }
}
