/** The parts of a node that know who may come in and who may do what, joined: what proofs ask, what a leader asks, what is decided. */
import type { RaftError } from '../../core/errors.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { NodeStore } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import { RoomSecret } from '../duties/room-secret.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import { Trust } from '../standing/trust.ts';
import type { ApplicationParts } from './application-parts.ts';
import { DECIDE_TIMEOUT_MS, type DecideHook, decideHere } from './decide.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { ProposalGuard } from './proposal-guard.ts';

interface TrustSideParts {
  readonly standing: Standing;
  readonly speakers: Speakers;
  readonly state: ReplicatedState;
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly emitter: Emitter;
  /** Made later: asked for when something is decided. */
  application(): ApplicationParts;
  end(error: RaftError): void;
}

export class TrustSide {
  readonly trust: Trust;
  readonly gatekeeper: Gatekeeper;
  readonly guard: ProposalGuard;
  readonly secret: RoomSecret;
  /** Writes a decision of this node's own. */
  readonly decide: DecideHook;

  constructor({ standing, speakers, state, options, store, emitter, application, end }: TrustSideParts) {
    const { transport, clock, gate, authorize } = options;
    state.trust.authorize = authorize;
    this.trust = new Trust(standing, speakers, gate);
    this.secret = new RoomSecret({ standing, trust: this.trust, store, emitter });
    this.gatekeeper = new Gatekeeper({ standing, trust: this.trust, secret: this.secret, transport, emitter, end });
    this.guard = new ProposalGuard(standing.id, this.trust, state);
    const { trust } = this;
    this.decide = (command, done) =>
      decideHere({ id: standing.id, trust, application: application() }, command, clock.monotonicMs() + DECIDE_TIMEOUT_MS, done);
  }

  stop(error: RaftError): void {
    this.gatekeeper.stop();
    this.secret.stop(error);
  }
}
