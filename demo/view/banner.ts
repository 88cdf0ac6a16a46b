/** What must be said aloud, at the top of the page. */
import { h, type Keyed, keyed, setAttribute, setText } from '../../src/inspector/dom.ts';
import { type Notice, noticesOf } from '../notices.ts';
import type { Page, View } from '../page.ts';
import { freshRoom, linkTo } from '../room.ts';

interface Part extends Keyed<HTMLElement> {
  readonly title: HTMLElement;
  readonly text: HTMLElement;
}

export function bannerView(): View {
  const element = h('div', { class: 'banners', role: 'region', 'aria-label': 'Notices', 'aria-live': 'assertive' });
  let page: Page | undefined;
  const heal = (): void => {
    if (page?.node !== undefined) page.saboteur?.order(page.node.id, { kind: 'heal' });
  };
  const show = keyed<Notice, HTMLElement, Part>(element, (notice) => makeNotice(notice, heal));
  return {
    element,
    update: (next) => {
      page = next;
      show(noticesOf(next), (notice) => `${notice.key}:${notice.code}:${notice.action}`, updateNotice);
    },
  };
}

function makeNotice(notice: Notice, heal: () => void): Part {
  const title = h('strong');
  const text = h('span');
  const element = h(
    'div',
    { class: 'banner' },
    h('p', {}, title, ' ', text, ' ', notice.code !== undefined && h('code', {}, notice.code)),
    notice.action === 'reload' && h('button', { type: 'button', onclick: () => location.reload() }, 'Reload'),
    notice.action === 'heal' && h('button', { type: 'button', onclick: heal }, 'Heal this tab'),
    notice.action === 'fresh-room' &&
      h('button', { type: 'button', onclick: () => location.assign(linkTo(freshRoom())) }, 'Open a fresh room'),
  );
  return { element, title, text };
}

function updateNotice({ element, title, text }: Part, notice: Notice): void {
  setAttribute(element, 'data-level', notice.level);
  setAttribute(element, 'data-code', notice.code);
  setText(title, `${notice.title}.`);
  setText(text, notice.text);
}
