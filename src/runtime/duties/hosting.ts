/**
 * Clients: pages and processes that are no members, and read, propose and watch through this one. They have no place in the
 * configuration. Their sessions are in the replicated state, so that another member goes on where this one ends.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import { readEnvelope } from '../../state/envelope.ts';
import { clientName } from '../../trust/roles.ts';
import {
  type ClientQuestion,
  decodeClientQuestion,
  decodeRelayed,
  encodeRelayed,
  type Relayed,
} from '../../wire/client-bodies.ts';
import { NO_BODY } from '../peers/peers.ts';
import { hasCaughtUp } from '../standing/freshness.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import type { AdmissionHooks, ReplyTo } from './admission.ts';
import { type Guest, Guests } from './guests.ts';

/** What a leader is asked for a client is answered within this, in ms. */
const RELAY_MS = 3_000;

type Done = (error: RaftError | undefined) => void;

export interface HostingHooks {
  /** Into this node's own log, when it leads. */
  propose(by: string, data: readonly Uint8Array[], done: Done): void;
  /** From the state, or when what was written is applied. */
  answer(client: NodeId, question: ClientQuestion): Promise<Uint8Array>;
}

export class Hosting {
  readonly #standing: Standing;
  readonly #decide: AdmissionHooks['decide'];
  readonly #hooks: HostingHooks;
  /** It has a state machine. */
  readonly #hasState: boolean;
  readonly #guests: Guests;

  constructor(standing: Standing, trust: Trust, hasState: boolean, decide: AdmissionHooks['decide'], hooks: HostingHooks) {
    this.#standing = standing;
    this.#decide = decide;
    this.#hooks = hooks;
    this.#hasState = hasState;
    this.#guests = new Guests(trust, (inviteId, client, done) => this.#countUse(inviteId, client, done));
  }

  /** A client's question. Errors: message-invalid. */
  onCall(peer: NodeId, body: Uint8Array, reply: ReplyTo): void {
    const question = decodeClientQuestion(body);
    const refusal = this.#refusal(question);
    if (refusal !== undefined) return reply(NO_BODY, refusal);
    this.#guests.welcome(peer, (guest) => {
      const refused = RaftError.is(guest) ? guest : misuseOf(guest, question);
      if (refused !== undefined || RaftError.is(guest)) return reply(NO_BODY, refused);
      guest.calls++;
      this.#hooks
        .answer(guest.id, question)
        .finally(() => guest.calls--)
        .then(
          (answer) => reply(answer),
          (error: unknown) => reply(NO_BODY, codedError(error)),
        );
    });
  }

  /** Why this member is of no use to a client now; it asks another. */
  #refusal(question: ClientQuestion): RaftError | undefined {
    if (!this.#hasState) return new RaftError('not-a-member', 'A keeper has no state to ask.');
    if (this.#standing.state.kind !== 'member') return new RaftError('not-a-member', 'This node belongs to no cluster now.');
    // A member that has just started knows nothing yet.
    const isLocal = question.kind === 'watch' || (question.kind === 'query' && !question.linearizable);
    if (!isLocal || hasCaughtUp(this.#standing)) return undefined;
    return new RaftError('no-leader', 'This member has not caught up yet.');
  }

  /** Errors (through done): no-leader, and those of a proposal. */
  proposeFor(client: NodeId, data: readonly Uint8Array[], done: Done): void {
    const { leaderId, id } = this.#standing;
    if (leaderId === id) return this.#hooks.propose(clientName(client), data, done);
    this.#relay({ kind: 'write', client, data }, done);
  }

  #countUse(inviteId: string, client: NodeId, done: Done): void {
    const { leaderId, id } = this.#standing;
    if (leaderId === id) return this.#decide({ kind: 'use', inviteId, node: client }, done);
    this.#relay({ kind: 'use', client, inviteId }, done);
  }

  #relay(relayed: Relayed, done: Done): void {
    const { leaderId, peers } = this.#standing;
    if (leaderId === NO_NODE) return done(new RaftError('no-leader', 'No leader is known here.'));
    peers.call(leaderId, 'relay', encodeRelayed(relayed), RELAY_MS, ({ error }) => done(error));
  }

  /** A member passes on what a client of its has written, or by what it came; this node leads. Errors: message-invalid. */
  onRelay(body: Uint8Array, reply: ReplyTo): void {
    const relayed = decodeRelayed(body);
    const done: Done = (error) => reply(NO_BODY, error);
    if (relayed.kind === 'write') return this.#hooks.propose(clientName(relayed.client), relayed.data, done);
    this.#decide({ kind: 'use', inviteId: relayed.inviteId, node: relayed.client }, done);
  }

  onGone(peer: NodeId): void {
    this.#guests.forget(peer);
  }
}

/** Looked at here, and by the leader once more. */
function misuseOf({ id, mayWrite }: Guest, question: ClientQuestion): RaftError | undefined {
  if (question.kind !== 'propose') return undefined;
  if (!mayWrite) return new RaftError('not-authorized', 'This client came as a reader.');
  const name = clientName(id);
  const envelopes = question.data.map(readEnvelope);
  const isForeign = envelopes.some((envelope) => envelope?.kind === 'register' && envelope.clientId !== name);
  return isForeign ? new RaftError('not-authorized', 'A session is opened in its own name.') : undefined;
}

function codedError(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
}
