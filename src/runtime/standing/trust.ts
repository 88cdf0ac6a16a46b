/**
 * What this node knows of who may come in and who may do what: the configuration in force and the ledger, as far as they are
 * applied here. What proofs ask, and what is judged by roles, is answered from here.
 */
import type { NodeId } from '../../core/types.ts';
import { linkTo } from '../../trust/access.ts';
import type { ProvenPeer } from '../../trust/handshake/handshake.ts';
import { InviteLedger, type InviteView, type SecretInForce } from '../../trust/ledger.ts';
import { decodeLedger } from '../../trust/ledger-codec.ts';
import type { GateView, TrustGate } from '../../trust/links/gate.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { RoomAccess } from '../api/api.ts';
import { contextOf, memberIds, roleIn } from '../member/configuration.ts';
import type { Speakers } from './speakers.ts';
import type { Standing } from './standing.ts';

const NO_KEY: Uint8Array = new Uint8Array(0);

export class Trust implements GateView {
  /** Undefined where links prove nothing. */
  readonly gate: TrustGate | undefined;
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  #ledger = new InviteLedger();

  constructor(standing: Standing, speakers: Speakers, gate: TrustGate | undefined) {
    this.#standing = standing;
    this.#speakers = speakers;
    this.gate = gate;
  }

  /** Who may come in. */
  get access(): RoomAccess {
    if (this.gate === undefined) return 'unguarded';
    return this.gate.access.open ? 'open' : 'secret';
  }

  get clusterId(): string {
    return this.#standing.cluster?.clusterId ?? '';
  }

  get epoch(): number {
    return this.#standing.cluster?.epoch ?? 0;
  }

  get secret(): SecretInForce {
    return this.#ledger.secret;
  }

  /** The link that lets others in: undefined where this node knows no secret, or one that lets nobody in any more. */
  get roomLink(): string | undefined {
    return this.gate?.secretStands === true ? linkTo(this.gate.access) : undefined;
  }

  get ledger(): InviteLedger {
    return this.#ledger;
  }

  /** The ledger has changed where the log is applied. */
  take(bytes: Uint8Array): void {
    this.#ledger = decodeLedger(bytes);
  }

  /** Also of who is known to belong without standing in the configuration in force here: an id is its key. */
  memberKey(id: NodeId): Uint8Array | undefined {
    const { member } = this.#standing;
    if (member !== undefined && memberIds(member.conf).includes(id)) return contextOf(member.conf, id).publicKey;
    return this.#speakers.knows(id) ? NO_KEY : undefined;
  }

  isRevoked(id: NodeId): boolean {
    return this.#ledger.isRevoked(id);
  }

  invite(inviteId: string): InviteView | undefined {
    return this.#ledger.invite(inviteId, this.#standing.clock.wallMs());
  }

  /** In the configuration in force; undefined for who is no member. */
  roleOf(id: NodeId): MemberRole | undefined {
    const { member } = this.#standing;
    return member === undefined ? undefined : roleIn(member.conf, id);
  }

  proofOf(peer: NodeId): ProvenPeer | undefined {
    return this.gate?.proofOf(peer);
  }
}
