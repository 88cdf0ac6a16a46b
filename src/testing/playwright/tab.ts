/** One tab, and what can happen to it. `page` is Playwright's, for everything else. */
import { RaftError } from '../../core/errors.ts';
import type { CDPSession, Page } from './library.ts';
import { CUTS_KEY, cutsScript, type PageCuts } from './page-cuts.ts';

/** A page that is hidden draws nothing, so that it cannot be waited for by frames: ms. */
const LOOK_EVERY_MS = 20;

/** A device, a browser with a profile on disk, as its tabs and a test know it. */
export interface TabDevice {
  readonly name: string;
  /** A tab in a window of its own. Starts the browser if it does not run. Errors: invalid-argument when it cannot. */
  open(url: string): Promise<Tab>;
  /** A tab that has loaded nothing yet: for scripts of the caller's own, before the first page. */
  blank(): Promise<Tab>;
  /** Makes a tab of a page that something else has opened. */
  adopt(page: Page): Promise<Tab>;
  /** The browser ends at once, no tab can say goodbye. Its profile stays: `open` starts it again. */
  kill(): Promise<void>;
  /** The browser ends as when its user quits it. Its profile stays: `open` starts it again. */
  quit(): Promise<void>;
  /** The computer sleeps: nothing of it runs until `wake`. Tabs cannot be asked for anything meanwhile. */
  sleep(): void;
  wake(): void;
  /** What pages of this origin keep is deleted, as "clear site data" does it, under the tabs that are open. */
  wipe(origin: string): Promise<void>;
}

export class Tab {
  readonly page: Page;
  readonly device: TabDevice;
  /** In reports, and for those that must not reach it. */
  readonly name: string;
  #session: Promise<CDPSession> | undefined;
  #script: string | undefined;
  #cutOff: readonly string[] = [];
  #isOffline = false;
  #hiddenToFreeze = false;

  constructor(page: Page, device: TabDevice, name: string) {
    this.page = page;
    this.device = device;
    this.name = name;
  }

  /** No link of any kind to the tabs named; links to the others are healed. Both ends have to be told: see Tabs.partition. */
  async cut(names: readonly string[]): Promise<void> {
    this.#cutOff = names;
    await this.#applyCuts();
  }

  /** The renderer dies at once: no `pagehide`, no goodbye. `reopen` gives another tab in its place. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    void this.#send('Page.crash').catch(() => undefined);
    await crashed;
  }

  /** A new tab with the same address on the same device, in place of this one, which crashed or was closed. */
  async reopen(): Promise<Tab> {
    const url = this.page.url();
    await this.page.close();
    return this.device.open(url);
  }

  /** The user closes it. */
  async close(): Promise<void> {
    await this.page.close();
  }

  /** Another window is in front for good: `visibilitychange`, timers once a second, no frames. */
  async hide(): Promise<void> {
    await this.#setWindow('minimized');
    await this.#become('hidden');
  }

  async show(): Promise<void> {
    await this.#setWindow('normal');
    await this.page.bringToFront();
    await this.#become('visible');
  }

  /** As the browser does it to tabs that were hidden for long: no timers, no messages, until `thaw`. Hides it first. */
  async freeze(): Promise<void> {
    if ((await this.#visibility()) === 'visible') {
      await this.hide();
      this.#hiddenToFreeze = true;
    }
    await this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** Goes on, and is shown again if `freeze` has hidden it. */
  async thaw(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'active' });
    if (this.#hiddenToFreeze) await this.show();
    this.#hiddenToFreeze = false;
  }

  /** No network at all: requests fail, sockets fall silent, links carry nothing, `navigator.onLine` is false. */
  async offline(): Promise<void> {
    await this.#setOffline(true);
  }

  async online(): Promise<void> {
    await this.#setOffline(false);
  }

  /** Computes so many times slower; 1 is as usual. */
  async throttle(times: number): Promise<void> {
    await this.#send('Emulation.setCPUThrottlingRate', { rate: times });
  }

  /** So many bytes of storage are allowed to the pages of its origin, whatever they have already; undefined: as usual. */
  async quota(bytes: number | undefined): Promise<void> {
    const quota = bytes === undefined ? {} : { quotaSize: bytes };
    await this.#send('Storage.overrideQuotaForOrigin', { origin: this.origin, ...quota });
  }

  /** Clears the site's data on this device, under this tab and the others that are open there. */
  async wipe(): Promise<void> {
    await this.device.wipe(this.origin);
  }

  /** As the browser's "duplicate tab": the same address, and a copy of what the tab keeps for itself (`sessionStorage`). */
  async duplicate(): Promise<Tab> {
    const url = this.page.url();
    const opened = this.page.context().waitForEvent('page');
    // Opened by the page, as only so a browser copies; with a gesture, as only so it lets the page.
    await this.#send('Runtime.evaluate', { expression: "void open('about:blank', '', 'popup')", userGesture: true });
    const copy = await this.device.adopt(await opened);
    await copy.page.goto(url);
    return copy;
  }

  /** Errors: invalid-argument while it has loaded nothing. */
  get origin(): string {
    const url = this.page.url();
    if (!url.startsWith('http')) throw new RaftError('invalid-argument', `The tab ${this.name} shows no page of a site: ${url}`);
    return new URL(url).origin;
  }

  async #setOffline(isOffline: boolean): Promise<void> {
    this.#isOffline = isOffline;
    const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.#send('Network.enable');
    await this.#send('Network.emulateNetworkConditions', { offline: isOffline, ...unlimited });
    await this.#applyCuts();
  }

  /** To the page that is there, and before the first script of those that it loads later. */
  async #applyCuts(): Promise<void> {
    const cut = this.#isOffline ? 'all' : this.#cutOff;
    const source = cutsScript(this.name, cut);
    await this.#send('Page.enable');
    const { identifier } = await this.#send('Page.addScriptToEvaluateOnNewDocument', { source });
    if (this.#script !== undefined) await this.#send('Page.removeScriptToEvaluateOnNewDocument', { identifier: this.#script });
    this.#script = identifier;
    await this.page.evaluate(
      ([key, names]) => (globalThis as { readonly [cuts: string]: unknown } as Record<string, PageCuts>)[key]?.cut(names),
      [CUTS_KEY, cut] as const,
    );
  }

  async #setWindow(windowState: 'minimized' | 'normal'): Promise<void> {
    const { windowId } = await this.#send('Browser.getWindowForTarget');
    await this.#send('Browser.setWindowBounds', { windowId, bounds: { windowState } });
  }

  #visibility(): Promise<string> {
    return this.page.evaluate(() => document.visibilityState);
  }

  async #become(state: string): Promise<void> {
    await this.page.waitForFunction((wanted) => document.visibilityState === wanted, state, { polling: LOOK_EVERY_MS });
  }

  /** One session as long as the tab lives. */
  readonly #send: CDPSession['send'] = async (method, parameters) => {
    this.#session ??= this.page.context().newCDPSession(this.page);
    return (await this.#session).send(method, parameters);
  };
}
