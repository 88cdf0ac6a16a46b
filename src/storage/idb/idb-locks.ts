/** Web Locks: a lock of a name is held by one tab of the profile, and let go by the browser when the tab dies. */

export interface HeldLock {
  release(): void;
}

/** The part of navigator.locks that is used; tests bring their own where there is none. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

/**
 * undefined when somebody else holds it and does not let go within `waitMs`. `onStolen` is called when another
 * context takes it by force.
 */
export function takeLock(locks: Locks, name: string, waitMs: number, onStolen: () => void): Promise<HeldLock | undefined> {
  return new Promise((resolve, reject) => {
    let granted = false;
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      granted = true;
      return new Promise((release) => resolve({ release }));
    };
    const options = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
    locks.request(name, options, hold).catch((error: unknown) => {
      if (granted) onStolen();
      else if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError'))
        resolve(undefined);
      else reject(error);
    });
  });
}

export async function heldNames(locks: Locks): Promise<ReadonlySet<string>> {
  const { held } = await locks.query();
  return new Set(held?.flatMap(({ name }) => (name === undefined ? [] : [name])));
}
