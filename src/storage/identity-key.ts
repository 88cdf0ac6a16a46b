/**
 * A node's key pair in stores that keep bytes: the private key as JWK with what is needed to import it again. It comes back
 * as a handle that nobody can export. Any pair that WebCrypto exports as JWK will do (EC, OKP); none is made here.
 */
import { pack, unpackStored } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import { Fields } from './fields.ts';
import type { IdentityKey } from './storage.ts';

/** Where the bytes of one pair lie. */
export interface KeyShelf {
  get(): Promise<Uint8Array | undefined>;
  /** Resolves when it is durable. */
  put(bytes: Uint8Array): Promise<void>;
}

export class BytesIdentityKey implements IdentityKey {
  readonly needsExtractable: boolean = true;
  readonly #shelf: KeyShelf;
  /** The last save called; the next one looks after it, so that only one of two at once is kept. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(shelf: KeyShelf) {
    this.#shelf = shelf;
  }

  async load(): Promise<CryptoKeyPair | undefined> {
    const bytes = await this.#shelf.get();
    return bytes === undefined ? undefined : decodePair(bytes);
  }

  save(pair: CryptoKeyPair): Promise<void> {
    const saved = this.#turn.then(() => this.#save(pair));
    this.#turn = saved.catch(() => undefined);
    return saved;
  }

  async #save(pair: CryptoKeyPair): Promise<void> {
    const bytes = await encodePair(pair);
    if ((await this.#shelf.get()) !== undefined) throw keyIsThere();
    await this.#shelf.put(bytes);
  }
}

export function keyIsThere(): RaftError {
  return new RaftError('invalid-argument', 'This identity has a key pair already: a new one would make it somebody else.');
}

async function encodePair({ privateKey, publicKey }: CryptoKeyPair): Promise<Uint8Array> {
  try {
    const exported = await Promise.all([privateKey, publicKey].map((key) => crypto.subtle.exportKey('jwk', key)));
    const parts = [privateKey, publicKey].map((key, i) => [
      JSON.stringify(exported[i]),
      JSON.stringify(key.algorithm),
      key.usages,
    ]);
    return pack(parts);
  } catch (cause) {
    throw new RaftError('invalid-argument', 'This store keeps bytes: the key pair must be one that can be exported as JWK.', {
      cause,
    });
  }
}

/** Errors: corrupt. */
async function decodePair(bytes: Uint8Array): Promise<CryptoKeyPair> {
  try {
    const parts = new Fields(unpackStored(bytes));
    const [privateKey, publicKey] = await Promise.all([importKey(parts.fields(0), false), importKey(parts.fields(1), true)]);
    return { privateKey, publicKey };
  } catch (cause) {
    throw new RaftError('corrupt', 'The stored key pair of this identity is damaged, or this platform lacks its algorithm.', {
      cause,
    });
  }
}

function importKey(fields: Fields, extractable: boolean): Promise<CryptoKey> {
  const jwk = JSON.parse(fields.string(0)) as JsonWebKey;
  const algorithm = JSON.parse(fields.string(1)) as EcKeyImportParams;
  const usages = fields.array(2).filter((usage): usage is KeyUsage => typeof usage === 'string');
  // The JWK says itself that it may be exported; what is imported need not be.
  return crypto.subtle.importKey('jwk', { ...jwk, ext: true }, algorithm, extractable, usages);
}
