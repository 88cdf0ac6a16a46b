/** Turns a node's events into plain sentences: what happened, for somebody who was not looking. */
import type { ClusterConfig, NodeId, NodeStatus } from '../src/index.ts';
import type { DemoNode } from './open.ts';
import { type People, peopleOf } from './people.ts';
import { sentenceOf } from './sentences.ts';

export type Tone = 'plain' | 'good' | 'bad';
export type Say = (text: string, tone?: Tone) => void;
/** What of a node the narrator listens to. */
export type Narrated = Pick<DemoNode, 'on' | 'status' | 'config' | 'leaderId'>;

interface LostLeader {
  readonly id: NodeId;
  readonly name: string;
  /** When it was last heard, on performance.now()'s scale: ms. */
  readonly at: number;
}

/** Listens until the signal aborts. `say` is called once per thing that happened. */
export function narrate(node: Narrated, ownName: string, say: Say, signal: AbortSignal): void {
  const on = { signal };
  const people = (): People => peopleOf(node.status, node.config, ownName);
  tellLeaders(node, people, say, on);
  tellMembers(node, people, say, on);
  tellLinks(node, people, say, on);
  tellQuorum(node, say, on);
  node.on(
    'snapshot',
    ({ kind, index }) => {
      if (kind === 'installed') say(`A snapshot up to entry ${index} arrived: no need to replay what it holds.`);
      if (kind === 'created') say(`A snapshot up to entry ${index} was saved; older entries may go.`);
    },
    on,
  );
  node.on('fault', ({ error }) => say(`${sentenceOf(error).title} (${error.code}).`, 'bad'), on);
  node.on('fatal', ({ error }) => say(`This tab stopped: ${sentenceOf(error).title} (${error.code}).`, 'bad'), on);
  node.on('removed', () => say('This tab was removed from the cluster.', 'bad'), on);
}

type CurrentPeople = () => People;
interface Until {
  readonly signal: AbortSignal;
}

function tellLeaders(node: Narrated, people: CurrentPeople, say: Say, on: Until): void {
  let current = node.leaderId;
  let lost: LostLeader | undefined;
  node.on(
    'leader',
    ({ leaderId, term }) => {
      if (current !== undefined && current !== leaderId) lost = lostLeader(node.status, current, people());
      current = leaderId;
      if (leaderId === undefined) return;
      const leader = people().subject(leaderId);
      // A newcomer may know who leads before it knows the term.
      if (!lost || lost.id === leaderId) say(term === 0 ? `${leader} leads.` : `${leader} leads term ${term}.`, 'good');
      else {
        const after = seconds(performance.now() - lost.at);
        say(`${whatBecameOf(node.status, lost)}; ${leader.replace('This', 'this')} leads term ${term} after ${after}.`, 'good');
      }
      lost = undefined;
    },
    on,
  );
}

function lostLeader(status: NodeStatus, id: NodeId, people: People): LostLeader {
  const silentMs = status.peers.find((peer) => peer.id === id)?.lastContactMs ?? 0;
  return { id, name: people.subject(id), at: performance.now() - silentMs };
}

/** Whether the old leader is still there says why there is a new one. */
function whatBecameOf(status: NodeStatus, lost: LostLeader): string {
  if (lost.id === status.id) return `${lost.name} no longer leads`;
  const peer = status.peers.find((candidate) => candidate.id === lost.id);
  if (peer === undefined || peer.link !== 'open') return `${lost.name} left`;
  return (peer.lastContactMs ?? Number.POSITIVE_INFINITY) < 500 ? `${lost.name} stepped down` : `${lost.name} fell silent`;
}

function tellMembers(node: Narrated, people: CurrentPeople, say: Say, on: Until): void {
  let before: ClusterConfig | undefined = node.config;
  let known = people();
  node.on(
    'config',
    (config) => {
      const now = people();
      const was = (list: 'voters' | 'learners', id: NodeId): boolean => before?.[list].includes(id) ?? false;
      for (const id of config.learners) {
        if (!was('learners', id) && !was('voters', id)) say(`${now.subject(id)} joined and is catching up.`);
      }
      for (const id of config.voters) {
        if (was('voters', id)) continue;
        const founded = config.voters.length === 1 && config.learners.length === 0 && before?.voters.length === 0;
        if (founded) say(`${now.subject(id)} founded the room.`, 'good');
        else say(`${now.subject(id)} votes now: ${count(config.voters.length, 'voter')}.`, 'good');
      }
      for (const id of [...(before?.voters ?? []), ...(before?.learners ?? [])]) {
        if (!config.voters.includes(id) && !config.learners.includes(id)) say(`${known.subject(id)} is no longer a member.`);
      }
      before = config;
      known = now;
    },
    on,
  );
}

function tellQuorum(node: Narrated, say: Say, on: Until): void {
  let lost = false;
  node.on(
    'quorum-lost',
    ({ alive, need }) => {
      lost = true;
      say(`Only ${count(alive, 'voter')} can be reached and ${need} are needed: writes wait.`, 'bad');
    },
    on,
  );
  node.on(
    'quorum-restored',
    () => {
      // A node that just joined is told so too; nobody here had lost anything.
      if (lost) say('A majority can be reached again: writes go on.', 'good');
      lost = false;
    },
    on,
  );
}

function tellLinks(node: Narrated, people: CurrentPeople, say: Say, on: Until): void {
  const open = new Set<NodeId>();
  node.on(
    'peer',
    ({ id, name, link, linkKind }) => {
      // Told when the other has said its name, a moment after the link opens.
      if (link === 'open' && name !== '' && !open.has(id)) {
        open.add(id);
        say(`Linked to ${people().nameOf(id)} (${linkKind}).`);
      } else if (link !== 'open' && link !== 'connecting' && open.delete(id)) {
        say(`The link to ${people().nameOf(id)} is gone.`);
      }
    },
    on,
  );
  let reachable: boolean | undefined;
  node.on(
    'signaling',
    ({ state, error }) => {
      if (state === 'open' && reachable === false) say('The signaling server is back.', 'good');
      if (error !== undefined && reachable !== false) say('The signaling server does not answer; links that stand go on.', 'bad');
      if (state === 'open' || error !== undefined) reachable = state === 'open';
    },
    on,
  );
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

export function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
