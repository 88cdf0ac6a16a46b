/** What a node can say of itself and of the others: one place that turns its parts into plain values. */
import type { RaftError } from '../../core/errors.ts';
import type { Status } from '../../core/status.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { KeptIn } from '../../storage/storage.ts';
import type { LinkStatus } from '../../transport/transport.ts';
import type { Surroundings } from '../../wire/bodies.ts';
import type { Explanation, NodeStatus, PeerState, PeerStatus, RoomAccess } from '../api/api.ts';
import { contextOf, memberIds, suffrageOf } from '../member/configuration.ts';
import { tickMs } from '../member/core-config.ts';
import { outlookOf } from '../standing/outlook.ts';
import { silentVoters } from '../standing/quorum.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';

import { forecastOf } from './forecast.ts';

/** What a status is made of beside the standing. */
export interface StatusSources {
  readonly standing: Standing;
  readonly reports: Reports;
  readonly room: string;
  readonly access: () => RoomAccess;
  readonly bootNonce: string;
  readonly kept: KeptIn;
  readonly pendingWrites: () => number;
  readonly links: () => readonly LinkStatus[];
  readonly signaling: () => { readonly state: 'connecting' | 'open' | 'closed'; readonly error: RaftError | undefined };
}

export function nodeStatus(sources: StatusSources): NodeStatus {
  const { standing } = sources;
  const { member, cluster } = standing;
  const { quorumAlive, failureTolerance, copies } = outlookOf(standing, sources.reports);
  const core = member?.core.status();
  return {
    id: standing.id,
    room: sources.room,
    access: sources.access(),
    clusterId: cluster?.clusterId ?? '',
    epoch: cluster?.epoch ?? 0,
    bootNonce: sources.bootNonce,
    role: standing.role,
    suffrage: member === undefined ? 'none' : suffrageOf(member.conf, standing.id),
    term: standing.term,
    leaderId: standing.leaderId === NO_NODE ? undefined : standing.leaderId,
    commitIndex: member?.hard.commit ?? 0,
    appliedIndex: member?.appliedIndex ?? 0,
    lastIndex: core?.lastIndex ?? 0,
    durableIndex: core?.stableIndex ?? 0,
    firstIndex: member?.view.firstIndex() ?? 1,
    snapshotIndex: member?.maker.snapshotIndex ?? 0,
    election: core === undefined ? undefined : electionOf(standing, core),
    quorumAlive,
    failureTolerance,
    copies,
    signaling: sources.signaling().state,
    storageKind: sources.kept.kind,
    storageFallback: sources.kept.fallback,
    pendingWrites: sources.pendingWrites(),
    peers: allPeers(sources, core),
  };
}

/** A leader holds elections off, and who may not campaign has no time to run out. */
function electionOf({ state, tuning }: Standing, core: Status): NodeStatus['election'] {
  if (state.kind !== 'member' || core.role === 'leader' || !core.promotable) return undefined;
  const tick = tickMs(tuning);
  return { elapsedMs: core.electionElapsedTicks * tick, timeoutMs: core.electionTimeoutTicks * tick };
}

/** Each from one look at all links: asked for one by one, those of twenty tabs were most of what a page did. */
function allPeers(sources: StatusSources, core: Status | undefined): PeerStatus[] {
  const links = sources.links();
  const once = { ...sources, links: () => links };
  return peerIds(sources.standing).map((id) => peerStatus(once, id, core));
}

function peerIds({ id: self, member, peers }: Standing): NodeId[] {
  const ids = new Set(member === undefined ? [] : memberIds(member.conf));
  for (const peer of peers.all()) if (peer.link !== 'closed' && peer.link !== 'none') ids.add(peer.id);
  ids.delete(self);
  return [...ids].sort();
}

export function peerStatus(
  { standing, reports, links }: StatusSources,
  id: NodeId,
  core: Status | undefined = standing.member?.core.status(),
): PeerStatus {
  const { member, peers, clock } = standing;
  const peer = peers.get(id);
  const view = reports.of(id);
  const progress = core?.progress.find((candidate) => candidate.id === id);
  const link = links().find((candidate) => candidate.peer === id);
  const name = (member === undefined ? '' : contextOf(member.conf, id).name) || (peer?.hello?.name ?? '');
  return {
    id,
    name,
    suffrage: member === undefined ? 'none' : suffrageOf(member.conf, id),
    role: view?.report.role,
    term: view?.report.term,
    commitIndex: view?.report.commit,
    appliedIndex: view?.report.applied,
    lastIndex: view?.report.last,
    leaderId: view === undefined || view.report.leaderId === NO_NODE ? undefined : view.report.leaderId,
    matchIndex: progress?.matchIndex,
    lagEntries: progress === undefined || core === undefined ? undefined : Math.max(0, core.lastIndex - progress.matchIndex),
    progress: progressState(progress?.state, peer?.trusted === true),
    link: link?.state ?? 'none',
    linkKind: link?.kind ?? '',
    lastContactMs: peer?.lastHeardMs === undefined ? undefined : clock.monotonicMs() - peer.lastHeardMs,
    // The link's own measure where it has one: a call also waits for the other end's turn.
    rttMs: link?.rttMs ?? view?.rttMs,
    loss: link?.loss,
    slowedBy: view === undefined ? [] : slowedBy(view.report),
    sentBytes: link?.sentBytes ?? 0,
    receivedBytes: link?.receivedBytes ?? 0,
  };
}

function slowedBy({ hidden, saving, late, shortOfSpace }: Surroundings): PeerStatus['slowedBy'] {
  const all = [hidden && 'hidden', saving && 'saving', late && 'late', shortOfSpace && 'full disk'] as const;
  return all.filter((one) => one !== false);
}

function progressState(state: PeerState | undefined, linked: boolean): PeerState {
  if (state === undefined) return 'unknown';
  return linked ? state : 'unreachable';
}

/** One sentence: why there is no leader, or why a write waits. */
export function explain({ standing, signaling, reports }: StatusSources): Explanation {
  const silent = silentVoters(standing);
  const tell = (healthy: boolean, text: string): Explanation => ({ healthy, text, silentVoters: silent });
  const { state, leaderId } = standing;
  switch (state.kind) {
    case 'ended':
      return tell(false, `This node has ended: ${state.error.message}`);
    case 'suspended':
      return tell(false, `Storage does not take writes (${state.error.message}); this node waits until it does.`);
    case 'paused':
      return tell(false, 'The page of this node is put away; it takes part again when the page is back.');
    case 'removed':
      return tell(false, 'This node was removed from the cluster.');
    case 'seeking':
      if (standing.outside !== undefined) return tell(false, forecastOf(standing, reports).text);
      if (signaling().state === 'open')
        return tell(false, 'This node belongs to no cluster yet: it waits for a member of the room to take it in.');
      return tell(
        false,
        `This node belongs to no cluster yet and cannot reach the signaling server: ${signaling().error?.message ?? 'connecting'}`,
      );
  }
  const { quorumAlive, text } = forecastOf(standing, reports);
  if (!quorumAlive) return tell(false, text);
  if (leaderId === NO_NODE) return tell(false, 'A majority can be reached; an election is under way.');
  if (leaderId !== standing.id && !standing.peers.isLinked(leaderId))
    return tell(false, `${leaderId} leads, but there is no link to it.`);
  return tell(true, leaderId === standing.id ? 'This node leads.' : `${leaderId} leads.`);
}
