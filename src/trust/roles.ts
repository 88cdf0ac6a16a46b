/** What a member may do. `voter`: everything. `learner`: keeps the log and proposes. `reader`: keeps the log and may not propose. */

export type MemberRole = 'voter' | 'learner' | 'reader';

/** From the least to the most. The position is part of the encoding: append only. */
export const MEMBER_ROLES: readonly MemberRole[] = ['reader', 'learner', 'voter'];

/** Who writes without being a member. In a guarded room no member has such a name: their ids are their keys. */
export type WriterRole = MemberRole | 'client';

const CLIENT_PREFIX = 'client/';

/** The name in which a client's sessions are opened, and which handlers see as `context.proposer`. */
export function clientName(id: string): string {
  return CLIENT_PREFIX + id;
}

export function isClientName(name: string): boolean {
  return name.startsWith(CLIENT_PREFIX);
}

/** Whether who has `own` may give `given`: nobody gives more than it has, and a reader gives nothing. */
export function mayGive(own: MemberRole, given: MemberRole): boolean {
  return own !== 'reader' && MEMBER_ROLES.indexOf(given) <= MEMBER_ROLES.indexOf(own);
}
