/** What is known of the majority: by this node itself, by the word of its leader, or, of a newcomer, by who could not take it in. */
import { copiesOf } from '../../core/conf/conf-state.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { QuorumReport } from '../../wire/bodies.ts';
import type { Forecast, MissingVoter } from '../api/forecast.ts';
import { contextOf } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import { isAlive, quorumOf, silentVoters } from './quorum.ts';
import type { Reports } from './reports.ts';
import type { Standing } from './standing.ts';

export type Outlook = Omit<Forecast, 'text'>;

export function outlookOf(standing: Standing, reports: Reports): Outlook {
  const { member } = standing;
  return member === undefined ? fromOutside(standing) : fromInside(standing, member, reports);
}

/** What a member that knows of no majority tells a newcomer. */
export function quorumReport(standing: Standing, reports: Reports): QuorumReport | undefined {
  const { quorumAlive, alive, need, missing } = outlookOf(standing, reports);
  return standing.member === undefined || quorumAlive ? undefined : { alive, need, missing };
}

function fromInside(standing: Standing, member: Member, reports: Reports): Outlook {
  const { alive, need } = quorumOf(standing);
  const told = leadersWord(standing, reports);
  const isHeard = told !== undefined || alive >= need;
  return {
    quorumAlive: isHeard,
    // Who is linked with few hears few: the leader hears those that count.
    alive: told === undefined ? alive : need + told,
    need,
    failureTolerance: told ?? Math.max(0, alive - need),
    copies: copiesOf(member.conf),
    missing:
      isHeard && told !== undefined && alive < need ? [] : silentVoters(standing).map((id) => missing(standing, member, id)),
    toldBy: undefined,
  };
}

/** How many may still fail, as the leader says that this node hears; undefined when it says nothing, or has no majority. */
function leadersWord(standing: Standing, reports: Reports): number | undefined {
  const { leaderId, id } = standing;
  if (leaderId === NO_NODE || leaderId === id || !isAlive(standing, leaderId)) return undefined;
  const { role, failureTolerance } = reports.of(leaderId)?.report ?? {};
  return role === 'leader' ? failureTolerance : undefined;
}

function missing({ clock, peers, openedMs }: Standing, member: Member, id: NodeId): MissingVoter {
  const peer = peers.get(id);
  const since = peer?.lastHeardMs ?? openedMs;
  const how = peer?.saidGoodbye === true ? 'left' : peer?.isIdle === true && peer.trusted ? 'stopped' : 'silent';
  return { id, name: contextOf(member.conf, id).name, how, forMs: Math.max(0, Math.round(clock.monotonicMs() - since)) };
}

function fromOutside({ outside }: Standing): Outlook {
  const { alive, need, missing: gone } = outside?.report ?? { alive: 0, need: 1, missing: [] };
  return { quorumAlive: false, alive, need, failureTolerance: 0, copies: 0, missing: gone, toldBy: outside?.by };
}
