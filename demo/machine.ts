/** The shared app: seats, first come first served, beside an ordered list. The same commands in the same order on every tab. */
import { type ApplyContext, defineStateMachine, type NodeId, type StateMachine } from '../src/index.ts';

export const SEAT_ROWS: readonly string[] = ['A', 'B', 'C', 'D'];
export const SEAT_COLUMNS: readonly number[] = [1, 2, 3, 4, 5, 6];
export const SEATS: readonly string[] = SEAT_ROWS.flatMap((row) => SEAT_COLUMNS.map((column) => `${row}${column}`));
/** Items of the list; an `add` beyond it is refused so that the state stays small. */
export const ITEMS_MAX = 200;
/** Characters of an item's text; the input field allows no more. */
export const ITEM_TEXT_MAX = 120;

export interface Booking {
  readonly by: NodeId;
  readonly name: string;
}

export interface Item {
  readonly id: number;
  readonly text: string;
  readonly name: string;
  done: boolean;
}

export interface Shared {
  readonly seats: Record<string, Booking>;
  items: Item[];
  nextItem: number;
}

export type BookResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'taken' | 'no-such-seat'; readonly name: string };

function book(state: Shared, { seat, name }: { seat: string; name: string }, context: ApplyContext): BookResult {
  if (!SEATS.includes(seat)) return { ok: false, reason: 'no-such-seat', name: '' };
  const holder = state.seats[seat];
  // Compare and set: whoever's entry comes first in the log has the seat, on every tab alike.
  if (holder && holder.by !== context.proposer) return { ok: false, reason: 'taken', name: holder.name };
  state.seats[seat] = { by: context.proposer, name };
  return { ok: true };
}

function release(state: Shared, { seat }: { seat: string }, context: ApplyContext): boolean {
  if (state.seats[seat]?.by !== context.proposer) return false;
  delete state.seats[seat];
  return true;
}

function clear(state: Shared): number {
  const taken = Object.keys(state.seats);
  for (const seat of taken) delete state.seats[seat];
  return taken.length;
}

/** The new item's number, or undefined when the list is full. */
function add(state: Shared, { text, name }: { text: string; name: string }): number | undefined {
  if (state.items.length >= ITEMS_MAX) return undefined;
  const id = state.nextItem++;
  state.items.push({ id, text: text.slice(0, ITEM_TEXT_MAX), name, done: false });
  return id;
}

function check(state: Shared, { id, done }: { id: number; done: boolean }): boolean {
  const item = state.items.find((candidate) => candidate.id === id);
  if (!item) return false;
  item.done = done;
  return true;
}

function remove(state: Shared, { id }: { id: number }): boolean {
  const before = state.items.length;
  state.items = state.items.filter((item) => item.id !== id);
  return state.items.length < before;
}

/** One line about a command, for the log panel. Commands come from other tabs: nothing about them is certain. */
export function describeCommand(command: { readonly type: string }): string {
  const { seat, name, text, id, done } = command as unknown as Record<string, unknown>;
  if (command.type === 'book') return `${String(name)} asks for seat ${String(seat)}`;
  if (command.type === 'release') return `gives seat ${String(seat)} back`;
  if (command.type === 'clear') return 'frees every seat';
  if (command.type === 'add') return `${String(name)} adds “${String(text)}”`;
  if (command.type === 'check') return `${done === true ? 'checks' : 'unchecks'} item ${String(id)}`;
  if (command.type === 'remove') return `removes item ${String(id)}`;
  return command.type;
}

function holderOf(state: Readonly<Shared>, seat: string): string | undefined {
  return state.seats[seat]?.name;
}

function freeSeats(state: Readonly<Shared>): number {
  return SEATS.length - Object.keys(state.seats).length;
}

export type SharedCommands = {
  readonly book: typeof book;
  readonly release: typeof release;
  readonly clear: typeof clear;
  readonly add: typeof add;
  readonly check: typeof check;
  readonly remove: typeof remove;
};
export type SharedQueries = { readonly holderOf: typeof holderOf; readonly freeSeats: typeof freeSeats };

export const theatre: StateMachine<Shared, SharedCommands, SharedQueries> = defineStateMachine<Shared>()({
  initial: () => ({ seats: {}, items: [], nextItem: 1 }),
  commands: { book, release, clear, add, check, remove },
  queries: { holderOf, freeSeats },
  describe: describeCommand,
});
