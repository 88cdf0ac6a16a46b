/** Puts the page together and opens the node. Whatever goes wrong ends as a sentence on the page. */

import { h } from '../src/inspector/dom.ts';
import { enter, handleFor } from './open.ts';
import { type Page, PageModel } from './page.ts';
import { chooseRoom, rememberRoom, tabName } from './room.ts';
import { bannerView } from './view/banner.ts';
import { feedView } from './view/feed.ts';
import { headerView } from './view/header.ts';
import { inspectorView } from './view/inspector.ts';
import { listView } from './view/list.ts';
import { membersView } from './view/members.ts';
import { seatsView } from './view/seats.ts';

function build(room: string): (page: Page) => void {
  const header = headerView(room);
  const banner = bannerView();
  const app = [seatsView(), listView()];
  const cluster = [inspectorView(), membersView(), feedView()];
  const views = [header, banner, ...app, ...cluster];
  document.body.replaceChildren(
    header.element,
    banner.element,
    h(
      'main',
      {},
      h('div', { class: 'column' }, ...app.map(({ element }) => element)),
      h('div', { class: 'column' }, ...cluster.map(({ element }) => element)),
    ),
  );
  return (page) => {
    document.title = page.status ? `${page.people.nameOf(page.status.id)} · ${page.room} · tabraft` : `${page.room} · tabraft`;
    for (const view of views) view.update(page);
  };
}

async function main(): Promise<void> {
  const room = chooseRoom();
  const handle = handleFor(room);
  const model = new PageModel(room, tabName(), build(room));
  // Nothing may end up here; what does must not be silent.
  addEventListener('error', ({ error, message }) => model.fault(error ?? message));
  addEventListener('unhandledrejection', ({ reason }) => model.fault(reason));
  model.refresh();
  try {
    handle.node = await enter(room, tabName());
    rememberRoom(room);
    model.attach(handle.node);
  } catch (error) {
    handle.error = error;
    model.fail(error);
  }
}

void main();
