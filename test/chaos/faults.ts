/** Each fault as a line: how it is made, and how it is undone. */
import type { Arena, Place } from './arena.ts';
import type { FaultKind, PlannedFault } from './plan.ts';

export interface Fault {
  /** Whom it hits. */
  readonly places: readonly string[];
  begin(): Promise<void>;
  end(): Promise<void>;
}

type Make = (arena: Arena, place: Place) => Fault;

/** So little storage that nothing more can be written: bytes. */
const NO_STORAGE_BYTES = 1;
const SLOWER_TIMES = 20;

const nothing = async (): Promise<void> => undefined;
const ofTab = (
  begin: (tab: NonNullable<Place['tab']>) => Promise<void>,
  end: (tab: NonNullable<Place['tab']>) => Promise<void>,
): Make => {
  return (_arena, place) => ({
    places: [place.name],
    begin: async () => void (place.tab && (await begin(place.tab))),
    end: async () => void (place.tab && (await end(place.tab))),
  });
};

/** The tab of a place is gone for a while; what wrote in it does so no more. */
const gone = (how: (tab: NonNullable<Place['tab']>) => Promise<void>): Make => {
  return (arena, place) => ({
    places: [place.name],
    begin: async () => {
      const { tab } = place;
      place.tab = undefined;
      if (tab !== undefined) await how(tab);
    },
    end: async () => void (await arena.open(place)),
  });
};

const onDevice = (arena: Arena, { device }: Place): readonly Place[] => arena.places.filter((one) => one.device === device);

const MAKE: Readonly<Record<FaultKind, Make>> = {
  hidden: ofTab(
    (tab) => tab.hide(),
    (tab) => tab.show(),
  ),
  frozen: ofTab(
    (tab) => tab.freeze(),
    (tab) => tab.thaw(),
  ),
  throttled: ofTab(
    (tab) => tab.throttle(SLOWER_TIMES),
    (tab) => tab.throttle(1),
  ),
  offline: ofTab(
    (tab) => tab.offline(),
    (tab) => tab.online(),
  ),
  quota: ofTab(
    (tab) => tab.quota(NO_STORAGE_BYTES),
    (tab) => tab.quota(undefined),
  ),
  wiped: ofTab((tab) => tab.wipe(), nothing),
  reloaded: ofTab(async (tab) => void (await tab.page.reload()), nothing),
  crashed: gone(async (tab) => {
    await tab.crash();
    await tab.page.close();
  }),
  closed: gone((tab) => tab.close()),
  killed: (arena, place) => ({
    places: onDevice(arena, place).map(({ name }) => name),
    begin: async () => {
      for (const one of onDevice(arena, place)) one.tab = undefined;
      await place.device.kill();
    },
    end: async () => {
      for (const one of onDevice(arena, place)) await arena.open(one);
    },
  }),
  asleep: (arena, place) => ({
    places: onDevice(arena, place).map(({ name }) => name),
    begin: async () => place.device.sleep(),
    end: async () => place.device.wake(),
  }),
  duplicated: (arena, place) => {
    let close = nothing;
    return {
      places: [place.name],
      begin: async () => {
        const copy = await place.tab?.duplicate();
        if (copy === undefined) return;
        arena.name(copy, `${place.name}+`);
        close = () => copy.close();
      },
      end: () => close(),
    };
  },
  partitioned: (arena, place) => ({
    places: [place.name],
    begin: async () => {
      const others = arena.places.filter((one) => one !== place).flatMap(({ tab }) => tab ?? []);
      if (place.tab !== undefined) await arena.tabs.partition([place.tab], [...others, arena.edgeEnd]);
    },
    end: () => arena.tabs.heal(),
  }),
  'signaling-down': (arena) => ({ places: [], begin: () => arena.killHost(), end: () => arena.startHost() }),
  'edge-killed': (arena) => ({ places: ['edge'], begin: () => arena.killEdge(), end: async () => arena.startEdge() }),
};

/** The fault with its victim, chosen from who is there now. Undefined where there is none. */
export function faultOf(arena: Arena, { kind, leader, pick }: PlannedFault): Fault | undefined {
  if (kind === 'edge-killed' && !arena.running.includes('edge')) return undefined;
  const possible = arena.places.filter((place) => place.tab !== undefined && (kind !== 'wiped' || mayLose(arena, place)));
  const leading = possible.find(({ name }) => name === arena.record.leader());
  const place = leader && leading !== undefined ? leading : possible[Math.floor(pick * possible.length)];
  return place === undefined ? undefined : MAKE[kind](arena, place);
}

/** Data that is cleared on a device with a majority of the voters is lost, as documented: that is not tried. */
function mayLose(arena: Arena, place: Place): boolean {
  const own = new Set(onDevice(arena, place).map(({ name }) => arena.record.statusOf(name)?.node));
  const voters = arena.record.statusOf(place.name)?.voters ?? [];
  return voters.filter((voter) => own.has(voter)).length * 2 < voters.length;
}
