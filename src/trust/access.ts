/** How a node comes into a room: what its link gives it, made ready for use. */
import { toBase64Url } from './base64url.ts';
import { type PreparedInvite, prepareInvite } from './invite.ts';
import type { RoomLink } from './room-link.ts';
import { openRoom, type PreparedSecret, prepareSecret, type RoomSecret, rendezvousOf } from './secret.ts';

export interface Access {
  /** Its name for people. */
  readonly room: string;
  /** Everybody who knows the name may come in. */
  readonly open: boolean;
  /** What the signaling server knows the room by: the name of an open room; else a hash that tells nothing. */
  readonly rendezvous: string;
  /** What this device keeps its nodes of the room under: rooms of one name and different secrets are different rooms. */
  readonly shelf: string;
  readonly secret: PreparedSecret | undefined;
  /** The secret as it stands in links; undefined for who came with an invite. */
  readonly shared: RoomSecret | undefined;
  readonly invite: PreparedInvite | undefined;
}

/** Hexadecimal digits of the rendezvous in the name of the device's shelf: enough for the rooms of one device. */
const SHELF_DIGITS = 16;

/**
 * @param isMember whether this device holds a member of the room already: then an invite that is over is no matter
 * Errors: insecure-context, invite-invalid, invite-expired, clock-skew.
 */
export async function accessBy(link: RoomLink, nowMs: number, isMember = false): Promise<Access> {
  if (link.kind === 'invite') {
    const { room, at: rendezvous } = link;
    const invite = isMember ? undefined : await prepareInvite(link.token, nowMs);
    return { room, open: false, rendezvous, shelf: shelfOf(room, rendezvous), secret: undefined, shared: undefined, invite };
  }
  const shared = link.kind === 'open' ? await openRoom(link.room) : link.secret;
  const { room, open } = shared;
  const secret = await prepareSecret(shared);
  if (open) return { room, open, rendezvous: room, shelf: room, secret, shared, invite: undefined };
  const rendezvous = (link.kind === 'secret' ? link.at : undefined) ?? (await rendezvousOf(shared));
  return { room, open, rendezvous, shelf: shelfOf(room, rendezvous), secret, shared, invite: undefined };
}

function shelfOf(room: string, rendezvous: string): string {
  return `${room}.${rendezvous.slice(0, SHELF_DIGITS)}`;
}

/** The secret as text, for options and links. */
export function secretText({ bytes }: RoomSecret): string {
  return toBase64Url(bytes);
}
