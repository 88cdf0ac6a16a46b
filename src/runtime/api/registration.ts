/// <reference lib="esnext.disposable" preserve="true" />
/** What every subscription returns: call it, or dispose of it, to end it; a signal ends it as well. */

export interface Registration extends Disposable {
  (): void;
}

/** Errors: none; with a signal that is aborted already, `end` is called at once. */
export function registration(end: () => void, signal?: AbortSignal): Registration {
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    signal?.removeEventListener('abort', close);
    end();
  };
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted === true) close();
  // Engines without Symbol.dispose have the function.
  if (typeof Symbol.dispose === 'symbol') Object.defineProperty(close, Symbol.dispose, { value: close });
  return close as Registration;
}
