/** Which room is meant, and what opens it: a link says all of it, a name needs a secret or the word that the room is open. */
import { RaftError } from '../core/errors.ts';
import { accessBy, linkTo } from '../trust/access.ts';
import type { Authorize } from '../trust/authorize.ts';
import { parseRoomLink, type RoomLink, requireRoomName, secretBytes } from '../trust/room-link.ts';
import { createSecret } from '../trust/secret.ts';

export interface RoomOptions {
  /** The room's secret, as it stands in its link. Whoever has it may come in. */
  readonly secret?: string;
  /** Everybody who knows the room's name may come in. It has to be asked for, and `status.access` says so. Default false. */
  readonly openRoom?: boolean;
  /** Who may do what, beyond the roles. It decides by its arguments alone, the same on every member: it is asked again at apply. */
  readonly authorize?: Authorize;
}

/**
 * The link of a new room that nobody else can guess: to be put behind a URL and given to those who may come in. The part behind
 * the `#` never reaches a server. Errors: room-invalid, insecure-context.
 */
export async function createRoomLink(room: string): Promise<string> {
  return linkTo(await accessBy({ kind: 'secret', secret: createSecret(requireRoomName(room)), at: undefined })) ?? '';
}

/** What the caller says of the room; undefined for a name alone. Errors: room-invalid, wrong-secret, invite-invalid, invalid-argument. */
export function linkFrom(room: string, { secret, openRoom = false }: RoomOptions): RoomLink | undefined {
  if (typeof room === 'string' && room.includes('#')) {
    if (secret !== undefined || openRoom)
      throw new RaftError(
        'invalid-argument',
        'A link says itself how the room is entered: give no secret and no openRoom with it.',
      );
    return parseRoomLink(room);
  }
  const name = requireRoomName(room);
  if (openRoom && secret !== undefined)
    throw new RaftError('invalid-argument', 'A room is open or has a secret: give one of openRoom and secret.');
  if (openRoom) return { kind: 'open', room: name };
  if (secret === undefined) return undefined;
  return { kind: 'secret', secret: { room: name, open: false, bytes: secretBytes(secret) }, at: undefined };
}

/** A link's fragment that is one of this room; undefined for any other, which is the application's own. */
export function linkIn(fragment: string, room: string): RoomLink | undefined {
  try {
    const link = parseRoomLink(fragment);
    return (link.kind === 'secret' ? link.secret.room : link.room) === room ? link : undefined;
  } catch (error) {
    // What is a link of this room and was cut must not be taken for none: a new room would be founded in its place.
    const isOurs = fragment.startsWith(`#room=${room}&`);
    if (isOurs) throw error;
    return undefined;
  }
}

export function nameIn(link: RoomLink): string {
  return link.kind === 'secret' ? link.secret.room : link.room;
}
