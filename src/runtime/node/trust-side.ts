/** The parts of a node that know who may come in and who may do what, joined: what proofs ask, what a leader asks, what is decided. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeStore } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import { RoomSecret } from '../duties/room-secret.ts';
import type { Application } from '../ports/seam.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import { Trust } from '../standing/trust.ts';
import { type Decide, decider } from './decide.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { ProposalGuard, type ProposalJudge } from './proposal-guard.ts';

interface TrustSideParts {
  readonly standing: Standing;
  readonly speakers: Speakers;
  readonly judge: ProposalJudge;
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly emitter: Emitter;
  /** Made later: asked for when something is decided. */
  application(): Application;
  end(error: RaftError): void;
}

export class TrustSide {
  readonly trust: Trust;
  readonly gatekeeper: Gatekeeper;
  readonly guard: ProposalGuard;
  readonly secret: RoomSecret;
  /** Writes a decision of this node's own. */
  readonly decide: Decide;

  constructor({ standing, speakers, judge, options, store, emitter, application, end }: TrustSideParts) {
    const { transport, gate } = options;
    this.trust = new Trust(standing, speakers, gate);
    this.secret = new RoomSecret({ standing, trust: this.trust, store, emitter });
    this.gatekeeper = new Gatekeeper({ standing, trust: this.trust, secret: this.secret, transport, emitter, end });
    this.guard = new ProposalGuard(standing.id, this.trust, judge);
    this.decide = decider(() => this.trust, standing.id, application);
  }

  stop(error: RaftError): void {
    this.gatekeeper.stop();
    this.secret.stop(error);
  }
}
