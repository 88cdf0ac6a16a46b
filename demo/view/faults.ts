/** The buttons that break one member, on its card. */

import type { NodeId } from '../../src/index.ts';
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import { AWAY_MS, type FaultKind, FREEZE_MS, LATE_MS } from '../break/orders.ts';
import type { Page } from '../page.ts';

const BUTTONS: readonly (readonly [kind: FaultKind, text: string, title: string])[] = [
  ['close', 'Close', 'As a visitor closes a tab: it says goodbye'],
  ['crash', 'Crash', `From one moment to the next it is silent; it comes back in ${AWAY_MS / 1_000} seconds`],
  ['freeze', 'Freeze', `Its page stands still for ${FREEZE_MS / 1_000} seconds; its links stay open`],
  ['cut', 'Cut off', 'Nothing passes between it and the others until you heal it'],
  ['delay', 'Slow down', `Everything to it and from it comes ${LATE_MS} ms late`],
  ['wipe', 'Wipe', 'What it stored is deleted; it comes back as a new member'],
  ['heal', 'Heal', 'Takes its faults back'],
];

export interface FaultButtons {
  readonly element: HTMLElement;
  update(page: Page): void;
}

export function faultButtons(id: NodeId): FaultButtons {
  let page: Page | undefined;
  const buttons = BUTTONS.map(([kind, text, title]) => ({
    kind,
    element: h(
      'button',
      { type: 'button', class: 'chip', title, 'data-fault': kind, onclick: () => page?.saboteur?.order(id, { kind }) },
      text,
    ),
  }));
  const words = h('span', { class: 'faults-words' });
  return {
    element: h(
      'div',
      { class: 'faults', role: 'group', 'aria-label': 'Break it' },
      ...buttons.map(({ element }) => element),
      words,
    ),
    update: (next) => {
      page = next;
      const { saboteur } = next;
      const known = saboteur?.reach(id).faults;
      for (const { kind, element } of buttons) {
        // Of a member in another browser this tab has one end of the link, and nothing else.
        const can =
          saboteur !== undefined && next.failure === undefined && (known !== undefined || kind === 'cut' || kind === 'heal');
        setAttribute(element, 'disabled', !can);
        setAttribute(element, 'hidden', known === undefined && kind !== 'cut' && kind !== 'heal');
      }
      setText(words, known === undefined ? 'in another browser' : known);
    },
  };
}
