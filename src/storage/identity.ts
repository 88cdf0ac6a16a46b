/** What an identity is made of, and where a new one comes from. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { AcquireRequest } from './storage.ts';

/** Without letters that are read for one another; all safe in file names and URLs. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 16 characters of 5 bits: two ids of one room never meet. */
const ID_LENGTH = 16;
/** Longest room name in UTF-16 units; it becomes part of database, lock and directory names. */
export const ROOM_LENGTH_MAX = 128;

export type RandomId = () => string;

/** 80 random bits as text. */
export const randomId: RandomId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_LENGTH));
  let id = '';
  for (const byte of bytes) id += ALPHABET.charAt(byte & 31);
  return id;
};

/** Errors: room-invalid. */
export function requireRoom(room: string): void {
  if (typeof room !== 'string' || room.length === 0 || room.length > ROOM_LENGTH_MAX) {
    throw new RaftError('room-invalid', `A room's name has 1 to ${ROOM_LENGTH_MAX} characters.`);
  }
}

/** Errors: invalid-argument. */
export function requireNodeId(id: NodeId): void {
  if (!/^[\w-]{1,64}$/.test(id)) throw new RaftError('invalid-argument', `${JSON.stringify(id)} is not the id of a node.`);
}

/** The id of an identity about to be made. Errors: invalid-argument for one that names no node, and those of whoever was asked. */
export async function newIdFor({ newId }: Pick<AcquireRequest, 'newId'>, extractable: boolean): Promise<NodeId> {
  if (newId === undefined) return randomId();
  const id = await newId(extractable);
  requireNodeId(id);
  return id;
}

/** Those that are asked for first; among them, and among the others, the order stays. */
export function favouredFirst(ids: readonly NodeId[], { favoured = [] }: Pick<AcquireRequest, 'favoured'>): readonly NodeId[] {
  if (favoured.length === 0) return ids;
  return [...ids.filter((id) => favoured.includes(id)), ...ids.filter((id) => !favoured.includes(id))];
}
