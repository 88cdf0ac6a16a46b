/** Who this tab is, what the cluster is doing, and the way to more tabs. */

import { ifClosed } from '../../src/inspector/closing.ts';
import { h, setAttribute, setHue, setText } from '../../src/inspector/dom.ts';
import type { Page, View } from '../page.ts';
import { linkTo, shareLink } from '../room.ts';

export function headerView(room: string): View {
  let link = linkTo(room);
  // noopener: a tab of its own, not a copy that shares this one's session and renderer.
  const another = h('a', { class: 'button primary', href: link, target: '_blank', rel: 'noopener' }, 'Open another tab');
  const ways = h(
    'nav',
    { 'aria-label': 'Room' },
    copyButton(() => link),
    another,
  );
  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  const summary = h('p', { class: 'summary', 'data-testid': 'summary' });
  const forecast = h('p', { class: 'forecast', 'data-testid': 'forecast' });
  const open = h('p', { class: 'room', 'data-testid': 'open-room', hidden: '' }, 'open room: whoever knows its name may come in');
  const where = h('div', { class: 'where' }, h('p', { class: 'room' }, 'room ', h('b', { 'data-testid': 'room' }, room)), open);
  const element = h(
    'header',
    { class: 'top' },
    h(
      'div',
      { class: 'masthead' },
      h('h1', {}, 'tabraft'),
      h('p', { class: 'tagline' }, 'Browser tabs as one database: every change has one order.'),
      ways,
    ),
    h('div', { class: 'state' }, dot, h('div', { class: 'words' }, summary, forecast), where),
  );
  return {
    element,
    update: (page) => {
      setText(summary, summaryOf(page));
      const shared = shareLink(room, page.status?.access, page.node?.roomLink);
      link = shared ?? link;
      setAttribute(another, 'href', link);
      setAttribute(ways, 'hidden', shared === undefined);
      setAttribute(open, 'hidden', page.status?.access !== 'open');
      if (page.status) setHue(dot, page.people.hueOf(page.status.id));
      const foreseen = page.node && page.failure === undefined ? ifClosed(page.node) : undefined;
      setText(forecast, foreseen?.text ?? '');
      setAttribute(forecast, 'data-level', foreseen?.level);
      setAttribute(forecast, 'hidden', page.failure !== undefined);
    },
  };
}

function summaryOf({ failure, status, people, ownName, caughtUp, noMajority }: Page): string {
  if (failure !== undefined) return 'This tab takes no part in the cluster.';
  if (!status) return `This tab is ${ownName}. Opening its log …`;
  const me = `This tab is ${people.nameOf(status.id)}`;
  if (status.role === 'leader') return `${me} and leads term ${status.term}.`;
  if (status.role === 'learner') return `${me}. It learns what the others know, then it votes.`;
  if (status.leaderId !== undefined) return `${me}, ${status.role} of ${people.nameOf(status.leaderId)} in term ${status.term}.`;
  if (!caughtUp && status.suffrage === 'none') return `${me}. Looking for the others in this room …`;
  if (noMajority) return `${me}. Nobody can lead until a majority of the voters is back.`;
  return `${me}. Nobody leads just now: an election is on in term ${status.term}.`;
}

function copyButton(link: () => string): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'button' }, 'Copy link');
  button.addEventListener('click', () => {
    // Missing on plain http over a network; then the address bar has the same link.
    const copied = navigator.clipboard?.writeText(link()) ?? Promise.reject(new Error('no clipboard'));
    copied.then(
      () => setText(button, 'Copied'),
      () => setText(button, 'Copy it from the address bar'),
    );
  });
  return button;
}
