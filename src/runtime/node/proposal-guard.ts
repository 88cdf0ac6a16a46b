/**
 * What a leader asks before it takes proposals into its log: may this member write, in whose name does it write, and may it decide
 * what it decides. Every member asks the application's hook again when it applies (state/trust-part.ts).
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { type Envelope, readEnvelope, type TrustEnvelope } from '../../state/envelope.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import { refusalOf } from '../../trust/authorize.ts';
import { trustErrorOf } from '../../trust/errors.ts';
import { verifyTicket } from '../../trust/invite.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import { decodeTrustCommand } from '../../trust/ledger-codec.ts';
import { isClientName, type WriterRole } from '../../trust/roles.ts';
import type { Trust } from '../standing/trust.ts';

/** Why proposals are refused; a promise where a signature has to be looked at. */
export type Refusal = RaftError | undefined | Promise<RaftError | undefined>;

/** What a member wants to do, as it is shown to the application's hook. */
export type Act =
  | { readonly kind: 'command'; readonly command: Uint8Array }
  | { readonly kind: 'trust'; readonly command: TrustCommand };

type Maybe<T> = T | undefined | Promise<T | undefined>;

/** What is asked of the application side; a promise where that stands in another thread. */
export interface ProposalJudge {
  /** Whose session it is; undefined where nobody's is known. */
  ownerOf(session: number): Maybe<NodeId>;
  /** By the application's own hook. */
  refusal(by: NodeId, role: WriterRole, act: Act): Maybe<RaftError>;
}

/** Looked up where the log is applied. */
export function judgeOf(state: ReplicatedState): ProposalJudge {
  return {
    ownerOf: (session) => state.sessions.ownerOf(session),
    refusal: (id, role, act) => {
      const { authorize } = state.trust;
      if (authorize === undefined) return undefined;
      const shown = act.kind === 'trust' ? act : { kind: act.kind, command: state.machine.decode(act.command) };
      return refusalOf(authorize, { id, role }, shown);
    },
  };
}

export class ProposalGuard {
  readonly #trust: Trust;
  readonly #judge: ProposalJudge;
  readonly #self: NodeId;

  constructor(self: NodeId, trust: Trust, judge: ProposalJudge) {
    this.#self = self;
    this.#trust = trust;
    this.#judge = judge;
  }

  /** The first refusal of all: they come together, and are taken or refused together. */
  refusal(by: NodeId, data: readonly Uint8Array[]): Refusal {
    const role = isClientName(by) ? 'client' : this.#trust.roleOf(by);
    const later: Promise<RaftError | undefined>[] = [];
    for (const bytes of data) {
      const envelope = readEnvelope(bytes);
      // What is none is refused by its own code.
      if (envelope === undefined) continue;
      const refused = this.#refusalOf(by, role, envelope);
      if (refused instanceof Promise) later.push(refused);
      else if (refused !== undefined) return refused;
    }
    return later.length === 0 ? undefined : firstOf(later);
  }

  #refusalOf(by: NodeId, role: WriterRole | undefined, envelope: Envelope): Refusal {
    if (role === 'reader') return trustErrorOf('not-authorized', 'a reader may not write');
    if (envelope.kind === 'register')
      return envelope.clientId === by ? undefined : trustErrorOf('not-authorized', 'a session is opened in its own name');
    const owner = this.#judge.ownerOf(envelope.session);
    if (!(owner instanceof Promise)) return this.#judged(by, role, envelope, owner);
    return owner.then((known) => this.#judged(by, role, envelope, known));
  }

  #judged(
    by: NodeId,
    role: WriterRole | undefined,
    envelope: Exclude<Envelope, { readonly kind: 'register' }>,
    owner: NodeId | undefined,
  ): Refusal {
    if (owner !== undefined && owner !== by) return trustErrorOf('not-authorized', 'the session is of another member');
    if (envelope.kind === 'trust') return this.#decision(by, role, envelope);
    if (envelope.kind === 'close' || role === undefined) return undefined;
    return this.#judge.refusal(by, role, { kind: 'command', command: envelope.command });
  }

  #decision(by: NodeId, role: WriterRole | undefined, envelope: TrustEnvelope): Refusal {
    if (role === undefined) return new RaftError('not-a-member', `${by} is no member.`);
    if (envelope.by !== by || envelope.role !== role)
      return trustErrorOf('not-authorized', 'it says that it may more than it may');
    try {
      const command = decodeTrustCommand(envelope.command);
      // Who came with an invite is counted by the leader that takes it in, and by nobody else.
      if (command.kind === 'use' && by !== this.#self) return trustErrorOf('not-authorized', 'only a leader counts an invite');
      const refused = this.#judge.refusal(by, role, { kind: 'trust', command });
      if (command.kind !== 'invite') return refused;
      const verified = this.#verified(by, command.ticket);
      return refused === undefined ? verified : firstOf([Promise.resolve(refused), verified]);
    } catch (error) {
      return codedError(error);
    }
  }

  async #verified(by: NodeId, ticket: Uint8Array): Promise<RaftError | undefined> {
    try {
      const { issuer } = await verifyTicket(ticket, this.#trust.clusterId);
      return issuer === by ? undefined : trustErrorOf('invite-invalid', 'it is signed by another member');
    } catch (error) {
      return RaftError.is(error) ? error : new RaftError('invite-invalid', String(error));
    }
  }
}

/** Never rejects. */
async function firstOf(refusals: readonly Promise<RaftError | undefined>[]): Promise<RaftError | undefined> {
  try {
    const all = await Promise.all(refusals);
    return all.find((refused) => refused !== undefined);
  } catch (error) {
    return codedError(error);
  }
}

function codedError(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
}
