/** `node.outbox`: the public face of client/outbox. */
import { RaftError } from '../../core/errors.ts';
import type { Command, Handlers, ResultOf } from '../../state/types.ts';
import { LISTEN_OPTION_NAMES, OUTBOX_OPTION_NAMES } from '../api/names.ts';
import type { Outbox, OutboxEntry, OutboxOptions, OutboxWrite } from '../api/outbox.ts';
import type { Registration } from '../api/registration.ts';
import { OUTBOX_EXPIRES_MS } from '../client/outbox.ts';
import { requireFunction, requireKnown, requireText } from '../ports/require-known.ts';
import { checkProposeOptions, refuseInHandler, withId } from './call-checks.ts';
import type { NodeParts } from './node-parts.ts';
import type { WriteDesk } from './write-desk.ts';

export class NodeOutbox<S, C extends Handlers<S>> implements Outbox<S, C> {
  readonly #parts: NodeParts;
  readonly #desk: WriteDesk;

  constructor(parts: NodeParts, desk: WriteDesk) {
    this.#parts = parts;
    this.#desk = desk;
  }

  add<const T extends Command<C>>(command: T, options: OutboxOptions = {}): OutboxWrite<ResultOf<C, T>> {
    requireKnown('outbox', options, OUTBOX_OPTION_NAMES);
    const { id = randomId(), expiresMs = OUTBOX_EXPIRES_MS, ifVersion } = options;
    checkProposeOptions({ id, expiresMs, ...(ifVersion === undefined ? {} : { ifVersion }) }, id);
    if (id === '') throw new RaftError('invalid-argument', 'id must be a text that is not empty.');
    const bytes = this.#desk.encode(command);
    this.#parts.view.assertRunning();
    refuseInHandler();
    const kept = this.#parts.application.outbox.add(bytes, id, expiresMs, ifVersion);
    const stored = kept.whenStored();
    const done = this.watch(id) as Promise<ResultOf<C, T>>;
    // Whoever does not wait for them must not be punished for it.
    stored.catch(() => {});
    done.catch(() => {});
    return { id, stored, done, cancel: () => this.cancel(id) };
  }

  pending(): readonly OutboxEntry[] {
    return this.#parts.application.outbox.pending();
  }

  subscribe(listener: (pending: readonly OutboxEntry[]) => void, options: { readonly signal?: AbortSignal } = {}): Registration {
    requireFunction('listener', listener);
    requireKnown('subscribe', options, LISTEN_OPTION_NAMES);
    this.#parts.view.assertRunning();
    return this.#parts.application.outbox.listen(listener, options.signal);
  }

  watch(id: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      requireText('id', id);
      const known = this.#parts.application.outbox.watch(id, (result) => {
        if (result.kind === 'failed') return reject(withId(result.error, id));
        try {
          resolve(this.#desk.answer(result.outcome, result.index));
        } catch (error) {
          reject(RaftError.is(error) ? withId(error, id) : error);
        }
      });
      if (known) return;
      this.#parts.view.assertRunning();
      reject(new RaftError('outcome-unknown', 'No write with this id is known here: it may have ended before.', { id }));
    });
  }

  cancel(id: string): Promise<boolean> {
    return new Promise((resolve) => {
      requireText('id', id);
      this.#parts.application.outbox.cancel(id, resolve);
    });
  }
}

/** Not randomUUID, which exists only in secure contexts. */
function randomId(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
