/** Small apps that need one order, one at a time. */
import { h, setAttribute } from '../../src/inspector/dom.ts';
import type { View } from '../page.ts';
import { accountView } from './apps/account.ts';
import { gameView } from './apps/game.ts';
import { lockView } from './apps/lock.ts';
import { nameView } from './apps/name.ts';

const APPS: readonly (readonly [name: string, make: () => View])[] = [
  ['Game', gameView],
  ['Account', accountView],
  ['Name', nameView],
  ['Lock', lockView],
];

export function appsView(): View {
  const apps = APPS.map(([name, make], i) => {
    const view = make();
    const tab = h('button', { type: 'button', role: 'tab', id: `tab-${i}`, 'aria-controls': `app-${i}` }, name);
    const panel = h('div', { role: 'tabpanel', id: `app-${i}`, 'aria-labelledby': `tab-${i}`, tabindex: '0' }, view.element);
    return { tab, panel, view };
  });
  const choose = (chosen: number): void => {
    apps.forEach(({ tab, panel }, i) => {
      setAttribute(tab, 'aria-selected', String(i === chosen));
      setAttribute(tab, 'tabindex', i === chosen ? '0' : '-1');
      setAttribute(panel, 'hidden', i !== chosen);
    });
  };
  apps.forEach(({ tab }, i) => {
    tab.addEventListener('click', () => choose(i));
    tab.addEventListener('keydown', ({ key }) => {
      const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
      if (step === 0) return;
      const next = (i + step + apps.length) % apps.length;
      choose(next);
      apps[next]?.tab.focus();
    });
  });
  choose(0);
  return {
    element: h(
      'section',
      { class: 'card apps', 'aria-labelledby': 'apps-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'apps-title' }, 'More that needs one order')),
      h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Apps' }, ...apps.map(({ tab }) => tab)),
      ...apps.map(({ panel }) => panel),
    ),
    update: (page) => {
      for (const { view } of apps) view.update(page);
    },
  };
}
