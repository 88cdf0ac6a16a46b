/** A name for this browser profile, random and kept beside the stores: members of one device are one risk, and one vote. */
import { randomId } from '../storage/identity.ts';

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

function pageStorage(): DeviceStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // Forbidden by the browser's settings.
    return undefined;
  }
}
