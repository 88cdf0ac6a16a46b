/** Seats, first come first served: the thing an unordered merge cannot decide. */
import { h, setAttribute, setHue, setText } from '../../src/inspector/dom.ts';
import { SEAT_COLUMNS, SEAT_ROWS, SEATS } from '../machine.ts';
import type { DemoNode } from '../open.ts';
import type { Page, View } from '../page.ts';
import { acting } from './acting.ts';

export function seatsView(): View {
  const outcome = acting('seat-outcome');
  const buttons = new Map<string, HTMLButtonElement>();
  for (const seat of SEATS)
    buttons.set(
      seat,
      seatButton(seat, (node, name, mine) => (mine ? giveBack(node, seat) : book(node, name, seat))),
    );
  let page: Page | undefined;

  function seatButton(seat: string, write: (node: DemoNode, name: string, mine: boolean) => Promise<string>): HTMLButtonElement {
    const button = h('button', { type: 'button', class: 'seat', 'data-seat': seat }, h('span', {}, seat));
    button.addEventListener('click', () => {
      const mine = page?.shared?.seats[seat]?.by === page?.status?.id && page?.status !== undefined;
      setAttribute(button, 'data-pending', true);
      void outcome.act((node, name) => write(node, name, mine)).then(() => setAttribute(button, 'data-pending', false));
    });
    return button;
  }

  const rows = SEAT_ROWS.map((row) =>
    h(
      'div',
      { class: 'seat-row', role: 'group', 'aria-label': `Row ${row}` },
      ...SEAT_COLUMNS.flatMap((column) => buttons.get(`${row}${column}`) ?? []),
    ),
  );
  const free = h('span', { class: 'count' });
  const clear = h('button', { type: 'button', class: 'quiet' }, 'Free all');
  clear.addEventListener('click', () => void outcome.act(freeAll));
  const element = h(
    'section',
    { class: 'card seats', 'aria-labelledby': 'seats-title' },
    h('div', { class: 'card-head' }, h('h2', { id: 'seats-title' }, 'Seats'), free, clear),
    h('p', { class: 'hint' }, 'First come, first served. Try the same seat from two tabs: exactly one gets it.'),
    h('div', { class: 'stage', 'aria-hidden': 'true' }, 'stage'),
    h('div', { class: 'seat-grid' }, ...rows),
    outcome.element,
  );
  return {
    element,
    update: (next) => {
      page = next;
      outcome.update(next);
      const taken = Object.keys(next.shared?.seats ?? {}).length;
      setText(free, next.shared ? `${SEATS.length - taken} of ${SEATS.length} free` : '');
      setAttribute(clear, 'disabled', next.status === undefined || next.failure !== undefined);
      for (const [seat, button] of buttons) showSeat(button, seat, next);
    },
  };
}

function showSeat(button: HTMLButtonElement, seat: string, { shared, status, people, failure }: Page): void {
  const booking = shared?.seats[seat];
  const mine = booking !== undefined && booking.by === status?.id;
  const state = booking === undefined ? 'free' : mine ? 'mine' : 'taken';
  setAttribute(button, 'data-state', state);
  setAttribute(button, 'aria-pressed', String(mine));
  setAttribute(button, 'disabled', status === undefined || failure !== undefined);
  if (booking) setHue(button, people.hueOf(booking.by));
  const who = mine ? 'yours, press to give it back' : booking ? `taken by ${booking.name}` : 'free, press to book';
  setAttribute(button, 'aria-label', `Seat ${seat}: ${who}`);
  setAttribute(button, 'title', `${seat}: ${who}`);
}

async function book(node: DemoNode, name: string, seat: string): Promise<string> {
  const result = await node.propose({ type: 'book', seat, name });
  if (result.ok) return `Seat ${seat} is yours.`;
  return result.reason === 'taken' ? `${result.name} was first: seat ${seat} is taken.` : `There is no seat ${seat}.`;
}

async function giveBack(node: DemoNode, seat: string): Promise<string> {
  const released = await node.propose({ type: 'release', seat });
  return released ? `Seat ${seat} is free again.` : `Seat ${seat} was not yours any more.`;
}

async function freeAll(node: DemoNode): Promise<string> {
  const freed = await node.propose({ type: 'clear' });
  return freed === 1 ? '1 seat was freed.' : `${freed} seats were freed.`;
}
