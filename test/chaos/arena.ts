/** What a chaos run happens in: devices with tabs, an edge member, and the server that introduces them, each in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { SIGNALING_PATH } from '../../src/signaling/protocol.ts';
import type { Cuttable, Tab, TabDevice } from '../../src/testing/playwright/index.ts';
import { Tabs } from '../../src/testing/playwright/tabs.ts';
import type { Told } from './notes.ts';
import { Record } from './record.ts';

export interface ArenaOptions {
  readonly executablePath: string;
  readonly args: readonly string[];
  /** Where the built page, edge.mjs and host.mjs are. */
  readonly built: string;
  readonly room: string;
  /** How many tabs each device has. */
  readonly devices: readonly number[];
  readonly edge: boolean;
}

/** A place for a tab; tabs in it come and go. */
export class Place {
  readonly name: string;
  readonly device: TabDevice;
  tab: Tab | undefined;

  constructor(name: string, device: TabDevice) {
    this.name = name;
    this.device = device;
  }
}

export class Arena {
  readonly record: Record = new Record();
  readonly tabs: Tabs;
  readonly places: Place[] = [];
  readonly edgeEnd: Cuttable = { name: 'edge', cut: (names) => void this.#edge?.send(names) };
  readonly #options: ArenaOptions;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'tabraft-chaos-'));
  readonly #placeOf = new Map<string, string>();
  #host: ChildProcess | undefined;
  #edge: ChildProcess | undefined;
  #port = 0;

  constructor(options: ArenaOptions) {
    this.#options = options;
    const { executablePath, args } = options;
    this.tabs = new Tabs({ executablePath, args, onPage: (page, tab) => this.#listen(page, tab) });
    for (const [i, count] of options.devices.entries()) {
      const device = this.tabs.device();
      for (let tab = 1; tab <= count; tab++) this.places.push(new Place(`${String.fromCharCode(65 + i)}${tab}`, device));
    }
  }

  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  /** The names of all that should be writing. */
  get running(): readonly string[] {
    const open = this.places.filter(({ tab }) => tab !== undefined).map(({ name }) => name);
    return this.#edge === undefined ? open : [...open, 'edge'];
  }

  async start(): Promise<void> {
    await this.startHost();
    for (const place of this.places) await this.open(place);
    if (this.#options.edge) this.startEdge();
  }

  async open(place: Place, hash = ''): Promise<Tab> {
    const tab = await place.device.blank();
    this.#placeOf.set(tab.name, place.name);
    place.tab = tab;
    await tab.page.goto(`${this.origin}/?room=${this.#options.room}${hash}`);
    return tab;
  }

  /** Another tab in no place of its own: visitors and duplicates. */
  name(tab: Tab, place: string): void {
    this.#placeOf.set(tab.name, place);
  }

  async startHost(): Promise<void> {
    const { built } = this.#options;
    mkdirSync(join(this.#folder, 'signaling'), { recursive: true });
    const host = fork(join(built, 'host.mjs'), [join(built, 'page'), join(this.#folder, 'signaling'), String(this.#port)]);
    this.#host = host;
    const [port] = (await once(host, 'message')) as [number];
    this.#port = port;
  }

  async killHost(): Promise<void> {
    await end(this.#host);
    this.#host = undefined;
  }

  startEdge(): void {
    const signaling = `${this.origin.replace('http', 'ws')}${SIGNALING_PATH}`;
    const edge = fork(join(this.#options.built, 'edge.mjs'), [signaling, this.#options.room, join(this.#folder, 'edge')]);
    this.#edge = edge;
    edge.on('message', (told) => this.record.hear({ ...(told as Told), place: 'edge' }));
    // One that ended by itself comes back, as a supervisor would see to it.
    edge.once('exit', () => this.#edge === edge && setTimeout(() => this.#edge === edge && this.startEdge(), EDGE_AGAIN_MS));
  }

  async killEdge(): Promise<void> {
    const edge = this.#edge;
    this.#edge = undefined;
    await end(edge);
  }

  async close(): Promise<void> {
    await this.killEdge();
    await this.tabs.close();
    await this.killHost();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  #listen(page: Page, tab: Tab): void {
    void page
      .exposeBinding('chaosTell', (_source, told: string) => {
        this.record.hear({ ...(JSON.parse(told) as Told), place: this.#placeOf.get(tab.name) ?? tab.name });
      })
      .catch(() => undefined);
  }
}

const EDGE_AGAIN_MS = 500;

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
