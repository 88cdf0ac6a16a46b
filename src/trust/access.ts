/** How a node comes into a room: what its link gives it, made ready for use. */
import { type PreparedInvite, prepareInvite } from './invite.ts';
import { formatRoomLink, type RoomLink } from './room-link.ts';
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
  /** How often the secret had been changed when this one came into force; 0 for the one of the link. */
  readonly epoch: number;
  /** The secret as it stands in links; undefined for who came with an invite. */
  readonly shared: RoomSecret | undefined;
  /** The invite as it stands in the link. */
  readonly token: string | undefined;
  /** The same, made ready: only for a device that holds no member of the room. */
  readonly invite: PreparedInvite | undefined;
}

/** Hexadecimal digits of the rendezvous in the name of the device's shelf: enough for the rooms of one device. */
const SHELF_DIGITS = 16;

/** Errors: insecure-context. */
export async function accessBy(link: RoomLink): Promise<Access> {
  const invite = undefined;
  const epoch = 0;
  if (link.kind === 'invite') {
    const { room, at: rendezvous, token } = link;
    return {
      room,
      open: false,
      rendezvous,
      shelf: shelfOf(room, rendezvous),
      secret: undefined,
      epoch,
      shared: undefined,
      token,
      invite,
    };
  }
  const token = undefined;
  const shared = link.kind === 'open' ? await openRoom(link.room) : link.secret;
  const { room, open } = shared;
  const secret = await prepareSecret(shared);
  if (open) return { room, open, rendezvous: room, shelf: room, secret, epoch, shared, token, invite };
  const rendezvous = (link.kind === 'secret' ? link.at : undefined) ?? (await rendezvousOf(shared));
  return { room, open, rendezvous, shelf: shelfOf(room, rendezvous), secret, epoch, shared, token, invite };
}

/**
 * Reads the invite, of a device that holds no member of the room: for a member it is no matter that it is over.
 * Errors: invite-invalid, invite-expired, clock-skew.
 */
export async function withInvite(access: Access, nowMs: number): Promise<Access> {
  return access.token === undefined ? access : { ...access, invite: await prepareInvite(access.token, nowMs) };
}

/** The same room with the secret that came into force at an epoch; it is found where it was. Errors: insecure-context. */
export async function withSecret(access: Access, bytes: Uint8Array, epoch: number): Promise<Access> {
  const shared: RoomSecret = { room: access.room, open: false, bytes };
  return { ...access, shared, epoch, secret: await prepareSecret(shared) };
}

function shelfOf(room: string, rendezvous: string): string {
  return `${room}.${rendezvous.slice(0, SHELF_DIGITS)}`;
}

/** The link that lets others in; undefined for who came with an invite, and knows no secret. */
export function linkTo({ room, open, shared, rendezvous }: Access): string | undefined {
  if (open) return formatRoomLink({ kind: 'open', room });
  // Where the room is found goes with it: a secret that was copied wrongly is then told from another room's.
  return shared === undefined ? undefined : formatRoomLink({ kind: 'secret', secret: shared, at: rendezvous });
}
