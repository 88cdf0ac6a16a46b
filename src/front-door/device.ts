/** A name for this browser profile, random and kept beside the stores: members of one device are one risk, and one vote. */
import type { NodeId } from '../core/types.ts';
import { WebStorageWitness } from '../storage/boot-witness.ts';
import { randomId } from '../storage/identity.ts';
import type { BootWitness } from '../storage/storage.ts';

const DEVICE_KEY = 'tabraft/device';
const DEVICE_PATTERN: RegExp = /^[\w-]{8,64}$/;

/** The part of localStorage that is used. */
export type DeviceStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** '' where nothing can be kept: then each node counts as a device of its own. */
export function deviceId(storage: DeviceStorage | undefined = pageStorage()): string {
  try {
    const known = storage?.getItem(DEVICE_KEY);
    if (typeof known === 'string' && DEVICE_PATTERN.test(known)) return known;
    const made = randomId();
    storage?.setItem(DEVICE_KEY, made);
    // Two tabs that open at the same moment agree on what was written last.
    return storage?.getItem(DEVICE_KEY) === made ? made : '';
  } catch {
    return '';
  }
}

/** Stores of one room on one device that are remembered to vote: more tabs than that nobody opens. */
const VOTERS_MAX = 64;
const VOTERS_KEY = 'tabraft/voters/';

/**
 * The identities of this device that voted in the room when it was last heard of. A browser that was killed comes back with fewer tabs
 * than it had: they take up those that the cluster waits for. Only a preference: what is written there harms nobody.
 */
export function deviceVoters(room: string, storage: DeviceStorage | undefined = pageStorage()): readonly NodeId[] {
  try {
    const known: unknown = JSON.parse(storage?.getItem(VOTERS_KEY + room) ?? '[]');
    if (!Array.isArray(known)) return [];
    return known.filter((id): id is string => typeof id === 'string' && DEVICE_PATTERN.test(id)).slice(0, VOTERS_MAX);
  } catch {
    return [];
  }
}

/** `votes`: as the configuration in force says of the node `id` of this device. */
export function noteVoter(room: string, id: NodeId, votes: boolean, storage: DeviceStorage | undefined = pageStorage()): void {
  const known = deviceVoters(room, storage);
  if (known.includes(id) === votes) return;
  const others = known.filter((other) => other !== id);
  try {
    storage?.setItem(VOTERS_KEY + room, JSON.stringify(votes ? [id, ...others].slice(0, VOTERS_MAX) : others));
  } catch {
    // A full or forbidden storage: then the most recent identity is taken up.
  }
}

/** Browsers keep it apart from their databases: an older copy of one is found out by it. */
export function pageWitness(storage: DeviceStorage | undefined = pageStorage()): BootWitness | undefined {
  return storage === undefined ? undefined : new WebStorageWitness(storage);
}

function pageStorage(): DeviceStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // Forbidden by the browser's settings.
    return undefined;
  }
}
