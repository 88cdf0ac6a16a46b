/**
 * The primitives of WebCrypto that the proof is composed of, under our names: ECDSA and ECDH over P-256, SHA-256, HKDF, HMAC,
 * AES-256-GCM. The only file of this room that calls `crypto.subtle`. P-256 because every WebCrypto has it (docs/TRUST.md).
 */
import { trustError } from './errors.ts';

/** Bytes of an uncompressed point on P-256. */
export const PUBLIC_KEY_BYTES = 65;
/** Bytes of an ECDSA signature in the form of WebCrypto: r and s. */
export const SIGNATURE_BYTES = 64;
/** Bytes of a key for HKDF, HMAC or AES, and of a nonce of the handshake. */
export const KEY_BYTES = 32;
/** Bytes that AES-GCM adds. */
export const SEAL_BYTES = 16;

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const AGREEMENT = { name: 'ECDH', namedCurve: 'P-256' } as const;

/** A pair for the agreement of one link. */
export interface AgreementPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: CryptoKey;
}

/** Errors: insecure-context. */
export function requireSubtle(): SubtleCrypto {
  const { crypto } = globalThis as { readonly crypto?: { readonly subtle?: SubtleCrypto } };
  if (crypto?.subtle === undefined) throw trustError('insecure-context');
  return crypto.subtle;
}

export function randomBytes(length: number): Uint8Array {
  requireSubtle();
  return crypto.getRandomValues(new Uint8Array(length));
}

/** The types of WebCrypto want to know that the memory is not shared; ours never is. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await requireSubtle().digest('SHA-256', own(bytes)));
}

export async function hkdf(input: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
  const subtle = requireSubtle();
  const key = await subtle.importKey('raw', own(input), 'HKDF', false, ['deriveBits']);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: own(salt), info: own(info) };
  return new Uint8Array(await subtle.deriveBits(parameters, key, length * 8));
}

export function importMacKey(key: Uint8Array): Promise<CryptoKey> {
  return requireSubtle().importKey('raw', own(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

export async function mac(key: CryptoKey, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await requireSubtle().sign('HMAC', key, own(bytes)));
}

export function generateSigningPair(extractable: boolean): Promise<CryptoKeyPair> {
  return requireSubtle().generateKey(SIGNING, extractable, ['sign', 'verify']);
}

export async function exportPublicKey(key: CryptoKey): Promise<Uint8Array> {
  return new Uint8Array(await requireSubtle().exportKey('raw', key));
}

/** The private number alone, and its public point, each coordinate in base64url: the form that every WebCrypto imports. */
export interface SigningCoordinates {
  readonly d: string;
  readonly x: string;
  readonly y: string;
}

export async function exportSigningCoordinates(key: CryptoKey): Promise<SigningCoordinates> {
  const { d = '', x = '', y = '' } = await requireSubtle().exportKey('jwk', key);
  return { d, x, y };
}

export function importSigningCoordinates(coordinates: SigningCoordinates): Promise<CryptoKey> {
  const key: JsonWebKey = { kty: 'EC', crv: 'P-256', ...coordinates };
  return requireSubtle().importKey('jwk', key, SIGNING, false, ['sign']);
}

export async function sign(key: CryptoKey, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await requireSubtle().sign(SIGNATURE, key, own(bytes)));
}

/** False also for a key that is none. */
export async function verify(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  const subtle = requireSubtle();
  try {
    const key = await subtle.importKey('raw', own(publicKey), SIGNING, false, ['verify']);
    return await subtle.verify(SIGNATURE, key, own(signature), own(bytes));
  } catch {
    return false;
  }
}

export async function generateAgreementKey(): Promise<AgreementPair> {
  const pair = await requireSubtle().generateKey(AGREEMENT, false, ['deriveBits']);
  return { publicKey: await exportPublicKey(pair.publicKey), privateKey: pair.privateKey };
}

/** What both ends of a Diffie-Hellman exchange know. Undefined when the peer's key is no point of the curve. */
export async function agree(privateKey: CryptoKey, peer: Uint8Array): Promise<Uint8Array | undefined> {
  const subtle = requireSubtle();
  try {
    const publicKey = await subtle.importKey('raw', own(peer), AGREEMENT, false, []);
    return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: publicKey }, privateKey, 256));
  } catch {
    return undefined;
  }
}

export function importSealKey(key: Uint8Array): Promise<CryptoKey> {
  return requireSubtle().importKey('raw', own(key), 'AES-GCM', false, ['encrypt', 'decrypt']);
}

/** A nonce of 96 bits that is a number: for keys whose uses are counted. */
function nonceOf(count: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(count));
  return nonce;
}

/** Never twice with the same key and count. */
export async function seal(key: CryptoKey, count: number, header: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
  const parameters = { name: 'AES-GCM', iv: nonceOf(count), additionalData: own(header) };
  return new Uint8Array(await requireSubtle().encrypt(parameters, key, own(bytes)));
}

/** Undefined when it was not sealed so, with this key, count and header. */
export async function unseal(
  key: CryptoKey,
  count: number,
  header: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array | undefined> {
  const parameters = { name: 'AES-GCM', iv: nonceOf(count), additionalData: own(header) };
  try {
    return new Uint8Array(await requireSubtle().decrypt(parameters, key, own(sealed)));
  } catch {
    return undefined;
  }
}
