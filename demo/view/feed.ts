/** What happened, newest first. */
import { h, type Keyed, keyed, setAttribute } from '../../src/inspector/dom.ts';
import type { FeedLine, View } from '../page.ts';

const CLOCK: Intl.DateTimeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export function feedView(): View {
  const list = h('ol', { class: 'feed', 'data-testid': 'feed', tabindex: '0', 'aria-label': 'What happened, newest first' });
  const show = keyed<FeedLine, HTMLLIElement, Keyed<HTMLLIElement>>(list, ({ at, text, tone }) => ({
    element: h('li', { 'data-tone': tone }, h('time', { datetime: at.toISOString() }, CLOCK.format(at)), h('span', {}, text)),
  }));
  const empty = h('p', { class: 'hint' }, 'Nothing yet.');
  return {
    element: h(
      'section',
      { class: 'card', 'aria-labelledby': 'feed-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'feed-title' }, 'What happened')),
      list,
      empty,
    ),
    update: ({ feed }) => {
      setAttribute(empty, 'hidden', feed.length > 0);
      show(
        feed,
        (line) => line.key,
        () => undefined,
      );
    },
  };
}
