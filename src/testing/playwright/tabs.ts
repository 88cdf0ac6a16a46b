/** The tabs of one test: opened in one line, cut off from each other, healed, and gone when the test ends. */
import { RaftError } from '../../core/errors.ts';
import { Device, type DeviceOptions } from './device.ts';
import type { Page } from './library.ts';
import { Tab, type TabDevice } from './tab.ts';

export type TabsOptions = Pick<DeviceOptions, 'executablePath' | 'args' | 'headless'> & {
  /** What `open('/…')` is relative to. */
  readonly baseURL?: string | undefined;
  /** Hears of every page as soon as there is one. */
  readonly onPage?: (page: Page, tab: Tab) => void;
};

/** What can be cut off: a tab, what a Node process makes its links with (`nodeCuts`), or who stands for one in another process. */
export interface Cuttable {
  readonly name: string;
  /** No link to those named, until told otherwise. */
  cut(names: readonly string[]): void | Promise<void>;
}

/** More browsers than a test can mean: a mistake in a loop. */
const DEVICES_MAX = 64;

export class Tabs {
  readonly #options: TabsOptions;
  readonly #devices: Device[] = [];
  readonly #others = new Set<Cuttable>();
  #open: Tab[] = [];
  /** The sides that cannot reach each other. */
  #sides: readonly (readonly string[])[] = [];

  constructor(options: TabsOptions) {
    this.#options = options;
  }

  /** So many tabs of one browser, one after the other, each in a window of its own. Errors: invalid-argument. */
  async open(count: number, url = '/'): Promise<readonly Tab[]> {
    const device = this.device();
    const tabs: Tab[] = [];
    for (let i = 0; i < checked(count); i++) tabs.push(await device.open(this.#urlOf(url)));
    return tabs;
  }

  /** So many devices, a browser with a profile of its own each, with one tab each. Errors: invalid-argument. */
  async openDevices(count: number, url = '/'): Promise<readonly Tab[]> {
    const tabs: Tab[] = [];
    for (let i = 0; i < checked(count); i++) tabs.push(await this.device().open(this.#urlOf(url)));
    return tabs;
  }

  /** A browser with an empty profile; it starts when its first tab is opened. */
  device(): TabDevice {
    if (this.#devices.length >= DEVICES_MAX)
      throw new RaftError('invalid-argument', `A test has at most ${DEVICES_MAX} devices.`);
    const device = new Device({
      ...this.#options,
      name: nameOf(this.#devices.length),
      cutOff: (tab) => this.#beyond(tab),
      onPage: (page, tab) => this.#note(page, tab),
    });
    this.#devices.push(device);
    return device;
  }

  get all(): readonly Tab[] {
    return this.#open;
  }

  get devices(): readonly TabDevice[] {
    return this.#devices;
  }

  /**
   * Cuts every link between the sides: what is sent waits, nobody is told, until `heal` (within 15 s nothing is lost, later the links
   * break, as real ones do). Who is on no side reaches everybody. Errors: invalid-argument.
   */
  async partition(...sides: readonly (readonly Cuttable[])[]): Promise<void> {
    if (sides.length < 2) throw new RaftError('invalid-argument', 'A partition has two sides at least.');
    const names = sides.flat().map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new RaftError('invalid-argument', `${twice} stands on two sides.`);
    for (const one of sides.flat()) if (!(one instanceof Tab)) this.#others.add(one);
    this.#sides = sides.map((side) => side.map(({ name }) => name));
    await this.#tell();
  }

  /** Every link may carry again. Tabs that are frozen, hidden or offline stay so. */
  async heal(): Promise<void> {
    this.#sides = [];
    await this.#tell();
  }

  /** Ends every browser and forgets what it kept. */
  async close(): Promise<void> {
    await Promise.all(this.#devices.splice(0).map((device) => device.remove()));
    this.#open = [];
  }

  async #tell(): Promise<void> {
    await Promise.all([...this.#others, ...this.#open].map((one) => one.cut(this.#beyond(one.name))));
  }

  #beyond(name: string): readonly string[] {
    const own = this.#sides.find((side) => side.includes(name));
    return own === undefined ? [] : this.#sides.filter((side) => side !== own).flat();
  }

  #note(page: Page, tab: Tab): void {
    this.#open.push(tab);
    page.once('close', () => {
      this.#open = this.#open.filter((one) => one !== tab);
    });
    this.#options.onPage?.(page, tab);
  }

  #urlOf(url: string): string {
    try {
      return new URL(url, this.#options.baseURL).href;
    } catch {
      throw new RaftError('invalid-argument', `${url} is no address; set baseURL in Playwright's configuration to open paths.`);
    }
  }
}

function checked(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= DEVICES_MAX) return count;
  throw new RaftError('invalid-argument', `How many tabs is a whole number from 1 to ${DEVICES_MAX}, got ${count}.`);
}

/** a, b … z, aa, ab … */
function nameOf(i: number): string {
  const letter = String.fromCharCode(97 + (i % 26));
  return i < 26 ? letter : `${nameOf(Math.floor(i / 26) - 1)}${letter}`;
}
