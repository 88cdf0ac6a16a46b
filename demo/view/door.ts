/** Who may come in: the room's link as a picture, invites in a role, a new secret; for an open room the way to one that is not. */
import { createRoomLink, type RoomAccess } from '../../src/index.ts';
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import type { Page } from '../page.ts';
import { freshRoom, pageAt } from '../room.ts';
import { acting } from './acting.ts';
import { qrCode } from './qr.ts';

const ROLES = [
  ['voter', 'votes and writes'],
  ['learner', 'writes, has no vote'],
  ['reader', 'looks on'],
] as const;

export interface Door {
  readonly element: HTMLElement;
  update(page: Page): void;
}

export function doorView(): Door {
  const outcome = acting('door-outcome');
  const code = qrCode('qr');
  const link = h('output', { class: 'link', 'data-testid': 'door-link' });
  const role = h(
    'select',
    { 'aria-label': 'Role of the invited' },
    ...ROLES.map(([value, text]) => h('option', { value }, `${value}: ${text}`)),
  );
  /** Of the room, until an invite is made. */
  let invited: string | undefined;
  let room: string | undefined;
  const show = (): void => {
    const shown = invited ?? room;
    setText(link, shown === undefined ? '' : pageAt(shown));
    code.show(shown === undefined ? '' : pageAt(shown));
  };
  const invite = (): Promise<void> =>
    outcome.act(async ({ membership }) => {
      const made = await membership.invite({ role: role.value as (typeof ROLES)[number][0] });
      invited = made.link;
      show();
      return `Invited as ${made.role}, once, until ${new Date(made.expiresAt).toLocaleString()}`;
    });
  const renew = (): Promise<void> =>
    outcome.act(async ({ membership }) => {
      invited = undefined;
      await membership.rotateSecret();
      return 'The room has a new secret: the old link lets nobody in';
    });
  const secret = h(
    'div',
    { class: 'door-secret', hidden: true },
    h(
      'div',
      { class: 'door-buttons' },
      role,
      button('Invite', invite),
      button('Room link', async () => {
        invited = undefined;
        show();
      }),
      button('New secret', renew),
    ),
    code.element,
    link,
  );
  const open = h(
    'div',
    { class: 'door-open', hidden: true },
    h('p', { class: 'hint' }, 'Whoever knows its name may come in, and nobody can be put out.'),
    button('Open a secret room', async () => {
      location.assign(pageAt(await createRoomLink(freshRoom())));
    }),
  );
  const element = h('details', { class: 'door' }, h('summary', {}, 'Who may come in'), open, secret, outcome.element);
  return {
    element,
    update: (page) => {
      outcome.update(page);
      const access: RoomAccess | undefined = page.status?.access;
      setAttribute(open, 'hidden', access !== 'open');
      setAttribute(secret, 'hidden', access !== 'secret');
      room = page.node?.roomLink;
      if (access === 'secret') show();
    },
  };
}

function button(text: string, run: () => Promise<void>): HTMLElement {
  return h('button', { type: 'button', class: 'chip', onclick: () => void run() }, text);
}
