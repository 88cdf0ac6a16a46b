/** From a node's status to what the panels show. */
import type { NodeStatus, PeerStatus } from '../index.ts';
import type { Facts, Inspected, Look, MemberFact } from './inspected.ts';

/** Where a node does not say when it would call an election: the longest election timeout by default, in ms. */
const SILENCE_MS = 1_500;

export function factsOf(node: Inspected, look: Look): Facts {
  const { status, config } = node;
  const devices = devicesOf(node, status);
  const told = new Map(config.members.map(({ id, name }) => [id, name]));
  const nameOf = (id: string, own = ''): string => look.nameOf(id, told.get(id) || own);
  const appearance = (id: string, own?: string): Pick<MemberFact, 'id' | 'name' | 'hue' | 'isLeader' | 'device'> => {
    const name = nameOf(id, own);
    return { id, name, hue: look.hueOf(id, name), isLeader: status.leaderId === id, device: devices(id) };
  };
  const limitMs = status.election?.timeoutMs ?? SILENCE_MS;
  const self = { ...appearance(status.id), ...ownFacts(status) };
  const others = status.peers.map((peer) => ({ ...appearance(peer.id, peer.name), ...peerFacts(peer, limitMs) }));
  const members = [self, ...others].sort(byDevice);
  return {
    node,
    room: status.room,
    term: status.term,
    self,
    leader: members.find(({ isLeader }) => isLeader),
    members,
    voters: config.voters.length,
    named: (text) => members.reduce((words, { id, name }) => (id === '' ? words : words.replaceAll(id, name)), text),
  };
}

type OwnPart = Omit<MemberFact, 'id' | 'name' | 'hue' | 'isLeader' | 'device'>;

function ownFacts(status: NodeStatus): OwnPart {
  const { election } = status;
  return {
    isSelf: true,
    role: status.role,
    suffrage: status.suffrage,
    term: status.term,
    last: status.lastIndex,
    commit: status.commitIndex,
    applied: status.appliedIndex,
    durable: status.durableIndex,
    reach: status.role === 'stopped' || status.role === 'removed' ? 'away' : 'self',
    linkKind: '',
    rttMs: undefined,
    loss: undefined,
    silentMs: undefined,
    slowedBy: [],
    follows: status.leaderId,
    clock: election === undefined ? 0 : share(election.elapsedMs, election.timeoutMs),
  };
}

function peerFacts(peer: PeerStatus, limitMs: number): OwnPart {
  const linked = peer.link === 'open' && (peer.lastContactMs ?? 0) < Math.max(limitMs, SILENCE_MS) * 2;
  return {
    isSelf: false,
    role: peer.role ?? (peer.suffrage === 'learner' ? 'learner' : 'unknown'),
    suffrage: peer.suffrage,
    term: peer.term,
    last: peer.lastIndex,
    commit: peer.commitIndex,
    applied: peer.appliedIndex,
    durable: peer.matchIndex,
    reach: linked ? 'linked' : peer.link === 'connecting' ? 'connecting' : 'away',
    linkKind: peer.linkKind,
    rttMs: peer.rttMs,
    loss: peer.loss,
    silentMs: peer.lastContactMs,
    slowedBy: peer.slowedBy,
    follows: peer.leaderId,
    clock: peer.lastContactMs === undefined ? 1 : share(peer.lastContactMs, limitMs),
  };
}

/** The leader's autopilot knows devices; others know that a link inside one browser ends on this device. */
function devicesOf(node: Inspected, status: NodeStatus): (id: string) => string {
  const rows = new Map(node.admin.autopilot()?.members.map(({ id, device }) => [id, device]));
  const here = new Set(status.peers.filter(({ linkKind }) => linkKind.includes('broadcast')).map(({ id }) => id));
  if (here.size > 0) here.add(status.id);
  return (id) => rows.get(id) || (here.has(id) ? 'this device' : '');
}

function byDevice(a: MemberFact, b: MemberFact): number {
  if (a.device !== b.device) return a.device < b.device ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function share(part: number, whole: number): number {
  return whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole));
}

/** `1.2 s`, `34 ms`, `0.4 ms`: as short as it can be read. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function amount(value: number | undefined): string {
  return value === undefined ? '–' : value.toLocaleString('en');
}

/** One sentence that says what the picture shows. */
export function summaryOf({ members, leader, term, voters }: Facts): string {
  const away = members.filter(({ reach }) => reach === 'away').length;
  const lead = leader === undefined ? `nobody leads in term ${term}` : `${leader.name} leads term ${term}`;
  const gone = away === 0 ? '' : `, ${away} away`;
  return `${members.length} ${members.length === 1 ? 'member' : 'members'}, ${voters} vote; ${lead}${gone}.`;
}
