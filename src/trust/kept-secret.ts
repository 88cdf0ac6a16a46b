/**
 * The room's secret as a node keeps it beside its log once it was changed: the one in force, and those that this node has made and
 * of which it does not know yet whether they came into force. A secret is durable here before the log says of it: else a crash in
 * between would leave the room with a secret that nobody knows.
 */
import { ByteReader, ByteWriter } from './bytes.ts';
import { SECRET_BYTES_MAX, SECRET_BYTES_MIN, SECRETS_MADE_MAX } from './limits.ts';

/** Names of the small records. */
export const SECRET_RECORD = 'room-secret';
export const SECRETS_MADE_RECORD = 'room-secrets-made';

export interface KeptSecret {
  /** How often the secret was changed when it comes into force. */
  readonly epoch: number;
  readonly bytes: Uint8Array;
}

const FORMAT = 1;

export function encodeSecrets(secrets: readonly KeptSecret[]): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT).u8(secrets.length);
  for (const { epoch, bytes } of secrets) writer.u64(epoch).bytes(bytes);
  return writer.done();
}

/** None of bytes that cannot be read: then other members are asked. */
export function decodeSecrets(bytes: Uint8Array | undefined): readonly KeptSecret[] {
  if (bytes === undefined) return [];
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== FORMAT) return [];
    const count = reader.u8();
    if (count > SECRETS_MADE_MAX) return [];
    const secrets = Array.from({ length: count }, () => ({ epoch: reader.u64(), bytes: reader.bytes(SECRET_BYTES_MAX) }));
    reader.end();
    return secrets.filter(({ bytes: secret }) => secret.length >= SECRET_BYTES_MIN);
  } catch {
    return [];
  }
}
