/** Which room this tab is in, and what it is called. */

import type { RoomAccess } from '../src/index.ts';

const LAST_ROOM = 'tabraft.demo.room';
const TAB_NAME = 'tabraft.demo.name';

/** The colour word is also the tab's colour: the hue of `oklch()`. */
export const HUES: Readonly<Record<string, number>> = {
  Red: 25,
  Orange: 52,
  Amber: 78,
  Lime: 125,
  Green: 150,
  Teal: 190,
  Sky: 230,
  Blue: 258,
  Indigo: 280,
  Violet: 300,
  Pink: 350,
};
const ANIMALS = [
  'Otter',
  'Fox',
  'Heron',
  'Lynx',
  'Robin',
  'Badger',
  'Dolphin',
  'Wren',
  'Marten',
  'Owl',
  'Hare',
  'Seal',
  'Finch',
  'Tern',
];

/** What the page's address says of the room: a secret one by its link, which no server sees, an open one by its name. */
export interface Entrance {
  readonly room: string;
  readonly link: string | undefined;
}

export function chooseEntrance(): Entrance {
  const { hash } = location;
  const named = /^#room=([^&]*)/.exec(hash)?.[1];
  return named === undefined ? { room: chooseRoom(), link: undefined } : { room: named, link: hash };
}

/** The address of this page with a room's link behind it. */
export function pageAt(link: string): string {
  const url = new URL(location.href);
  url.search = '';
  url.hash = link;
  return url.href;
}

/** The address that brings others into this tab's room; undefined for a guest of a secret one, who has none to give away. */
export function shareLink(room: string, access: RoomAccess | undefined, roomLink: string | undefined): string | undefined {
  if (access !== 'secret') return linkTo(room);
  return roomLink === undefined ? undefined : pageAt(roomLink);
}

/** The secret was changed: whoever reloads this tab, or copies its address, has the new one. */
export function rememberLink(link: string): void {
  history.replaceState(null, '', pageAt(link));
}

/** `?room=` as it is (a wrong one is refused by the library, in words), else the last room, else a fresh one, put into the URL. */
function chooseRoom(): string {
  const url = new URL(location.href);
  const given = url.searchParams.get('room');
  const room = given ?? stored(() => localStorage, LAST_ROOM) ?? freshRoom();
  if (given === null) {
    url.searchParams.set('room', room);
    history.replaceState(null, '', url);
  }
  return room;
}

export function rememberRoom(room: string): void {
  store(() => localStorage, LAST_ROOM, room);
}

export function freshRoom(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `room-${[...random].map((byte) => letters.charAt(byte % letters.length)).join('')}`;
}

/** Kept over a reload of this tab. */
export function tabName(): string {
  const kept = stored(() => sessionStorage, TAB_NAME);
  if (kept) return kept;
  const name = `${pick(Object.keys(HUES))} ${pick(ANIMALS)}`;
  store(() => sessionStorage, TAB_NAME, name);
  return name;
}

export function linkTo(room: string): string {
  const url = new URL(location.href);
  url.search = '';
  url.hash = '';
  url.searchParams.set('room', room);
  return url.href;
}

function pick(words: readonly string[]): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return words[random % words.length] ?? 'Tab';
}

/** Where site data is blocked even naming the storage throws; then there is nothing to remember. */
function stored(storage: () => Storage, key: string): string | undefined {
  try {
    return storage().getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // Not remembered: the next tab gets a fresh one.
  }
}
