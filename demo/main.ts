/** Puts the page together and opens the node. Whatever goes wrong ends as a sentence on the page. */

import { h } from '../src/inspector/dom.ts';
import { Saboteur } from './break/saboteur.ts';
import { AccountHistory } from './history.ts';
import { useAccount } from './load.ts';
import { enter, handleFor } from './open.ts';
import { type Page, PageModel } from './page.ts';
import { chooseEntrance, rememberLink, rememberRoom, tabName } from './room.ts';
import { appsView } from './view/apps.ts';
import { bannerView } from './view/banner.ts';
import { breakView } from './view/break.ts';
import { feedView } from './view/feed.ts';
import { headerView } from './view/header.ts';
import { inspectorView } from './view/inspector.ts';
import { listView } from './view/list.ts';
import { membersView } from './view/members.ts';
import { seatsView } from './view/seats.ts';
import { tourView } from './view/tour.ts';

function build(room: string): (page: Page) => void {
  const header = headerView(room);
  const banner = bannerView();
  const doing = [seatsView(), tourView(room), breakView(), appsView(), listView()];
  const seeing = [inspectorView('cluster'), membersView(), inspectorView('log charts verdict travel'), feedView()];
  const views = [header, banner, ...doing, ...seeing];
  document.body.replaceChildren(
    header.element,
    banner.element,
    h(
      'main',
      {},
      h('div', { class: 'column' }, ...doing.map(({ element }) => element)),
      h('div', { class: 'column' }, ...seeing.map(({ element }) => element)),
    ),
  );
  return (page) => {
    document.title = page.status ? `${page.people.nameOf(page.status.id)} · ${page.room} · tabraft` : `${page.room} · tabraft`;
    for (const view of views) view.update(page);
  };
}

async function main(): Promise<void> {
  const entrance = chooseEntrance();
  const { room } = entrance;
  const handle = handleFor(room);
  const model = new PageModel(room, tabName(), build(room));
  // Nothing may end up here; what does must not be silent.
  addEventListener('error', ({ error, message }) => model.fault(error ?? message));
  addEventListener('unhandledrejection', ({ reason }) => model.fault(reason));
  model.refresh();
  try {
    const { node, faults, disk } = await enter(entrance, tabName());
    handle.node = node;
    if (entrance.link === undefined) rememberRoom(room);
    node.on('room-link', ({ link }) => {
      if (entrance.link !== undefined && link !== undefined) rememberLink(link);
    });
    model.attach(node);
    const history = new AccountHistory(node);
    const saboteur = new Saboteur({
      node,
      faults,
      disk,
      onChange: () => model.refresh(),
      onRefused: (text) => model.say(text, 'bad'),
      onLoad: (ms) => void useAccount(history, ms),
      onAway: (away) => model.add({ away }),
    });
    model.add({ history, saboteur });
  } catch (error) {
    handle.error = error;
    model.fail(error);
  }
}

void main();
