/**
 * What simple-peer asks of Node's streams and packages, in the little that a link uses: the prebuilt file brings 70 kB of it. Builds put
 * this in its place (scripts/lean-simple-peer.mjs). Frames are sent past the stream (`send`), and come out of it as `data`.
 */

type Listener = (...given: readonly unknown[]) => unknown;

export class Duplex {
  readable: boolean = true;
  writable: boolean = true;
  readonly _readableState: { ended: boolean } = { ended: false };
  readonly _writableState: { finished: boolean } = { finished: false };
  readonly #listeners: Map<string, readonly Listener[]> = new Map();

  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  once(event: string, listener: Listener): this {
    const first: Listener = (...given) => {
      this.removeListener(event, first);
      listener.apply(this, [...given]);
    };
    return this.on(event, Object.assign(first, { listener }));
  }

  removeListener(event: string, listener: Listener): this {
    const left = (this.#listeners.get(event) ?? []).filter(
      (one) => one !== listener && (one as { readonly listener?: Listener }).listener !== listener,
    );
    this.#listeners.set(event, left);
    return this;
  }

  /** An error that nobody listens for is thrown, as Node does. */
  emit(event: string, ...given: readonly unknown[]): boolean {
    const listeners = this.#listeners.get(event) ?? [];
    if (listeners.length === 0 && event === 'error') throw given[0];
    for (const listener of listeners) listener.apply(this, [...given]);
    return listeners.length > 0;
  }

  /** What has arrived goes to who listens, at once; null is the end. */
  push(chunk: unknown): boolean {
    if (chunk === null) this._readableState.ended = true;
    else this.emit('data', chunk);
    return true;
  }

  end(): this {
    this._writableState.finished = true;
    return this;
  }
}

const HEX = 16;

/** As many random bytes, which are only ever asked for as hexadecimal text. */
export function randombytes(count: number): { toString(): string } {
  const bytes = crypto.getRandomValues(new Uint8Array(count));
  const text = [...bytes].map((byte) => byte.toString(HEX).padStart(2, '0')).join('');
  return { toString: () => text };
}

/** A page's own exceptions have a `code` that cannot be set: such a one becomes the cause of one that can. */
export function errCode(error: Error, code: string): Error {
  try {
    return Object.assign(error, { code });
  } catch {
    return Object.assign(new Error(error.message, { cause: error }), { name: error.name, code });
  }
}

/** Bytes as a page has them. */
export const Buffer: { from(data: ArrayBuffer): Uint8Array } = { from: (data) => new Uint8Array(data) };
