/** Each member's role, term, indices and link. */
import type { NodeId, NodeStatus, PeerStatus } from '../../src/index.ts';
import { h, type Keyed, keyed, setAttribute, setHue, setText } from '../../src/inspector/dom.ts';
import { seconds } from '../narrator.ts';
import type { Page, View } from '../page.ts';
import { acting } from './acting.ts';
import { doorView } from './door.ts';
import { type FaultButtons, faultButtons } from './faults.ts';
import type { Member } from './member.ts';

const FACTS = ['term', 'commit', 'applied', 'link'] as const;

interface Part extends Keyed<HTMLLIElement> {
  readonly name: HTMLElement;
  readonly self: HTMLElement;
  readonly linkTerm: HTMLElement;
  readonly role: HTMLElement;
  readonly facts: Readonly<Record<(typeof FACTS)[number], HTMLElement>>;
  readonly bar: HTMLProgressElement;
  readonly faults: FaultButtons;
  readonly out: PutOut;
}

export function membersView(): View {
  const putOut = (id: NodeId): void =>
    void outcome.act(async ({ membership }) => {
      await membership.expel(id);
      return 'It was put out. Give the room a new secret, or its device comes back as another';
    });
  const list = h('ul', { class: 'members', 'data-testid': 'members' });
  const show = keyed<Member, HTMLLIElement, Part>(list, (member) => makeCard(member, putOut));
  const voters = h('span', { class: 'count', 'data-testid': 'voters' });
  const body = h('div', {}, list);
  const door = doorView();
  const outcome = acting('members-outcome');
  const empty = h('p', { class: 'hint' }, 'No members yet.');
  return {
    element: h(
      'section',
      { class: 'card cluster', 'aria-labelledby': 'members-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'members-title' }, 'Members'), voters),
      body,
      empty,
      outcome.element,
      door.element,
    ),
    update: (page) => {
      const members = membersOf(page);
      door.update(page);
      outcome.update(page);
      const n = page.config?.voters.length ?? 0;
      setText(voters, page.status ? `${n} ${n === 1 ? 'voter' : 'voters'} · term ${page.status.term}` : '');
      setAttribute(empty, 'hidden', members.length > 0);
      setAttribute(body, 'hidden', members.length === 0);
      const last = Math.max(0, page.status?.lastIndex ?? 0, ...members.map(({ commit }) => commit ?? 0));
      show(
        members,
        ({ id }) => id,
        (part, member) => {
          showCard(part, member, last);
          part.faults.update(page);
          setAttribute(
            part.out.element,
            'hidden',
            member.self || page.status?.access !== 'secret' || page.status?.suffrage !== 'voter',
          );
        },
      );
    },
  };
}

/** In an order that is the same on every tab: by id. */
export function membersOf({ status, people }: Page): readonly Member[] {
  if (!status) return [];
  const own: Member = {
    ...look(status, people, status.id),
    self: true,
    role: status.role,
    suffrage: status.suffrage,
    term: status.term,
    commit: status.commitIndex,
    applied: status.appliedIndex,
    link: 'self',
    linkText: status.signaling,
  };
  const others = status.peers.map(
    (peer): Member => ({
      ...look(status, people, peer.id),
      self: false,
      role: peer.role ?? (peer.suffrage === 'learner' ? 'learner' : 'unknown'),
      suffrage: peer.suffrage,
      term: peer.term,
      commit: peer.commitIndex,
      applied: peer.appliedIndex,
      link: peer.link,
      linkText: linkText(peer),
    }),
  );
  return [own, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function look(status: NodeStatus, people: Page['people'], id: NodeId): Pick<Member, 'id' | 'name' | 'hue' | 'leader'> {
  return { id, name: people.nameOf(id), hue: people.hueOf(id), leader: status.leaderId === id };
}

function linkText(peer: PeerStatus): string {
  if (peer.link !== 'open') return peer.link === 'none' ? 'no link' : peer.link;
  const silent =
    peer.lastContactMs !== undefined && peer.lastContactMs > 2_000 ? `, silent for ${seconds(peer.lastContactMs)}` : '';
  const trip = peer.rttMs !== undefined ? ` ${peer.rttMs < 1 ? '<1' : Math.round(peer.rttMs)} ms` : '';
  return `${peer.linkKind}${trip}${silent}`;
}

interface PutOut {
  readonly element: HTMLElement;
}

function makeCard({ id }: Member, putOut: (id: NodeId) => void): Part {
  const faults = faultButtons(id);
  const title = 'For good: its key is not let in any more, whatever it knows';
  const out = {
    element: h('button', { type: 'button', class: 'chip out', title, hidden: true, onclick: () => putOut(id) }, 'Put out'),
  };
  const name = h('b', { class: 'name' });
  const self = h('span', { class: 'self' }, 'this tab');
  const linkTerm = h('dt');
  const role = h('span', { class: 'badge' });
  const facts = { term: h('dd'), commit: h('dd'), applied: h('dd'), link: h('dd') };
  const bar = h('progress', { 'aria-label': 'Applied' });
  const element = h(
    'li',
    { class: 'member' },
    h('div', { class: 'member-head' }, name, self, role),
    h('dl', {}, ...FACTS.map((fact) => h('div', {}, fact === 'link' ? linkTerm : h('dt', {}, fact), facts[fact]))),
    bar,
    faults.element,
    out.element,
  );
  return { element, name, self, linkTerm, role, facts, bar, faults, out };
}

function showCard({ element, name, self, linkTerm, role, facts, bar }: Part, member: Member, last: number): void {
  setHue(element, member.hue);
  setAttribute(element, 'data-member', member.id);
  setAttribute(element, 'data-self', member.self);
  setAttribute(element, 'data-link', member.link);
  setText(name, member.name);
  setAttribute(self, 'hidden', !member.self);
  setText(linkTerm, member.self ? 'signaling' : 'link');
  const reachable = member.self || member.link === 'open';
  setText(role, reachable ? (member.leader ? 'leader' : member.role) : 'unreachable');
  setAttribute(role, 'data-role', reachable ? (member.leader ? 'leader' : member.role) : 'unreachable');
  setText(facts.term, String(member.term ?? '–'));
  setText(facts.commit, String(member.commit ?? '–'));
  setText(facts.applied, String(member.applied ?? '–'));
  setText(facts.link, member.linkText);
  bar.max = Math.max(1, last);
  bar.value = member.applied ?? 0;
}
