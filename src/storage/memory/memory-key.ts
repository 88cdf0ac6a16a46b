import { keyIsThere } from '../identity-key.ts';
import type { IdentityKey } from '../storage.ts';
import type { MemoryImage } from './memory-disk.ts';

/** The pair as it is, in the image that outlives the store. */
export class MemoryIdentityKey implements IdentityKey {
  readonly needsExtractable: boolean = false;
  readonly #image: Pick<MemoryImage, 'key'>;
  readonly #requireUsable: () => void;

  constructor(image: Pick<MemoryImage, 'key'>, requireUsable: () => void = () => undefined) {
    this.#image = image;
    this.#requireUsable = requireUsable;
  }

  async load(): Promise<CryptoKeyPair | undefined> {
    this.#requireUsable();
    return this.#image.key;
  }

  async save(pair: CryptoKeyPair): Promise<void> {
    this.#requireUsable();
    if (this.#image.key !== undefined) throw keyIsThere();
    this.#image.key = pair;
  }
}
