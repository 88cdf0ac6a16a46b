/**
 * Who a node is: a key pair. Its id is a hash of the public key, so whoever knows an id can check its owner, and nobody can
 * take an id without its private key. The identity is kept beside the log and dies with it.
 */
import { pack, unpack } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { ByteWriter } from './bytes.ts';
import {
  exportSigningKey,
  generateSigningKey,
  importSigningKey,
  PUBLIC_KEY_BYTES,
  randomBytes,
  sha256,
  sign,
  verify,
} from './primitives.ts';

/** Without letters that are read for one another; all safe in file names and URLs. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Characters of an id: 130 bits of the hash, so that nobody finds a second key for it. */
export const ID_CHARACTERS = 26;
const ID_PATTERN = /^[0-9a-hjkmnp-tv-z]{26}$/;
const FORMAT = 1;

export interface Identity {
  readonly id: NodeId;
  /** An uncompressed point of P-256: 65 bytes. */
  readonly publicKey: Uint8Array;
  /** For signatures only; not extractable, except right after `createIdentity('portable')`. */
  readonly privateKey: CryptoKey;
}

/**
 * How an identity is stored. `key`: the key itself, which only databases of browsers can hold (IndexedDB): no script can read
 * it out. `pkcs8`: its bytes, for stores that hold bytes (LMDB): as secret as the file they are in.
 */
export type IdentityRecord =
  | { readonly kind: 'key'; readonly publicKey: Uint8Array; readonly privateKey: CryptoKey }
  | { readonly kind: 'pkcs8'; readonly publicKey: Uint8Array; readonly pkcs8: Uint8Array };

/** The id that belongs to a public key. */
export async function idOf(publicKey: Uint8Array): Promise<NodeId> {
  const hash = await sha256(new ByteWriter().text('tabraft trust 1 id').bytes(publicKey).done());
  let id = '';
  let held = 0;
  let bits = 0;
  for (const byte of hash) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5 && id.length < ID_CHARACTERS) {
      bits -= 5;
      id += ALPHABET.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return id;
}

/** Whether a text has the form of an id that comes from a key. */
export function isKeyId(id: string): boolean {
  return ID_PATTERN.test(id);
}

/** A new identity. `portable`: its private key can be taken out once more by `recordOf`. Errors: insecure-context. */
export async function createIdentity(storedAs: 'key' | 'portable'): Promise<Identity> {
  const { publicKey, privateKey } = await generateSigningKey(storedAs === 'portable');
  return { id: await idOf(publicKey), publicKey, privateKey };
}

/** What is to be stored of it. */
export async function recordOf(identity: Identity): Promise<IdentityRecord> {
  const { publicKey, privateKey } = identity;
  if (!privateKey.extractable) return { kind: 'key', publicKey, privateKey };
  return { kind: 'pkcs8', publicKey, pkcs8: await exportSigningKey(privateKey) };
}

/**
 * The identity of a record, its private key not extractable. Proves that the two keys belong together: half a record after a
 * fault of the disk must not join as somebody. Errors: corrupt, node-mismatch, insecure-context.
 * @param id the id that the store says it belongs to, where it does
 */
export async function identityOf(record: IdentityRecord, id?: NodeId): Promise<Identity> {
  const { publicKey } = record;
  const privateKey = record.kind === 'key' ? record.privateKey : await privateKeyOf(record.pkcs8);
  const probe = randomBytes(16);
  const signature = await sign(privateKey, probe).catch((cause: unknown) => unusable(cause));
  if (publicKey.length !== PUBLIC_KEY_BYTES || !(await verify(publicKey, signature, probe))) unusable(undefined);
  const own = await idOf(publicKey);
  if (id !== undefined && id !== own) {
    throw new RaftError('node-mismatch', `The stored key belongs to ${own}, not to ${id}.`);
  }
  return { id: own, publicKey, privateKey };
}

async function privateKeyOf(pkcs8: Uint8Array): Promise<CryptoKey> {
  return await importSigningKey(pkcs8).catch((cause: unknown) => {
    if (RaftError.is(cause)) throw cause;
    return unusable(cause);
  });
}

function unusable(cause: unknown): never {
  throw new RaftError('corrupt', "The node's stored key pair is damaged.", { cause });
}

/** Bytes for a store that holds bytes. Errors: invalid-argument for a key that cannot be taken out. */
export function encodeIdentity(record: IdentityRecord): Uint8Array {
  if (record.kind === 'key') throw new RaftError('invalid-argument', 'This private key cannot leave the browser that made it.');
  return pack([FORMAT, record.publicKey, record.pkcs8]);
}

/** Errors: corrupt. */
export function decodeIdentity(bytes: Uint8Array): IdentityRecord {
  let value: unknown;
  try {
    value = unpack(bytes);
  } catch (cause) {
    unusable(cause);
  }
  if (!Array.isArray(value) || value.length !== 3 || value[0] !== FORMAT) unusable(undefined);
  const [, publicKey, pkcs8] = value as readonly unknown[];
  if (!(publicKey instanceof Uint8Array) || !(pkcs8 instanceof Uint8Array)) return unusable(undefined);
  return { kind: 'pkcs8', publicKey: publicKey.slice(), pkcs8: pkcs8.slice() };
}
