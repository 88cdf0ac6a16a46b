/** What a page tells its node: which device it is on, and what slows it down. */
import { describe, expect, test } from 'vitest';
import { type DeviceStorage, deviceId, deviceVoters, noteVoter, pageWitness } from '../../src/front-door/device.ts';
import { type PageParts, watchSurroundings } from '../../src/front-door/page-surroundings.ts';

function shelf(kept = new Map<string, string>()): DeviceStorage {
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe('device', () => {
  test('random, and the same for all tabs of a profile', () => {
    const kept = new Map<string, string>();
    const first = deviceId(shelf(kept));
    expect(first).toMatch(/^[0-9a-z]{16}$/);
    expect(deviceId(shelf(kept))).toBe(first);
    expect(deviceId(shelf())).not.toBe(first);
  });

  test('made anew where what is kept is none', () => {
    const kept = new Map([['tabraft/device', '<b>not a name</b>']]);
    expect(deviceId(shelf(kept))).toMatch(/^[0-9a-z]{16}$/);
  });

  test('none where nothing can be kept: no tab is taken for another', () => {
    const forbidden = (): never => {
      throw new Error('SecurityError');
    };
    expect(deviceId({ getItem: forbidden, setItem: forbidden })).toBe('');
    expect(deviceId({ getItem: () => null, setItem: () => {} })).toBe('');
    expect(deviceId(undefined)).toBe('');
  });
});

describe('voters of the device', () => {
  test('kept by room, the last one first, and forgotten when they vote no more', () => {
    const storage = shelf();
    noteVoter('room', 'first-node', true, storage);
    noteVoter('room', 'second-node', true, storage);
    noteVoter('other', 'third-node', true, storage);
    noteVoter('room', 'second-node', true, storage);
    expect(deviceVoters('room', storage)).toEqual(['second-node', 'first-node']);
    noteVoter('room', 'second-node', false, storage);
    expect(deviceVoters('room', storage)).toEqual(['first-node']);
    expect(deviceVoters('other', storage)).toEqual(['third-node']);
  });

  test('bounded, and none where what is kept is no list, or nothing can be kept', () => {
    const storage = shelf();
    for (let i = 0; i < 100; i++) noteVoter('room', `node-${1000 + i}`, true, storage);
    expect(deviceVoters('room', storage)).toHaveLength(64);
    expect(deviceVoters('room', storage)[0]).toBe('node-1099');
    for (const kept of ['{', '{"a":1}', '7', '[1,{},"<b>","short"]'])
      expect(deviceVoters('room', shelf(new Map([['tabraft/voters/room', kept]])))).toEqual([]);
    const forbidden = (): never => {
      throw new Error('SecurityError');
    };
    noteVoter('room', 'first-node', true, { getItem: forbidden, setItem: forbidden });
    expect(deviceVoters('room', { getItem: forbidden, setItem: forbidden })).toEqual([]);
    expect(deviceVoters('room', undefined)).toEqual([]);
  });
});

describe('surroundings', () => {
  class Page extends EventTarget {
    visibilityState = 'visible';
    hide(state: 'visible' | 'hidden'): void {
      this.visibilityState = state;
      this.dispatchEvent(new Event('visibilitychange'));
    }
  }
  class Battery extends EventTarget {
    level = 1;
    charging = false;
  }
  const told = (): { hidden: boolean; saving: boolean } => ({ hidden: false, saving: false });

  test('hidden and shown again, until it is stopped', () => {
    const document = new Page();
    const own = told();
    const watch = watchSurroundings(own, { document });
    document.hide('hidden');
    expect(own.hidden).toBe(true);
    document.hide('visible');
    expect(own.hidden).toBe(false);
    watch.stop();
    document.hide('hidden');
    expect(own.hidden).toBe(false);
  });

  test('opened in the background', () => {
    const document = new Page();
    document.visibilityState = 'hidden';
    const own = told();
    watchSurroundings(own, { document });
    expect(own.hidden).toBe(true);
  });

  test('a low battery that is not being charged', async () => {
    const battery = new Battery();
    const own = told();
    watchSurroundings(own, { navigator: { getBattery: () => Promise.resolve(battery) } });
    await Promise.resolve();
    expect(own.saving).toBe(false);
    battery.level = 0.1;
    battery.dispatchEvent(new Event('levelchange'));
    expect(own.saving).toBe(true);
    battery.charging = true;
    battery.dispatchEvent(new Event('chargingchange'));
    expect(own.saving).toBe(false);
  });

  test('a wish to save data', () => {
    const own = told();
    watchSurroundings(own, { navigator: { connection: Object.assign(new EventTarget(), { saveData: true }) } });
    expect(own.saving).toBe(true);
  });

  test('where the browser says nothing, or forbids to ask, nothing slows it down', async () => {
    const pages: PageParts[] = [
      {},
      { navigator: {} },
      { navigator: { getBattery: () => Promise.reject(new Error('NotAllowedError')) } },
      {
        navigator: {
          getBattery: () => {
            throw new Error('SecurityError');
          },
        },
      },
    ];
    for (const page of pages) {
      const own = told();
      watchSurroundings(own, page);
      await Promise.resolve();
      expect(own).toEqual(told());
    }
  });
});

test('a page keeps a witness of how often its stores were opened, where it can keep anything', async () => {
  const kept = new Map<string, string>();
  const identity = { room: 'r', nodeId: 'n' };
  await pageWitness(shelf(kept))?.write(identity, 3);
  expect(await pageWitness(shelf(kept))?.read(identity)).toBe(3);
  expect(pageWitness(undefined)).toBeUndefined();
});
