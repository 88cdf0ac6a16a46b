/**
 * In whose place a node comes: a device whose log is lost, though not its key, signs with the key of the lost identity that the new
 * one is its successor. Whoever has the key could have been that node; nobody else takes its vote.
 */
import type { NodeId } from '../core/types.ts';
import { ByteWriter } from './bytes.ts';
import { type Identity, idOf } from './identity.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, sign, verify } from './primitives.ts';

/** Bytes of the proof: the lost identity's public key and its signature. */
export const SUCCESSION_BYTES: number = PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** The room is in it, and both identities: a proof is of use to this successor alone. */
function signedPart(room: string, lost: NodeId, successorKey: Uint8Array): Uint8Array {
  return new ByteWriter().text('tabraft trust 1 succession').text(room).text(lost).bytes(successorKey).done();
}

/** Errors: insecure-context. */
export async function proveSuccession(lost: Identity, room: string, successorKey: Uint8Array): Promise<Uint8Array> {
  const signature = await sign(lost.privateKey, signedPart(room, lost.id, successorKey));
  return new ByteWriter().fixed(lost.publicKey).fixed(signature).done();
}

/** Whether it was made with the key of `lost`, for this successor. False for bytes that are no proof. Errors: insecure-context. */
export async function isSuccession(proof: Uint8Array, room: string, lost: NodeId, successorKey: Uint8Array): Promise<boolean> {
  if (proof.length !== SUCCESSION_BYTES) return false;
  const publicKey = proof.slice(0, PUBLIC_KEY_BYTES);
  if ((await idOf(publicKey)) !== lost) return false;
  return verify(publicKey, proof.slice(PUBLIC_KEY_BYTES), signedPart(room, lost, successorKey));
}
