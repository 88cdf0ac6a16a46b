/** The link that this site keeps for a room's name: all tabs of a browser profile that ask for the name mean the same room. */
import type { Emitter } from '../runtime/api/emitter.ts';
import { keptSecret, replaceKept, secretKept } from '../storage/idb/room-secrets.ts';
import type { Access } from '../trust/access.ts';
import { toBase64Url } from '../trust/base64url.ts';
import { parseRoomLink, type RoomLink, secretBytes } from '../trust/room-link.ts';
import { createSecret, rendezvousOf } from '../trust/secret.ts';

/** Between a secret and where its room is found, which has to be said once the secret was changed. */
const AT = '.';

/** Made and kept where there is none. Errors: insecure-context, wrong-secret, storage-unavailable, storage, quota. */
export async function keptLink(room: string): Promise<RoomLink> {
  return linkOf(room, await keptSecret(room, toBase64Url(createSecret(room).bytes)));
}

function linkOf(room: string, kept: string): RoomLink & { readonly kind: 'secret' } {
  const [secret = '', at] = kept.split(AT);
  return { kind: 'secret', secret: { room, open: false, bytes: secretBytes(secret) }, at };
}

interface LinkSource {
  readonly roomLink: string | undefined;
}

/** A tab that asks for the room by its name is to come in also when the secret was changed. What cannot be kept is told as a fault. */
export function followSecret(access: Access, trust: LinkSource, emitter: Emitter): void {
  if (access.open || globalThis.indexedDB === undefined) return;
  const keep = (link: string | undefined): void => {
    if (link === undefined) return;
    keepLink(access.room, link).catch((error) => emitter.emit('fault', { error }));
  };
  emitter.on('room-link', ({ link }) => keep(link));
  keep(trust.roomLink);
}

/** Only in the place of one of the same room: rooms of one name and different secrets are different rooms. */
async function keepLink(room: string, link: string): Promise<void> {
  const next = parseRoomLink(link);
  const kept = await secretKept(room);
  if (next.kind !== 'secret' || next.at === undefined || kept === undefined) return;
  const known = linkOf(room, kept);
  if ((known.at ?? (await rendezvousOf(known.secret))) !== next.at) return;
  const text = toBase64Url(next.secret.bytes);
  if (kept.split(AT)[0] !== text) await replaceKept(room, kept, `${text}${AT}${next.at}`);
}
