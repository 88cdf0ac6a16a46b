/** What a page knows of what slows it down: hidden or not, a low battery, a wish to save data. Where a browser does not say, nothing. */
import type { Surroundings } from '../wire/bodies.ts';

/** A battery that is not being charged and has less than this left is saved: 0 to 1. */
const BATTERY_LOW = 0.2;

type Told = { -readonly [K in 'hidden' | 'saving']: Surroundings[K] };

interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

interface Connection extends EventTarget {
  readonly saveData?: boolean;
}

/** The parts of a page that are looked at. */
export interface PageParts {
  readonly document?: (EventTarget & { readonly visibilityState: string }) | undefined;
  readonly navigator?: { getBattery?(): Promise<Battery>; readonly connection?: Connection } | undefined;
}

/** Keeps `told` true until it is stopped. */
export function watchSurroundings(told: Told, page: PageParts = globalThis as PageParts): { stop(): void } {
  const ended = new AbortController();
  const { signal } = ended;
  const { document, navigator } = page;
  const connection = navigator?.connection;
  let battery: Battery | undefined;
  const look = (): void => {
    told.hidden = document?.visibilityState === 'hidden';
    const low = battery !== undefined && !battery.charging && battery.level < BATTERY_LOW;
    told.saving = low || connection?.saveData === true;
  };
  document?.addEventListener('visibilitychange', look, { signal });
  connection?.addEventListener?.('change', look, { signal });
  look();
  const hear = (found: Battery): void => {
    if (signal.aborted) return;
    battery = found;
    for (const event of ['levelchange', 'chargingchange']) found.addEventListener(event, look, { signal });
    look();
  };
  // Forbidden by a policy, or not there: then it is not known to be low.
  attempt(() => navigator?.getBattery?.().then(hear, () => undefined));
  return { stop: () => ended.abort() };
}

function attempt(run: () => unknown): void {
  try {
    run();
  } catch {
    // A browser that has the name of a thing and not the thing.
  }
}
