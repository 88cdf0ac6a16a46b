/**
 * Links to a room: what stands behind the `#`. Browsers never send it to a server.
 *   #room=NAME&secret=S            a room with a secret
 *   #room=NAME&secret=S&at=R       the same after the secret was changed: R is where the room is found
 *   #room=NAME&invite=T&at=R       an invite
 *   #room=NAME&open=1              a room that is open to everybody who knows its name
 */
import { RaftError } from '../core/errors.ts';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { trustErrorOf } from './errors.ts';
import { FRAGMENT_CHARS_MAX, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from './limits.ts';
import type { RoomSecret } from './secret.ts';

const ROOM_PATTERN = /^[A-Za-z0-9][\w.-]{0,63}$/;
const RENDEZVOUS_PATTERN = /^[0-9a-f]{32}$/;
const KEYS: ReadonlySet<string> = new Set(['room', 'secret', 'invite', 'at', 'open']);

export type RoomLink =
  | { readonly kind: 'secret'; readonly secret: RoomSecret; readonly at: string | undefined }
  | { readonly kind: 'invite'; readonly room: string; readonly token: string; readonly at: string }
  | { readonly kind: 'open'; readonly room: string };

/** Errors: room-invalid. */
export function requireRoomName(room: string | undefined): string {
  if (room !== undefined && ROOM_PATTERN.test(room)) return room;
  throw new RaftError(
    'room-invalid',
    "A room's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or a digit.",
  );
}

/**
 * Takes a fragment (or a whole URL) apart. Strict: a link that was cut or altered is refused with a sentence, never taken for
 * another room. Errors: room-invalid, wrong-secret, invite-invalid.
 */
export function parseRoomLink(link: string): RoomLink {
  const fields = fieldsOf(link);
  const room = requireRoomName(fields.get('room'));
  const secret = fields.get('secret');
  const token = fields.get('invite');
  const at = fields.get('at');
  const kinds = [secret, token, fields.get('open')].filter((field) => field !== undefined);
  if (kinds.length !== 1) refuse('The link needs a secret, or an invite, or has to say that the room is open: one of them.');
  if (at !== undefined && !RENDEZVOUS_PATTERN.test(at)) refuse('The link is damaged: where the room is found cannot be read.');
  if (secret !== undefined) return { kind: 'secret', secret: { room, open: false, bytes: secretBytes(secret) }, at };
  if (token !== undefined) {
    if (at === undefined || fromBase64Url(token) === undefined) throw trustErrorOf('invite-invalid', 'the link is damaged');
    return { kind: 'invite', room, token, at };
  }
  if (fields.get('open') !== '1' || at !== undefined) refuse('An open room is asked for with open=1 and nothing else.');
  return { kind: 'open', room };
}

function fieldsOf(link: string): Map<string, string> {
  const fragment = link.slice(link.indexOf('#') + 1);
  if (fragment.length > FRAGMENT_CHARS_MAX) refuse('The link is too long to be one.');
  const fields = new Map<string, string>();
  for (const part of fragment.split('&')) {
    const at = part.indexOf('=');
    const key = part.slice(0, Math.max(at, 0));
    if (!KEYS.has(key) || fields.has(key)) refuse('The link has a part that does not belong there.');
    fields.set(key, part.slice(at + 1));
  }
  return fields;
}

/** Errors: wrong-secret. */
export function secretBytes(text: string): Uint8Array {
  const bytes = fromBase64Url(text);
  if (bytes === undefined || bytes.length < SECRET_BYTES_MIN || bytes.length > SECRET_BYTES_MAX) {
    throw trustErrorOf('wrong-secret', 'the link is damaged');
  }
  return bytes;
}

function refuse(text: string): never {
  throw new RaftError('room-invalid', text);
}

/** The fragment of a link, with its `#`. */
export function formatRoomLink(link: RoomLink): string {
  if (link.kind === 'open') return `#room=${requireRoomName(link.room)}&open=1`;
  if (link.kind === 'invite') return `#room=${requireRoomName(link.room)}&invite=${link.token}&at=${link.at}`;
  const { room, open, bytes } = link.secret;
  if (open) return `#room=${requireRoomName(room)}&open=1`;
  const at = link.at === undefined ? '' : `&at=${link.at}`;
  return `#room=${requireRoomName(room)}&secret=${toBase64Url(bytes)}${at}`;
}
