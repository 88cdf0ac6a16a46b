/** The node's key pair of a packed store: where the medium keeps handles, else as bytes in a record of `meta`. */
import { RaftError } from '../../core/errors.ts';
import { BytesIdentityKey, type KeyShelf } from '../identity-key.ts';
import type { IdentityKey } from '../storage.ts';
import type { Medium } from './medium.ts';
import { seal, unseal } from './meta.ts';

export const KEY_NAME = 'key';

export interface KeyGuard {
  requireOpen(): void;
  /** In the order of the store's writes, and not after one of them failed. */
  save(work: () => Promise<void>): Promise<void>;
}

export function identityKeyOf(medium: Medium, guard: KeyGuard): IdentityKey {
  const key = medium.identityKey ?? new BytesIdentityKey(shelfIn(medium));
  return {
    needsExtractable: key.needsExtractable,
    load: async () => {
      guard.requireOpen();
      return key.load();
    },
    save: (pair) => guard.save(() => key.save(pair)),
  };
}

/** As bytes, in `meta`. */
export function shelfIn(medium: Medium): KeyShelf {
  return {
    get: async () => {
      const stored = await medium.get('meta', KEY_NAME);
      if (stored === undefined) return undefined;
      try {
        return unseal(stored);
      } catch (cause) {
        throw new RaftError('corrupt', `The stored record '${KEY_NAME}' is damaged.`, { cause });
      }
    },
    put: (bytes) => medium.commit([{ kind: 'put', table: 'meta', key: KEY_NAME, value: seal(bytes) }], 'strict'),
  };
}
