/**
 * Who a node is: a key pair. Its id is a hash of the public key, so whoever knows an id can check its owner, and nobody can
 * take an id without its private key. The identity is kept beside the log and dies with it.
 */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import { ByteWriter } from './bytes.ts';
import { exportPublicKey, generateSigningPair, PUBLIC_KEY_BYTES, randomBytes, sha256, sign, verify } from './primitives.ts';

/** Without letters that are read for one another; all safe in file names and URLs. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Characters of an id: 130 bits of the hash, so that nobody finds a second key for it. */
export const ID_CHARACTERS = 26;
const ID_PATTERN = /^[0-9a-hjkmnp-tv-z]{26}$/;

export interface Identity {
  readonly id: NodeId;
  /** An uncompressed point of P-256: 65 bytes. What the configuration carries of a member. */
  readonly publicKey: Uint8Array;
  /** For signatures only. */
  readonly privateKey: CryptoKey;
}

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

/**
 * A key pair for a new node, to be kept beside its log. Extractable only for stores that keep bytes, which give back one that
 * is not: the identity is made of what the store gives back. Errors: insecure-context.
 */
export function createKeyPair(extractable: boolean): Promise<CryptoKeyPair> {
  return generateSigningPair(extractable);
}

/**
 * The identity of a key pair. Proves that its halves belong together: what a fault of the disk has left over must not join as
 * somebody. Errors: corrupt, node-mismatch, insecure-context.
 * @param id the id that the store is of, where there is one
 */
export async function identityOf({ publicKey: key, privateKey }: CryptoKeyPair, id?: NodeId): Promise<Identity> {
  const publicKey = await exportPublicKey(key).catch(unusable);
  const probe = randomBytes(16);
  const signature = await sign(privateKey, probe).catch(unusable);
  if (publicKey.length !== PUBLIC_KEY_BYTES || !(await verify(publicKey, signature, probe))) unusable(undefined);
  const own = await idOf(publicKey);
  if (id !== undefined && id !== own) {
    throw new RaftError('node-mismatch', `The stored key belongs to ${own}, not to ${id}.`);
  }
  return { id: own, publicKey, privateKey };
}

function unusable(cause: unknown): never {
  if (RaftError.is(cause, 'insecure-context')) throw cause;
  throw new RaftError('corrupt', "The node's stored key pair is damaged, or of another kind.", { cause });
}
