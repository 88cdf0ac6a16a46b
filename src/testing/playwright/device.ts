/** A device: a browser with a profile on disk, and its tabs, each in a window of its own. It can be killed, put to sleep and wiped. */
import { RaftError } from '../../core/errors.ts';
import { BrowserProcess } from './browser-process.ts';
import { type BrowserContext, type CDPSession, chromium, type Page } from './library.ts';
import { Tab, type TabDevice } from './tab.ts';

export interface DeviceOptions {
  readonly executablePath: string;
  readonly args?: readonly string[];
  readonly headless?: boolean;
  /** Names its tabs: `a1`, `a2` … */
  readonly name: string;
  /** Whom a tab of this name cannot reach: asked whenever one of its pages is made. */
  readonly cutOff: (tab: string) => readonly string[];
  /** Hears of every page as soon as there is one. */
  readonly onPage?: ((page: Page, tab: Tab) => void) | undefined;
}

interface Running {
  readonly context: BrowserContext;
  readonly session: CDPSession;
}

export class Device implements TabDevice {
  readonly name: string;
  readonly #options: DeviceOptions;
  readonly #browser: BrowserProcess;
  #running: Promise<Running> | undefined;
  #tabs = 0;

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#browser = new BrowserProcess(options);
  }

  async open(url: string): Promise<Tab> {
    const tab = await this.blank();
    await tab.page.goto(url);
    return tab;
  }

  async blank(): Promise<Tab> {
    const { context, session } = await this.#run();
    const opened = context.waitForEvent('page');
    await session.send('Target.createTarget', { url: 'about:blank', newWindow: true });
    return this.adopt(await opened);
  }

  async adopt(page: Page): Promise<Tab> {
    this.#tabs += 1;
    const tab = new Tab(page, this, `${this.name}${this.#tabs}`);
    this.#options.onPage?.(page, tab);
    await tab.cut(this.#options.cutOff(tab.name));
    return tab;
  }

  async kill(): Promise<void> {
    this.#running = undefined;
    await this.#browser.kill();
  }

  async quit(): Promise<void> {
    const running = await this.#running;
    this.#running = undefined;
    for (const page of running?.context.pages() ?? []) await page.close().catch(() => undefined);
    await this.#browser.quit();
  }

  sleep(): void {
    this.#browser.sleep();
  }

  wake(): void {
    this.#browser.wake();
  }

  async wipe(origin: string): Promise<void> {
    const { context } = await this.#run();
    const page = context.pages()[0] ?? (await context.newPage());
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: new URL(origin).origin, storageTypes: 'all' });
    await session.detach();
  }

  /** Ends it and forgets its profile. */
  async remove(): Promise<void> {
    this.#running = undefined;
    await this.#browser.remove();
  }

  #run(): Promise<Running> {
    if (this.#running !== undefined && this.#browser.running) return this.#running;
    const starting = this.#start();
    this.#running = starting;
    starting.catch(() => {
      if (this.#running === starting) this.#running = undefined;
    });
    return starting;
  }

  async #start(): Promise<Running> {
    const browser = await chromium.connectOverCDP(await this.#browser.start(), { noDefaults: true });
    const [context] = browser.contexts();
    if (context === undefined) throw new RaftError('invalid-argument', 'The browser has no profile of its own.');
    return { context, session: await browser.newBrowserCDPSession() };
  }
}
