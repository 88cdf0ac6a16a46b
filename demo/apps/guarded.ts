/** Something outside of the lock that the lock guards: it takes no token smaller than the greatest it has seen. */
import type { ApplyContext, NodeId } from '../../src/index.ts';

export interface Guarded {
  token: number;
  writes: number;
  by: NodeId;
  name: string;
}

export type GuardResult = { readonly ok: true; readonly writes: number } | { readonly ok: false; readonly newest: number };

interface WithGuarded {
  readonly guarded: Guarded;
}

/** A holder that slept through the end of its lease comes with an old token, and is refused here. */
export function print(
  { guarded }: WithGuarded,
  { token, name }: { token: number; name: string },
  context: ApplyContext,
): GuardResult {
  if (!Number.isSafeInteger(token) || token < guarded.token) return { ok: false, newest: guarded.token };
  guarded.token = token;
  guarded.writes += 1;
  guarded.by = context.proposer;
  guarded.name = name;
  return { ok: true, writes: guarded.writes };
}
