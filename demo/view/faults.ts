/** The buttons that break one member, on its card. */

import type { NodeId } from '../../src/index.ts';
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import { AHEAD_MS, AWAY_MS, DISK_MS, type FaultKind, FREEZE_MS, LATE_MS } from '../break/orders.ts';
import type { Page } from '../page.ts';

type Button = readonly [kind: Exclude<FaultKind, 'mend'>, text: string, title: string];

const BUTTONS: readonly Button[] = [
  ['close', 'Close', 'As a visitor closes a tab: it says goodbye'],
  ['crash', 'Crash', `From one moment to the next it is silent; it comes back in ${AWAY_MS / 1_000} seconds`],
  ['freeze', 'Freeze', `Its page stands still for ${FREEZE_MS / 1_000} seconds; its links stay open`],
  ['cut', 'Cut off', 'Nothing passes between it and the others until you heal it'],
  ['heal', 'Heal', 'Takes its faults back'],
];
const MORE: readonly Button[] = [
  ['delay', 'Slow link', `Everything to it and from it comes ${LATE_MS} ms late`],
  ['disk', 'Slow disk', `Every write takes ${DISK_MS} ms longer until it counts as written`],
  [
    'clock',
    'Wrong clock',
    `Its clock is ${AHEAD_MS / 1_000} seconds ahead: log time follows it when it leads, and never goes back`,
  ],
  ['rogue', 'Rogue', 'It hears nobody, asks for votes over and over, and sends noise and what it said before'],
  ['wipe', 'Wipe', 'What it stored is deleted; it comes back as a new member'],
];

export interface FaultButtons {
  readonly element: HTMLElement;
  update(page: Page): void;
}

export function faultButtons(id: NodeId): FaultButtons {
  let page: Page | undefined;
  const made = ([kind, text, title]: Button): { readonly kind: FaultKind; readonly element: HTMLElement } => ({
    kind,
    element: h(
      'button',
      { type: 'button', class: 'chip', title, 'data-fault': kind, onclick: () => page?.saboteur?.order(id, { kind }) },
      text,
    ),
  });
  const [usual, rare] = [BUTTONS.map(made), MORE.map(made)];
  const buttons = [...usual, ...rare];
  const more = h(
    'details',
    { class: 'faults-more' },
    h('summary', {}, 'More'),
    h('div', { class: 'faults' }, ...rare.map(({ element }) => element)),
  );
  const words = h('span', { class: 'faults-words' });
  return {
    element: h(
      'div',
      { class: 'faults', role: 'group', 'aria-label': 'Break it' },
      ...usual.map(({ element }) => element),
      words,
      more,
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
      const isLinked = next.status?.peers.some((peer) => peer.id === id && peer.link === 'open') === true;
      setAttribute(more, 'hidden', known === undefined);
      setText(words, known ?? (isLinked ? 'in another browser' : ''));
    },
  };
}
