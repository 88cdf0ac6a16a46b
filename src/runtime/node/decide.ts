/** Decisions about who may come in, as this node writes them: in its session, so that each happens once. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import { encodeTrustCommand } from '../../trust/ledger-codec.ts';
import type { AdmissionHooks } from '../duties/admission.ts';
import type { Trust } from '../standing/trust.ts';
import type { ApplicationParts } from './application-parts.ts';

/** How long a leader's own decision may take, in ms. */
export const DECIDE_TIMEOUT_MS = 10_000;

export type DecideHook = AdmissionHooks['decide'];

interface Decider {
  readonly id: NodeId;
  readonly trust: Trust;
  readonly application: ApplicationParts;
}

/** `done` is called once: when the decision is applied here, or with why not. */
export function decideHere(
  { trust, id, application }: Decider,
  command: TrustCommand,
  deadlineMs: number,
  done: (error: RaftError | undefined) => void,
): void {
  const role = trust.roleOf(id);
  if (role === undefined) return done(new RaftError('not-a-member', 'This node belongs to no cluster yet.'));
  application.writes.submit({
    command: encodeTrustCommand(command),
    decidesAs: role,
    key: '',
    forward: true,
    expectedTerm: 0,
    notAfter: 0,
    deadlineMs,
    done: (result) => {
      if (result.kind === 'failed') return done(result.error);
      const { outcome, index } = result;
      done(outcome.kind === 'error' ? new RaftError(outcome.code, outcome.message, { index }) : undefined);
    },
  });
}
