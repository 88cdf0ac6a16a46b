/** What operators call, done where consensus is for an application side at the other end of a line. */
import { RaftError } from '../../core/errors.ts';
import type { CallOptions } from '../api/api.ts';
import type { ConsensusAdmin } from '../node/public-admin.ts';
import type { NodeMembership } from '../node/public-membership.ts';
import type { Bridge } from './bridge.ts';

/** Each ends with a result, or with a code. */
export type MembershipCall = Exclude<keyof NodeMembership, 'current'>;
export type AdminCall =
  | 'transferLeadership'
  | 'stepDown'
  | 'campaign'
  | 'snapshot'
  | 'compact'
  | 'logEntries'
  | 'describeMetadata'
  | 'planRecovery'
  | 'recover';

const MEMBERSHIP: Readonly<Record<MembershipCall, true>> = {
  invite: true,
  revokeInvite: true,
  rotateSecret: true,
  expel: true,
  add: true,
  remove: true,
  promote: true,
  demote: true,
  replace: true,
  change: true,
  setPriority: true,
  leave: true,
};

const ADMIN: Readonly<Record<AdminCall, true>> = {
  transferLeadership: true,
  stepDown: true,
  campaign: true,
  snapshot: true,
  compact: true,
  logEntries: true,
  describeMetadata: true,
  planRecovery: true,
  recover: true,
};

/** A signal does not cross: its place is told, and that it was aborted. */
export interface FarCall {
  readonly number: number;
  /** Which of the arguments are the options that had a signal; -1 for none. */
  readonly signalAt: number;
  readonly given: readonly unknown[];
}

type Call = (...given: readonly unknown[]) => Promise<unknown>;

export function serveCalls(
  bridge: Bridge,
  admin: ConsensusAdmin,
  membership: NodeMembership,
): Record<string, (...given: never[]) => unknown> {
  /** Of calls that can be aborted, while they are under way. */
  const open = new Map<number, AbortController>();
  const run = async (target: object, name: string, { number, signalAt, given }: FarCall): Promise<unknown> => {
    const call = Reflect.get(target, name) as Call;
    if (signalAt < 0) return call.apply(target, [...given]);
    const controller = new AbortController();
    open.set(number, controller);
    const options: CallOptions = { ...(given[signalAt] as CallOptions), signal: controller.signal };
    try {
      return await call.apply(
        target,
        given.map((one, i) => (i === signalAt ? options : one)),
      );
    } finally {
      open.delete(number);
    }
  };
  return {
    membership: (name: MembershipCall, call: FarCall) => checked(MEMBERSHIP, name) && run(membership, name, call),
    admin: (name: AdminCall, call: FarCall) => checked(ADMIN, name) && run(admin, name, call),
    abort: (number: number) => open.get(number)?.abort(),
    export: () => bridge.lend(admin.export()),
  };
}

function checked(names: Readonly<Record<string, true>>, name: string): true {
  if (Object.hasOwn(names, name)) return true;
  throw new RaftError('invariant', `Nothing is called ${name} at this end.`);
}
