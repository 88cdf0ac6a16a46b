/**
 * Who may do what. The leader asks before it appends, and every member asks again when it applies: both with the same
 * arguments, so both come to the same answer. First the rules of the roles, which no application can loosen; then the
 * application's own hook.
 */
import type { RaftError } from '../core/errors.ts';
import type { ConfChange, NodeId } from '../core/types.ts';
import { trustErrorOf } from './errors.ts';
import type { TrustCommand } from './ledger.ts';
import type { WriterRole } from './roles.ts';

/** Who asks, as the configuration in force at the entry says it: never what the asker says of itself. */
export interface Requester {
  readonly id: NodeId;
  /** `client`: it is no member, and writes through one; its id begins with `client/`. */
  readonly role: WriterRole;
}

/** What is asked for. */
export type TrustRequest =
  | { readonly kind: 'command'; readonly command: unknown }
  | { readonly kind: 'change'; readonly change: ConfChange }
  | { readonly kind: 'trust'; readonly command: TrustCommand };

/**
 * The application's hook: true allows. It decides by its arguments alone: no clock, no randomness, nothing that differs
 * between members, or they come apart. A hook that throws, or answers anything but true, refuses.
 */
export type Authorize = (member: Requester, request: TrustRequest) => boolean;

/** Undefined when it is allowed; else why not. Never throws. Errors: not-authorized. */
export function refusalOf(authorize: Authorize | undefined, member: Requester, request: TrustRequest): RaftError | undefined {
  const rule = brokenRule(member, request);
  if (rule !== undefined) return trustErrorOf('not-authorized', rule);
  if (authorize === undefined) return undefined;
  let answer: unknown;
  try {
    answer = authorize(member, request);
  } catch {
    // Its text may differ from engine to engine; the outcome must not.
    return trustErrorOf('not-authorized', 'the application could not decide');
  }
  return answer === true ? undefined : trustErrorOf('not-authorized', 'the application does not allow it');
}

/** The rules of the roles. A member may always ask to be removed itself. */
function brokenRule({ id, role }: Requester, request: TrustRequest): string | undefined {
  if (role === 'voter') return undefined;
  if (request.kind === 'command') return role === 'reader' ? 'a reader may not write' : undefined;
  if (request.kind === 'change') return isOwnRemoval(id, request.change) ? undefined : `a ${role} may not change the membership`;
  return role === 'reader' ? 'a reader decides nothing' : undefined;
}

function isOwnRemoval(id: NodeId, { steps, context }: ConfChange): boolean {
  return context === undefined && steps.length > 0 && steps.every((step) => step.op === 'remove' && step.id === id);
}

/** Everybody may write; membership, invites and the secret are for those named. */
export function adminsOnly(admins: readonly NodeId[]): Authorize {
  const named = new Set(admins);
  return ({ id }, request) => {
    if (request.kind === 'command' || named.has(id)) return true;
    if (request.kind === 'trust') return request.command.kind === 'use';
    return isOwnRemoval(id, request.change);
  };
}

/** Allows what all of them allow. */
export function allOf(...hooks: readonly Authorize[]): Authorize {
  return (member, request) => hooks.every((hook) => hook(member, request) === true);
}
