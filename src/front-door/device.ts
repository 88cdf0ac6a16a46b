/** A name for this browser profile, random and kept beside the stores: members of one device are one risk, and one vote. */
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
