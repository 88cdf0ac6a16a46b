/** The shared apps: seats, a list, a game, names, an account, a lock. One machine, one order, the same on every tab. */
import { type ApplyContext, defineStateMachine, type NodeId, type StateMachine } from '../src/index.ts';
import { compose, ledger, locks, uniqueNames } from '../src/structures/index.ts';
import { type Game, move, newGame, restart } from './apps/game.ts';
import { type Guarded, print } from './apps/guarded.ts';

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

/** Ready-made structures of the library. */
const parts = compose({ names: uniqueNames(), bank: ledger(), lock: locks() });
/** The account that all tabs draw from. */
export const ACCOUNT = 'kitty';
/** The lock that all tabs ask for. */
export const LOCK = 'printer';

export interface Shared extends ReturnType<typeof parts.initial> {
  readonly seats: Record<string, Booking>;
  items: Item[];
  nextItem: number;
  game: Game;
  readonly guarded: Guarded;
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

type Fields = Readonly<Record<string, unknown>>;
const LINES: Readonly<Record<string, (fields: Fields) => string>> = {
  book: ({ name, seat }) => `${String(name)} asks for seat ${String(seat)}`,
  release: ({ seat }) => `gives seat ${String(seat)} back`,
  clear: () => 'frees every seat',
  add: ({ name, text }) => `${String(name)} adds “${String(text)}”`,
  check: ({ done, id }) => `${done === true ? 'checks' : 'unchecks'} item ${String(id)}`,
  remove: ({ id }) => `removes item ${String(id)}`,
  move: ({ name, cell }) => `${String(name)} plays field ${Number(cell) + 1}`,
  restart: () => 'begins a new game',
  print: ({ name, token }) => `${String(name)} prints with token ${String(token)}`,
  'names.claim': ({ name, owner }) => `${String(owner)} claims the name ${String(name)}`,
  'names.release': ({ name, owner }) => `${String(owner)} gives the name ${String(name)} up`,
  'bank.deposit': ({ amount }) => `pays ${String(amount)} in`,
  'bank.withdraw': ({ amount }) => `takes ${String(amount)} out`,
  'lock.acquire': ({ owner }) => `${String(owner)} asks for the lock`,
  'lock.release': ({ token }) => `gives lock ${String(token)} back`,
};

/** One line about a command, for the log panel. Commands come from other tabs: nothing about them is certain. */
export function describeCommand(command: { readonly type: string }): string {
  const line = Object.hasOwn(LINES, command.type) ? LINES[command.type] : undefined;
  return line?.(command as unknown as Fields) ?? command.type;
}

function holderOf(state: Readonly<Shared>, seat: string): string | undefined {
  return state.seats[seat]?.name;
}

function freeSeats(state: Readonly<Shared>): number {
  return SEATS.length - Object.keys(state.seats).length;
}

const commands = { book, release, clear, add, check, remove, move, restart, print, ...parts.commands };
const queries = { holderOf, freeSeats, ...parts.queries };
export type SharedCommands = typeof commands;
export type SharedQueries = typeof queries;

function initial(): Shared {
  const guarded = { token: 0, writes: 0, by: '', name: '' };
  return { seats: {}, items: [], nextItem: 1, game: newGame(), guarded, ...parts.initial() };
}

/** A room of an earlier version had seats and a list only: what is new begins as it would in a new room. */
function filledIn(saved: object): Shared {
  return { ...initial(), ...saved };
}

export const theatre: StateMachine<Shared, SharedCommands, SharedQueries> = defineStateMachine<Shared>()({
  initial,
  commands,
  queries,
  version: 2,
  restore: filledIn,
  migrate: (old) => filledIn(old as object),
  describe: describeCommand,
});
