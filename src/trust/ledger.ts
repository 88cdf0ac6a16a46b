/**
 * What a cluster has decided about who may come in: invites and how often each was used, identities put out, and which secret
 * is in force. A part of the replicated state: the same commands at the same entries give the same ledger on every member.
 * Time is the entry's time, given from outside; nothing here remembers it, so that one wrong clock refuses for as long as it
 * is wrong and no longer. Roles and public keys of members stand in the configuration, beside the member they are of.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { sameBytes } from './bytes.ts';
import { trustError, trustErrorOf } from './errors.ts';
import { readTicket } from './invite.ts';
import { CLOCK_SKEW_MAX_MS, INVITES_MAX, REVOKED_MAX } from './limits.ts';
import { KEY_BYTES } from './primitives.ts';
import { type MemberRole, mayGive } from './roles.ts';

export type TrustCommand =
  /** Takes an invite in. The leader has checked the ticket's signature (verifyTicket) before it appended this. */
  | { readonly kind: 'invite'; readonly ticket: Uint8Array; readonly welcomeKey: Uint8Array }
  /** Counts a use by a node whose proof a member has checked. The same node is counted once, however often it is said. */
  | { readonly kind: 'use'; readonly inviteId: string; readonly node: NodeId }
  | { readonly kind: 'revoke-invite'; readonly inviteId: string }
  /** Puts an identity out for good. Its unused invites are void with it. */
  | { readonly kind: 'revoke-member'; readonly node: NodeId }
  /** A new secret is in force. The secret itself never stands in the log, which readers keep too. */
  | { readonly kind: 'secret'; readonly epoch: number; readonly commitment: Uint8Array };

type InviteCommand = TrustCommand & { readonly kind: 'invite' };
type SecretCommand = TrustCommand & { readonly kind: 'secret' };

/** Where a command stands: said by the log, alike on every member. */
export interface TrustContext {
  readonly clusterId: string;
  /** Who wrote it. */
  readonly by: NodeId;
  /** The entry's time, ms since the epoch. */
  readonly timeMs: number;
  /** The role of a member in the configuration in force at this entry; undefined for who is no member. */
  roleOf(id: NodeId): MemberRole | undefined;
}

/** The role that a use gave, where there was one. An error is a result like any other, the same on every member. */
export interface TrustOutcome {
  readonly error: RaftError | undefined;
  readonly role: MemberRole | undefined;
}

export interface InviteRecord {
  readonly ticket: Uint8Array;
  readonly welcomeKey: Uint8Array;
  readonly issuer: NodeId;
  /** Who came with it, in order. At most as many as its uses. */
  readonly usedBy: readonly NodeId[];
  readonly revoked: boolean;
}

export type InviteState = 'valid' | 'invite-expired' | 'invite-used' | 'invite-revoked';

export interface InviteView {
  readonly record: InviteRecord;
  readonly role: MemberRole;
  readonly inviteKey: Uint8Array;
  readonly state: InviteState;
  /** Its time has passed. */
  readonly isOver: boolean;
}

export interface SecretInForce {
  /** Counts the changes of the secret; 0 is the one the room was founded with. */
  readonly epoch: number;
  /** Empty before the first change, when nothing was said of it. */
  readonly commitment: Uint8Array;
}

/** Plain form, for snapshots and tests. Lists are in the order in which they were written. */
export interface LedgerImage {
  readonly secret: SecretInForce;
  readonly invites: readonly (readonly [id: string, record: InviteRecord])[];
  readonly revoked: readonly (readonly [id: NodeId, epoch: number])[];
}

const DONE: TrustOutcome = { error: undefined, role: undefined };

export class InviteLedger {
  #secretInForce: SecretInForce = { epoch: 0, commitment: new Uint8Array(0) };
  readonly #invites = new Map<string, InviteRecord>();
  /** With the secret's epoch in which each was put out. */
  readonly #revoked = new Map<NodeId, number>();

  static of(image: LedgerImage): InviteLedger {
    const ledger = new InviteLedger();
    ledger.#secretInForce = image.secret;
    for (const [id, record] of image.invites) ledger.#invites.set(id, record);
    for (const [id, epoch] of image.revoked) ledger.#revoked.set(id, epoch);
    return ledger;
  }

  image(): LedgerImage {
    return { secret: this.#secretInForce, invites: [...this.#invites], revoked: [...this.#revoked] };
  }

  get secret(): SecretInForce {
    return this.#secretInForce;
  }

  isRevoked(id: NodeId): boolean {
    return this.#revoked.has(id);
  }

  /** How an invite stands at a time; undefined when the ledger does not know it. */
  invite(inviteId: string, timeMs: number): InviteView | undefined {
    const record = this.#invites.get(inviteId);
    if (record === undefined) return undefined;
    const { role, uses, expiresMs, inviteKey } = readTicket(record.ticket);
    const isOver = timeMs >= expiresMs;
    return { record, role, inviteKey, isOver, state: stateOf(record, uses, isOver) };
  }

  /** Never throws: what cannot be done is the outcome. */
  apply(command: TrustCommand, context: TrustContext): TrustOutcome {
    try {
      return this.#dispatch(command, context);
    } catch (error) {
      if (RaftError.is(error)) return { error, role: undefined };
      throw error;
    }
  }

  #dispatch(command: TrustCommand, context: TrustContext): TrustOutcome {
    const own = context.roleOf(context.by);
    if (this.isRevoked(context.by)) throw trustError('member-revoked');
    if (own === undefined) throw new RaftError('not-a-member', `${context.by} is no member.`);
    if (own === 'reader') throw trustErrorOf('not-authorized', 'a reader decides nothing');
    switch (command.kind) {
      case 'invite':
        return this.#take(command, own, context);
      case 'use':
        return this.#use(command.inviteId, command.node, context);
      case 'revoke-invite':
        return this.#revokeInvite(command.inviteId, own, context);
      case 'revoke-member':
        return this.#revokeMember(command.node, own);
      case 'secret':
        return this.#changeSecret(command, own);
    }
  }

  #take(command: InviteCommand, own: MemberRole, context: TrustContext): TrustOutcome {
    const ticket = readTicket(command.ticket);
    if (ticket.clusterId !== context.clusterId || command.welcomeKey.length !== KEY_BYTES) throw trustError('invite-invalid');
    if (!mayGive(own, ticket.role)) throw trustErrorOf('not-authorized', `a ${own} invites no ${ticket.role}`);
    const known = this.#invites.get(ticket.inviteId);
    if (known !== undefined) return sameBytes(known.ticket, command.ticket) ? DONE : fail(trustError('invite-invalid'));
    if (ticket.issuedMs > context.timeMs + CLOCK_SKEW_MAX_MS) throw trustError('clock-skew');
    if (ticket.expiresMs <= context.timeMs) throw trustError('invite-expired');
    if (this.#invites.size >= INVITES_MAX) this.#dropEnded(context.timeMs);
    const { ticket: bytes, welcomeKey } = command;
    this.#invites.set(ticket.inviteId, {
      ticket: bytes.slice(),
      welcomeKey: welcomeKey.slice(),
      issuer: context.by,
      usedBy: [],
      revoked: false,
    });
    return DONE;
  }

  /** Makes room: the oldest that nobody can use any more goes. */
  #dropEnded(timeMs: number): void {
    for (const id of this.#invites.keys()) {
      if (this.invite(id, timeMs)?.state === 'valid') continue;
      this.#invites.delete(id);
      return;
    }
    throw new RaftError('busy', `There are ${INVITES_MAX} invites that can still be used. Take some back first.`);
  }

  #use(inviteId: string, node: NodeId, context: TrustContext): TrustOutcome {
    if (this.isRevoked(node)) throw trustError('member-revoked');
    const view = this.invite(inviteId, context.timeMs);
    if (view === undefined) throw trustError('invite-invalid');
    const counted = view.record.usedBy.includes(node);
    const inside = context.roleOf(node);
    if (counted && inside !== undefined) return { error: undefined, role: inside };
    // Whoever is inside already has a role: an invite is no way to another one.
    if (inside !== undefined) throw trustErrorOf('not-authorized', `${node} is a member already`);
    const refused = inviteRefusal(view, node);
    if (refused !== undefined) throw trustError(refused);
    if (!counted) this.#invites.set(inviteId, { ...view.record, usedBy: [...view.record.usedBy, node] });
    return { error: undefined, role: view.role };
  }

  #revokeInvite(inviteId: string, own: MemberRole, context: TrustContext): TrustOutcome {
    const record = this.#invites.get(inviteId);
    if (record === undefined) throw trustError('invite-invalid');
    if (record.issuer !== context.by) requireVoter(own);
    this.#invites.set(inviteId, { ...record, revoked: true });
    return DONE;
  }

  #revokeMember(node: NodeId, own: MemberRole): TrustOutcome {
    requireVoter(own);
    if (!this.#revoked.has(node) && this.#revoked.size >= REVOKED_MAX) this.#dropRevoked();
    this.#revoked.set(node, this.#secretInForce.epoch);
    for (const [id, record] of this.#invites) {
      if (record.issuer === node) this.#invites.set(id, { ...record, revoked: true });
    }
    return DONE;
  }

  /** Who was put out before the secret was last changed has neither a membership nor the secret: its name may go. */
  #dropRevoked(): void {
    for (const [id, epoch] of this.#revoked) {
      if (epoch >= this.#secretInForce.epoch) continue;
      this.#revoked.delete(id);
      return;
    }
    throw new RaftError(
      'busy',
      `${REVOKED_MAX} identities were put out. Change the room's secret, then they need not be remembered.`,
    );
  }

  #changeSecret(command: SecretCommand, own: MemberRole): TrustOutcome {
    requireVoter(own);
    if (command.commitment.length !== KEY_BYTES) throw trustError('wrong-secret');
    if (command.epoch !== this.#secretInForce.epoch + 1) {
      throw new RaftError(
        'membership-mismatch',
        `The room's secret has been changed ${this.#secretInForce.epoch} times. Look again.`,
      );
    }
    this.#secretInForce = { epoch: command.epoch, commitment: command.commitment.slice() };
    return DONE;
  }
}

function requireVoter(own: MemberRole): void {
  if (own !== 'voter') throw trustErrorOf('not-authorized', `a ${own} may not`);
}

/**
 * Why a node may not come with an invite; undefined when it may. Who has been counted may come again for as long as the invite
 * itself is good: its join may have been lost on the way.
 */
export function inviteRefusal(view: InviteView, node: NodeId): Exclude<InviteState, 'valid'> | undefined {
  if (view.state === 'valid') return undefined;
  if (view.state !== 'invite-used' || !view.record.usedBy.includes(node)) return view.state;
  return view.isOver ? 'invite-expired' : undefined;
}

function fail(error: RaftError): never {
  throw error;
}

function stateOf(record: InviteRecord, uses: number, isOver: boolean): InviteState {
  if (record.revoked) return 'invite-revoked';
  if (record.usedBy.length >= uses) return 'invite-used';
  return isOver ? 'invite-expired' : 'valid';
}
