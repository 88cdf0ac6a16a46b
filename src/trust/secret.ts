/**
 * The secret of a room: random bytes that travel in the fragment of its link and never reach a server. From it come, each
 * under its own label: what newcomers and members prove to each other, the name under which the signaling server knows the
 * room, and a commitment that the cluster's log may carry. An open room has a secret too: one that its name gives to everybody.
 */
import { ByteWriter, malformed, toHex } from './bytes.ts';
import { SECRET_BYTES, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from './limits.ts';
import { hkdf, importMacKey, KEY_BYTES, randomBytes, sha256 } from './primitives.ts';

export interface RoomSecret {
  readonly room: string;
  /** Everybody who knows the name knows the secret: for demonstrations, and said so to people. */
  readonly open: boolean;
  readonly bytes: Uint8Array;
}

/** A secret made ready for handshakes: derived once, used for every link. */
export interface PreparedSecret {
  readonly open: boolean;
  /** Mixed into the keys of a handshake. */
  readonly psk: Uint8Array;
  /** Shows the other end which secret is meant, without showing the secret. */
  readonly tagKey: CryptoKey;
  /** What the log says of the secret in force. Tells nothing of it to readers of the log. */
  readonly commitment: Uint8Array;
}

/** A new secret for a room. Errors: insecure-context. */
export function createSecret(room: string): RoomSecret {
  return { room, open: false, bytes: randomBytes(SECRET_BYTES) };
}

/** The well-known secret of an open room. It has to be asked for: whoever guesses the name may join. */
export async function openRoom(room: string): Promise<RoomSecret> {
  return { room, open: true, bytes: await sha256(new ByteWriter().text('tabraft trust 1 open room').text(room).done()) };
}

async function derive(secret: RoomSecret, label: string, length: number): Promise<Uint8Array> {
  const { bytes, room, open } = secret;
  if (bytes.length < SECRET_BYTES_MIN || bytes.length > SECRET_BYTES_MAX) malformed('a secret of the wrong length');
  const salt = new ByteWriter()
    .text('tabraft trust 1 room')
    .u8(open ? 1 : 0)
    .text(room)
    .done();
  return hkdf(bytes, salt, new ByteWriter().text(label).done(), length);
}

/** Errors: insecure-context. */
export async function prepareSecret(secret: RoomSecret): Promise<PreparedSecret> {
  const [psk, tag, commitment] = await Promise.all([
    derive(secret, 'proof', KEY_BYTES),
    derive(secret, 'tag', KEY_BYTES),
    derive(secret, 'commitment', KEY_BYTES),
  ]);
  return { open: secret.open, psk, tagKey: await importMacKey(tag), commitment };
}

/**
 * The name under which the signaling server knows the room: 32 hexadecimal digits. It comes from the room's first secret and
 * stays when the secret is changed, so it travels with every link and invite made later.
 */
export async function rendezvousOf(secret: RoomSecret): Promise<string> {
  return toHex(await derive(secret, 'rendezvous', 16));
}
