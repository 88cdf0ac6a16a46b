/**
 * What a leader asks before it takes proposals into its log: may this member write, in whose name does it write, and may it decide
 * what it decides. Every member asks the application's hook again when it applies (state/trust-part.ts).
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { type Envelope, readEnvelope, type TrustEnvelope } from '../../state/envelope.ts';
import { type Authorize, refusalOf } from '../../trust/authorize.ts';
import { trustErrorOf } from '../../trust/errors.ts';
import { verifyTicket } from '../../trust/invite.ts';
import { decodeTrustCommand } from '../../trust/ledger-codec.ts';
import { isClientName, type WriterRole } from '../../trust/roles.ts';
import type { Trust } from '../standing/trust.ts';

/** Why proposals are refused; a promise where a signature has to be looked at. */
export type Refusal = RaftError | undefined | Promise<RaftError | undefined>;

/** What is asked of the state: the part of it that says whose a session is, and the application's own hook. */
export interface ProposalJudge {
  ownerOf(session: number): NodeId | undefined;
  readonly authorize: Authorize | undefined;
  /** A command as the application wrote it. */
  decode(command: Uint8Array): unknown;
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
    const tickets: Uint8Array[] = [];
    for (const bytes of data) {
      const envelope = readEnvelope(bytes);
      // What is none is refused by its own code.
      if (envelope === undefined) continue;
      const refused = this.#refusalOf(by, role, envelope, tickets);
      if (refused !== undefined) return refused;
    }
    return tickets.length === 0 ? undefined : this.#verified(by, tickets);
  }

  #refusalOf(by: NodeId, role: WriterRole | undefined, envelope: Envelope, tickets: Uint8Array[]): RaftError | undefined {
    if (role === 'reader') return trustErrorOf('not-authorized', 'a reader may not write');
    if (envelope.kind === 'register')
      return envelope.clientId === by ? undefined : trustErrorOf('not-authorized', 'a session is opened in its own name');
    const owner = this.#judge.ownerOf(envelope.session);
    if (owner !== undefined && owner !== by) return trustErrorOf('not-authorized', 'the session is of another member');
    if (envelope.kind === 'trust') return this.#decision(by, role, envelope, tickets);
    const { authorize } = this.#judge;
    if (envelope.kind === 'close' || authorize === undefined || role === undefined) return undefined;
    const command = this.#judge.decode(envelope.command);
    return refusalOf(authorize, { id: by, role }, { kind: 'command', command });
  }

  #decision(by: NodeId, role: WriterRole | undefined, envelope: TrustEnvelope, tickets: Uint8Array[]): RaftError | undefined {
    if (role === undefined) return new RaftError('not-a-member', `${by} is no member.`);
    if (envelope.by !== by || envelope.role !== role)
      return trustErrorOf('not-authorized', 'it says that it may more than it may');
    try {
      const command = decodeTrustCommand(envelope.command);
      // Who came with an invite is counted by the leader that takes it in, and by nobody else.
      if (command.kind === 'use' && by !== this.#self) return trustErrorOf('not-authorized', 'only a leader counts an invite');
      if (command.kind === 'invite') tickets.push(command.ticket);
      return refusalOf(this.#judge.authorize, { id: by, role }, { kind: 'trust', command });
    } catch (error) {
      return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
    }
  }

  async #verified(by: NodeId, tickets: readonly Uint8Array[]): Promise<RaftError | undefined> {
    try {
      for (const ticket of tickets) {
        const { issuer } = await verifyTicket(ticket, this.#trust.clusterId);
        if (issuer !== by) return trustErrorOf('invite-invalid', 'it is signed by another member');
      }
      return undefined;
    } catch (error) {
      return RaftError.is(error) ? error : new RaftError('invite-invalid', String(error));
    }
  }
}
