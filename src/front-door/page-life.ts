/**
 * A page's life as its node has to know it. Going away for good: a goodbye, and the node stops. Put away (frozen, or kept by the
 * browser for the way back): a goodbye, and the node pauses, so that nobody counts on it; when the page is back, it begins
 * a new life from storage. Seen again: the time that went by is looked at before anything is answered.
 */

/** What is told of a page's life. */
export interface PageLifeHooks {
  /** The page goes: this is the last chance to say anything. */
  onGone(): void;
  /** It is put away, and may never come back. */
  onPutAway(): void;
  /** It is here again, or seen again, or back on the network. */
  onBack(): void;
}

export interface PageLifeParts {
  readonly window?: EventTarget | undefined;
  readonly document?: (EventTarget & { readonly visibilityState: string }) | undefined;
}

/** Told until it is stopped. */
export function watchPageLife(hooks: PageLifeHooks, page: PageLifeParts = pageParts()): { stop(): void } {
  const ended = new AbortController();
  const { signal } = ended;
  const { window, document } = page;
  const on = (target: EventTarget | undefined, type: string, run: (event: Event) => void): void =>
    target?.addEventListener(type, run, { signal });
  on(window, 'pagehide', (event) => (isKept(event) ? hooks.onPutAway() : hooks.onGone()));
  on(window, 'pageshow', (event) => {
    if (isKept(event)) hooks.onBack();
  });
  on(window, 'online', () => hooks.onBack());
  on(document, 'freeze', () => hooks.onPutAway());
  on(document, 'resume', () => hooks.onBack());
  on(document, 'visibilitychange', () => {
    if (document?.visibilityState === 'visible') hooks.onBack();
  });
  return { stop: () => ended.abort() };
}

/** By the browser, for when its user comes back to the page. */
function isKept(event: Event): boolean {
  return 'persisted' in event && event.persisted === true;
}

function pageParts(): PageLifeParts {
  const { document } = globalThis as PageLifeParts;
  return { document, window: typeof globalThis.addEventListener === 'function' ? globalThis : undefined };
}
