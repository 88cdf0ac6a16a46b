/**
 * A member that knows less than its leader has seen it acknowledge has lost it: an older copy of its profile came back, or its disk
 * went back in time. It must not vote under its name again. Links are in order, and nobody truncates within a term what was
 * acknowledged in it: a report of this term that says less is proof.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { PeerReport } from '../../wire/bodies.ts';
import type { Standing } from '../standing/standing.ts';

/** On the leader: what a member that has just reported must be told; undefined when all is well. */
export function lostByPeer({ member, term }: Standing, peer: NodeId, report: PeerReport | undefined): RaftError | undefined {
  if (member?.isLeader !== true || report === undefined || report.term !== term || report.role === 'stopped') return undefined;
  const known = member.core.status().progress.find(({ id }) => id === peer)?.matchIndex ?? 0;
  if (report.last >= known) return undefined;
  return new RaftError(
    'corrupt',
    `This node has acknowledged entry ${known} and holds entries up to ${report.last}: an older copy of its storage has come back.`,
  );
}
