/** What a site keeps for a room's name follows the room's secret when that is changed. */
import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { followSecret, keptLink } from '../../src/front-door/kept-room.ts';
import { Emitter } from '../../src/runtime/api/emitter.ts';
import { type Access, accessBy, linkTo, withSecret } from '../../src/trust/access.ts';
import { createSecret } from '../../src/trust/secret.ts';

const newBytes = (): Uint8Array => createSecret('any').bytes;

/** A node's view: what it is told by its room. */
function follow(access: Access): (next: Access) => void {
  const emitter = new Emitter(() => undefined);
  followSecret(access, { roomLink: linkTo(access) }, emitter);
  return (next) => emitter.emit('room-link', { link: linkTo(next) });
}

async function accessOf(room: string): Promise<Access> {
  return accessBy(await keptLink(room));
}

async function untilKept(room: string, wanted: string | undefined): Promise<void> {
  while (linkTo(await accessOf(room)) !== wanted) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a name means the same room after every change, found where it was, with the newest secret', async () => {
  const first = await accessOf('kitchen');
  expect(linkTo(await accessOf('kitchen'))).toBe(linkTo(first));
  const tell = follow(first);
  const second = await withSecret(first, newBytes(), 1);
  tell(second);
  await untilKept('kitchen', linkTo(second));
  const third = await withSecret(second, newBytes(), 2);
  tell(third);
  await untilKept('kitchen', linkTo(third));
  const opened = await accessOf('kitchen');
  expect([opened.rendezvous, opened.shelf]).toEqual([first.rendezvous, first.shelf]);
});

test('another room of the same name, come by over a link, leaves what is kept alone', async () => {
  const kept = await accessOf('cellar');
  const other = await accessBy({ kind: 'secret', secret: createSecret('cellar'), at: undefined });
  const tell = follow(other);
  tell(await withSecret(other, newBytes(), 1));
  // What is told later is kept later: once this one is, the other was looked at.
  const next = await withSecret(kept, newBytes(), 1);
  follow(kept)(next);
  await untilKept('cellar', linkTo(next));
  expect((await accessOf('cellar')).rendezvous).toBe(kept.rendezvous);
});

test('a node that knows more than the site, because the tab was closed in between, brings it up to date when it opens', async () => {
  const first = await accessOf('attic');
  const second = await withSecret(first, newBytes(), 1);
  followSecret(first, { roomLink: linkTo(second) }, new Emitter(() => undefined));
  await untilKept('attic', linkTo(second));
  expect((await accessOf('attic')).rendezvous).toBe(first.rendezvous);
});
