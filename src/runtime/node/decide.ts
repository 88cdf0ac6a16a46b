/** Decisions about who may come in, as this node writes them: in its session, so that each happens once. */
import { RaftError } from '../../core/errors.ts';
import type { TrustCommand } from '../../trust/ledger.ts';
import { encodeTrustCommand } from '../../trust/ledger-codec.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { AdmissionHooks } from '../duties/admission.ts';
import type { Application } from '../ports/seam.ts';
import type { Trust } from '../standing/trust.ts';

/** How long a leader's own decision may take, in ms. */
export const DECIDE_TIMEOUT_MS = 10_000;

export type DecideHook = AdmissionHooks['decide'];

/** Resolves when the decision is applied here. Errors: not-a-member, those of the ledger and of a write. */
export type Decide = (command: TrustCommand, timeoutMs: number) => Promise<void>;

export function decider(trust: () => Trust, self: string, application: () => Pick<Application, 'decide'>): Decide {
  return async (command, timeoutMs) => {
    const role: MemberRole | undefined = trust().roleOf(self);
    if (role === undefined) throw new RaftError('not-a-member', 'This node belongs to no cluster yet.');
    await application().decide(encodeTrustCommand(command), role, timeoutMs);
  };
}

/** `done` is called once. */
export function decideHook(decide: Decide): DecideHook {
  return (command, done) => {
    decide(command, DECIDE_TIMEOUT_MS).then(
      () => done(undefined),
      (error: unknown) => done(RaftError.is(error) ? error : new RaftError('invariant', String(error))),
    );
  };
}
