/** Nodes with gates for the tests of proven links: real identities, the real clock, a room that all of them know unless said otherwise. */
import type { NodeId } from '../../src/core/types.ts';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import type { LinkSecurity, Transport } from '../../src/transport/transport.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import type { HandshakeFailure, ProvenPeer } from '../../src/trust/handshake/handshake.ts';
import type { Identity } from '../../src/trust/identity.ts';
import { type GateView, TrustGate } from '../../src/trust/links/gate.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { newIdentity } from './ends.ts';

export const SECRET = createSecret('kitchen');

export function secretAccess(): Promise<Access> {
  return accessBy({ kind: 'secret', secret: SECRET, at: undefined });
}

/** What a gate has found out. */
export interface Findings {
  readonly proven: { readonly peer: NodeId; readonly proven: ProvenPeer }[];
  readonly refused: { readonly peer: NodeId; readonly failure: HandshakeFailure }[];
  readonly faults: string[];
}

export interface Gated {
  readonly gate: TrustGate;
  readonly found: Findings;
}

/** Where a node knows nobody, it goes by the secret alone. */
export const KNOWS_NOBODY: GateView = {
  clusterId: '',
  epoch: 0,
  secret: { epoch: 0, commitment: new Uint8Array(0) },
  memberKey: () => undefined,
  isRevoked: () => false,
  invite: () => undefined,
};

export function gateOf(identity: Identity, access: Access, view: GateView = KNOWS_NOBODY): Gated {
  const gate = new TrustGate(identity, access, nodeClock());
  const found: Findings = { proven: [], refused: [], faults: [] };
  gate.attach(view, {
    onProven: (peer, proven) => void found.proven.push({ peer, proven }),
    onRefused: (peer, failure) => void found.refused.push({ peer, failure }),
    onFault: (error) => void found.faults.push(error.code),
  });
  return { gate, found };
}

/** Identities by their ids, so that a node that comes back is who it was. */
export class Identities {
  readonly #known = new Map<NodeId, Identity>();

  async newId(): Promise<NodeId> {
    const identity = await newIdentity();
    this.#known.set(identity.id, identity);
    return identity.id;
  }

  get(id: NodeId): Identity {
    const identity = this.#known.get(id);
    if (identity === undefined) throw new Error('nobody has that id');
    return identity;
  }
}

/** The same transport, whose links say something else of their security. */
export function withSecurity(
  inner: Transport,
  security: (self: NodeId, peer: NodeId) => Partial<LinkSecurity> | undefined,
): Transport {
  let own: NodeId = '';
  return {
    kind: inner.kind,
    start: (self, handlers, discovery) => {
      own = self;
      return inner.start(self, handlers, discovery);
    },
    send: (...given) => inner.send(...given),
    queuedBytes: (...given) => inner.queuedBytes(...given),
    links: () => inner.links(),
    disconnect: (...given) => inner.disconnect(...given),
    stop: () => inner.stop(),
    security: (peer) => {
      const changed = security(own, peer);
      const known = inner.security?.(peer);
      return known === undefined || changed === undefined ? known : { ...known, ...changed };
    },
  };
}
