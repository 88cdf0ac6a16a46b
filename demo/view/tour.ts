/** The guided tour: one step at a time, with the button that brings it about. */
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import type { Page, View } from '../page.ts';
import { linkTo, shareLink } from '../room.ts';
import { sentenceOf } from '../sentences.ts';
import { TOUR, type TourMemo } from '../tour.ts';

const freshMemo = (): TourMemo => ({ leader: undefined, index: 0, acted: false });

export function tourView(room: string): View {
  let page: Page | undefined;
  /** The step that is on; -1 before the tour, TOUR.length after it. */
  let at = -1;
  let memo = freshMemo();
  let isBusy = false;
  const steps = TOUR.map(({ title }) => h('li', {}, title));
  const text = h('p', { 'data-testid': 'tour-text' });
  const said = h('p', { class: 'hint', role: 'status', 'data-testid': 'tour-said' });
  const button = h('button', { type: 'button', class: 'button primary', 'data-testid': 'tour-button' });
  const link = h('a', { class: 'button primary', href: linkTo(room), target: '_blank', rel: 'noopener', hidden: true });
  const show = (): void => {
    const step = TOUR[at];
    steps.forEach((item, i) => {
      setAttribute(item, 'data-state', i < at ? 'done' : i === at ? 'now' : 'later');
      setAttribute(item, 'aria-current', i === at ? 'step' : undefined);
    });
    setText(
      text,
      step?.text ??
        (at < 0
          ? 'Six steps through an election, a crash and a split, on this very room.'
          : 'That was all. Break something yourself.'),
    );
    const opens = step !== undefined && step.act === undefined && step.action !== '';
    setText(opens ? link : button, step?.action ?? (at < 0 ? 'Begin the tour' : 'Begin anew'));
    setAttribute(link, 'hidden', !opens);
    setAttribute(button, 'hidden', opens || step?.action === '');
    const missing = page === undefined ? undefined : step?.missing?.(page);
    setAttribute(
      button,
      'disabled',
      page?.node === undefined || isBusy || missing !== undefined || (step !== undefined && memo.acted),
    );
    if (!isBusy) setText(said, missing ?? (memo.acted ? 'Waiting for it …' : ''));
  };
  const act = async (): Promise<void> => {
    const step = TOUR[at];
    if (page === undefined) return;
    if (step === undefined) {
      at = 0;
      memo = freshMemo();
      return show();
    }
    isBusy = true;
    memo.acted = true;
    setText(said, 'Watch the picture …');
    show();
    try {
      await step.act?.(page, memo);
      isBusy = false;
    } catch (error) {
      isBusy = false;
      memo = freshMemo();
      show();
      setText(said, sentenceOf(error).text);
    }
  };
  button.addEventListener('click', () => void act());
  return {
    element: h(
      'section',
      { class: 'card tour', 'aria-labelledby': 'tour-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'tour-title' }, 'The tour')),
      h('ol', { class: 'steps' }, ...steps),
      text,
      h('div', { class: 'bar' }, button, link),
      said,
    ),
    update: (next) => {
      setAttribute(link, 'href', shareLink(room, next.status?.access, next.node?.roomLink) ?? linkTo(room));
      page = next;
      const step = TOUR[at];
      if (step?.holds(next, memo) === true && !isBusy) {
        at += 1;
        memo = freshMemo();
      }
      show();
    },
  };
}
