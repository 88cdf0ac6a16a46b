/**
 * The part of the replicated state that says who may come in: the ledger, driven by entries of its own kind, and what may be written
 * by whom. The same entries give the same ledger and the same refusals on every member.
 */
import type { Entry, NodeId } from '../core/types.ts';
import { type Authorize, refusalOf } from '../trust/authorize.ts';
import { readTicket } from '../trust/invite.ts';
import { InviteLedger, type TrustCommand } from '../trust/ledger.ts';
import { decodeLedger, decodeTrustCommand, encodeLedger } from '../trust/ledger-codec.ts';
import { isClientName, type MemberRole, type WriterRole } from '../trust/roles.ts';
import type { TrustEnvelope } from './envelope.ts';
import type { Outcome, OutcomeCode } from './state-machine.ts';

export type MemberRoles = ReadonlyMap<NodeId, MemberRole>;

export class TrustPart {
  /** The application's hook, the same on every member. */
  authorize: Authorize | undefined;
  /** Of the configuration in force at the entry that is applied. */
  roles: MemberRoles = new Map();
  #ledger = new InviteLedger();

  /** @param writer whose session it was written in */
  apply({ by, role, command: bytes }: TrustEnvelope, entry: Entry, writer: NodeId): Outcome {
    let command: TrustCommand;
    try {
      command = decodeTrustCommand(bytes);
    } catch {
      return failed('message-invalid', 'The entry holds no decision that this build knows.');
    }
    if (writer !== by) return failed('not-authorized', 'A member decides in its own name.');
    const refused = refusalOf(this.authorize, { id: by, role }, { kind: 'trust', command });
    if (refused !== undefined) return failed('not-authorized', refused.message);
    const { error, role: given } = this.#ledger.apply(command, {
      // The leader has compared it with its own before it appended the entry.
      clusterId: command.kind === 'invite' ? clusterIn(command.ticket) : '',
      by,
      timeMs: entry.time,
      roleOf: (id) => (id === by ? role : undefined),
    });
    return error === undefined ? { kind: 'value', value: given } : failed(error.code as OutcomeCode, error.message);
  }

  /** Why a command of a member is not carried out; undefined when it is. Without a hook the leader's look at the roles is enough. */
  refusalOf(writer: NodeId, command: unknown): Outcome | undefined {
    if (this.authorize === undefined) return undefined;
    const role: WriterRole | undefined = this.roles.get(writer) ?? (isClientName(writer) ? 'client' : undefined);
    const refused =
      role === undefined ? undefined : refusalOf(this.authorize, { id: writer, role }, { kind: 'command', command });
    if (role === undefined) return failed('not-authorized', 'Who wrote this is no member any more.');
    return refused === undefined ? undefined : failed('not-authorized', refused.message);
  }

  get isEmpty(): boolean {
    const { secret, invites, revoked } = this.#ledger.image();
    return secret.epoch === 0 && invites.length === 0 && revoked.length === 0;
  }

  bytes(): Uint8Array {
    return encodeLedger(this.#ledger);
  }

  /** Of a snapshot; undefined where nothing had been decided. Errors: message-invalid. */
  load(bytes: Uint8Array | undefined): void {
    this.#ledger = bytes === undefined ? new InviteLedger() : decodeLedger(bytes);
  }
}

function clusterIn(ticket: Uint8Array): string {
  try {
    return readTicket(ticket).clusterId;
  } catch {
    return '';
  }
}

function failed(code: OutcomeCode, message: string): Outcome {
  return { kind: 'error', code, message };
}
