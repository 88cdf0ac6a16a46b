/** What a node can say of itself and of the others: one place that turns its parts into plain values. */
import type { Status } from '../../core/status.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { Explanation, NodeStatus, PeerState, PeerStatus } from '../api/api.ts';
import { contextOf, memberIds, suffrageOf } from '../member/configuration.ts';
import type { Engine } from '../node/runtime.ts';

export function nodeStatus(engine: Engine): NodeStatus {
  const { member, cluster, store, options } = engine;
  const { alive, need } = quorumOf(engine);
  const core = member?.core.status();
  return {
    id: engine.id,
    room: options.room,
    clusterId: cluster?.clusterId ?? '',
    epoch: cluster?.epoch ?? 0,
    bootNonce: store.identity.bootNonce,
    role: engine.currentRole(),
    suffrage: member === undefined ? 'none' : suffrageOf(member.conf, engine.id),
    term: engine.term,
    leaderId: engine.leaderId === NO_NODE ? undefined : engine.leaderId,
    commitIndex: member?.hard.commit ?? 0,
    appliedIndex: member?.appliedIndex ?? 0,
    lastIndex: core?.lastIndex ?? 0,
    firstIndex: member?.view.firstIndex() ?? 1,
    snapshotIndex: member?.maker.snapshotIndex ?? 0,
    quorumAlive: member !== undefined && alive >= need,
    failureTolerance: Math.max(0, alive - need),
    signaling: engine.room.state,
    storageKind: options.storage.kind,
    pendingWrites: engine.writes.size,
    peers: peerIds(engine).map((id) => peerStatus(engine, id, core)),
  };
}

function peerIds(engine: Engine): NodeId[] {
  const ids = new Set(engine.member === undefined ? [] : memberIds(engine.member.conf));
  for (const peer of engine.peers.all()) if (peer.link !== 'closed' && peer.link !== 'none') ids.add(peer.id);
  ids.delete(engine.id);
  return [...ids].sort();
}

export function peerStatus(engine: Engine, id: NodeId, core: Status | undefined = engine.member?.core.status()): PeerStatus {
  const { member } = engine;
  const peer = engine.peers.get(id);
  const view = engine.desk.reports.get(id);
  const progress = core?.progress.find((candidate) => candidate.id === id);
  const link = engine.options.transport.links().find((candidate) => candidate.peer === id);
  const name = (member === undefined ? '' : contextOf(member.conf, id).name) || (peer?.hello?.name ?? '');
  return {
    id,
    name,
    suffrage: member === undefined ? 'none' : suffrageOf(member.conf, id),
    role: view?.report.role,
    term: view?.report.term,
    commitIndex: view?.report.commit,
    appliedIndex: view?.report.applied,
    matchIndex: progress?.matchIndex,
    lagEntries: progress === undefined || core === undefined ? undefined : Math.max(0, core.lastIndex - progress.matchIndex),
    progress: progressState(progress?.state, peer?.trusted === true),
    link: link?.state ?? 'none',
    linkKind: link?.kind ?? '',
    lastContactMs: peer?.lastHeardMs === undefined ? undefined : engine.options.clock.monotonicMs() - peer.lastHeardMs,
    rttMs: view?.rttMs,
  };
}

function progressState(state: PeerState | undefined, linked: boolean): PeerState {
  if (state === undefined) return 'unknown';
  return linked ? state : 'unreachable';
}

/** Voters heard of within two election timeouts, and how many make a majority; of a joint configuration the worse half. */
export function quorumOf(engine: Engine): { readonly alive: number; readonly need: number } {
  const { member } = engine;
  if (member === undefined) return { alive: 0, need: 1 };
  const halves = [member.conf.voters, member.conf.votersOutgoing].filter((half) => half.length > 0);
  const counted = halves.map((half) => ({
    alive: half.filter((id) => isAlive(engine, id)).length,
    need: Math.floor(half.length / 2) + 1,
  }));
  return counted.sort((a, b) => a.alive - a.need - (b.alive - b.need))[0] ?? { alive: 0, need: 1 };
}

export function isAlive(engine: Engine, id: NodeId): boolean {
  if (id === engine.id) return engine.suspended === undefined && engine.ended === undefined;
  const peer = engine.peers.get(id);
  if (peer?.trusted !== true || peer.lastHeardMs === undefined) return false;
  return engine.options.clock.monotonicMs() - peer.lastHeardMs <= 2 * engine.options.tuning.electionTimeoutMs[1];
}

/** One sentence: why there is no leader, or why a write waits. */
export function explain(engine: Engine): Explanation {
  const { member } = engine;
  const silentVoters =
    member === undefined
      ? []
      : [...new Set([...member.conf.voters, ...member.conf.votersOutgoing])].filter((id) => !isAlive(engine, id));
  const tell = (healthy: boolean, text: string): Explanation => ({ healthy, text, silentVoters });
  if (engine.ended !== undefined) return tell(false, `This node has ended: ${engine.ended.message}`);
  if (engine.suspended !== undefined)
    return tell(false, `Storage does not take writes (${engine.suspended.message}); this node waits until it does.`);
  if (member === undefined) {
    if (engine.room.state !== 'open')
      return tell(
        false,
        `This node belongs to no cluster yet and cannot reach the signaling server: ${engine.room.error?.message ?? 'connecting'}`,
      );
    return tell(false, 'This node belongs to no cluster yet: it waits for a member of the room to take it in.');
  }
  if (member.removed) return tell(false, 'This node was removed from the cluster.');
  const { alive, need } = quorumOf(engine);
  if (alive < need)
    return tell(
      false,
      `Only ${alive} of the ${need} voters that make a majority can be reached; ${silentVoters.length} are silent.`,
    );
  if (engine.leaderId === NO_NODE) return tell(false, 'A majority can be reached; an election is under way.');
  if (engine.leaderId !== engine.id && !engine.peers.isLinked(engine.leaderId))
    return tell(false, `${engine.leaderId} leads, but there is no link to it.`);
  return tell(true, engine.leaderId === engine.id ? 'This node leads.' : `${engine.leaderId} leads.`);
}
