/** Who may work through this member without being one: by what its link was let in, counted, and bounded. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { trustError } from '../../trust/errors.ts';
import type { Trust } from '../standing/trust.ts';

/** Clients of one member at a time; one more is sent to another member. */
export const GUESTS_MAX = 64;
/** Calls of one client that wait at a member. */
export const CALLS_PER_GUEST_MAX = 64;

export interface Guest {
  readonly id: NodeId;
  readonly mayWrite: boolean;
  /** Without an answer. */
  calls: number;
}

/** Has an invite's use counted by whoever leads. `done` is called once. */
export type CountUse = (inviteId: string, client: NodeId, done: (error: RaftError | undefined) => void) => void;

export class Guests {
  readonly #trust: Trust;
  readonly #count: CountUse;
  readonly #guests = new Map<NodeId, Guest>();

  constructor(trust: Trust, count: CountUse) {
    this.#trust = trust;
    this.#count = count;
  }

  get size(): number {
    return this.#guests.size;
  }

  /** Its link is closed: by what it comes in the next time is looked at anew. */
  forget(id: NodeId): void {
    this.#guests.delete(id);
  }

  /** `then` is called once. Errors: busy, member-revoked, not-a-member, not-admitted, and those of an invite. */
  welcome(id: NodeId, then: (guest: Guest | RaftError) => void): void {
    const known = this.#guests.get(id);
    if (this.#trust.isRevoked(id)) return then(trustError('member-revoked'));
    if (known !== undefined && known.calls >= CALLS_PER_GUEST_MAX)
      return then(new RaftError('busy', `${CALLS_PER_GUEST_MAX} calls of this client wait.`, { retryAfterMs: 100 }));
    if (known !== undefined) return then(known);
    if (this.#guests.size >= GUESTS_MAX)
      return then(new RaftError('busy', `This member has ${GUESTS_MAX} clients.`, { retryAfterMs: 1_000 }));
    if (this.#trust.gate === undefined) return then(this.#take(id, true));
    const admission = this.#trust.proofOf(id)?.admission;
    if (admission === undefined) return then(new RaftError('not-a-member', 'The client has not proven who it is.'));
    if (admission.by === 'secret') return then(this.#take(id, true));
    if (admission.by !== 'invite') return then(trustError('not-admitted'));
    const { inviteId } = admission;
    // Counted as a member is that comes with it: once for each client.
    this.#count(inviteId, id, (error) => {
      const role = this.#trust.invite(inviteId)?.role;
      if (error !== undefined || role === undefined) return then(error ?? trustError('invite-invalid'));
      // It may have gone meanwhile; then nobody forgets it again.
      then(this.#trust.proofOf(id) === undefined ? trustError('not-admitted') : this.#take(id, role !== 'reader'));
    });
  }

  #take(id: NodeId, mayWrite: boolean): Guest {
    const known = this.#guests.get(id);
    if (known !== undefined) return known;
    const guest: Guest = { id, mayWrite, calls: 0 };
    this.#guests.set(id, guest);
    return guest;
  }
}
