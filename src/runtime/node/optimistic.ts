/** `node.optimistic` and `node.expected`: the public face of client/expected. */
import { RaftError } from '../../core/errors.ts';
import { isHandlerAtWork } from '../../state/draft.ts';
import type { ProposeOptions } from '../api/calls.ts';
import { LISTEN_OPTION_NAMES } from '../api/names.ts';
import type { ExpectedState, ExpectedWrite, OptimisticWrite } from '../api/optimistic.ts';
import type { Registration } from '../api/registration.ts';
import type { Overlaid } from '../client/expected.ts';
import { requireFunction, requireKnown } from '../ports/require-known.ts';
import type { NodeParts } from './node-parts.ts';

export class ExpectedView<S> implements ExpectedState<S> {
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  peek<T>(select: (state: Readonly<S>) => T): T {
    requireFunction('select', select);
    if (isHandlerAtWork())
      throw new RaftError('invalid-argument', 'A handler must not look at what is expected: only at its state.');
    return select(this.#parts.application.expected.state as Readonly<S>);
  }

  subscribe<T>(
    select: (state: Readonly<S>) => T,
    listener: (value: T, meta: { readonly index: number }) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): Registration {
    requireFunction('select', select);
    requireFunction('listener', listener);
    requireKnown('subscribe', options, LISTEN_OPTION_NAMES);
    return this.#parts.application.expectations.add(
      select as (state: unknown) => unknown,
      listener as (value: unknown, meta: { readonly index: number }) => void,
      options.signal,
    );
  }

  pending(): readonly ExpectedWrite[] {
    return this.#parts.application.expected.pending;
  }
}

type Submit = (options: ProposeOptions, resolve: (result: unknown) => void, reject: (error: unknown) => void) => void;

export class OptimisticCall<R> implements OptimisticWrite<R> {
  readonly id: string;
  readonly expected: R | undefined;
  readonly done: Promise<R>;
  readonly #ended = new AbortController();

  /** Errors: busy, invalid-argument, and those that `submit` throws. */
  constructor(parts: NodeParts, command: Uint8Array, options: ProposeOptions, submit: Submit) {
    const { expected } = parts.application;
    const { signal } = options;
    const write = expected.add(command, options.id ?? '');
    this.id = write.told.id;
    this.expected = answerOf<R>(parts, write);
    const onAbort = (): void => this.cancel();
    const close = (): void => {
      signal?.removeEventListener('abort', onAbort);
      // In the same turn as the command is applied: what is expected never shows it twice, nor not at all.
      expected.remove(write);
    };
    this.done = new Promise<R>((resolve, reject) => {
      const settled = (result: unknown): void => {
        close();
        resolve(result as R);
      };
      const failed = (error: unknown): void => {
        close();
        reject(error);
        if (RaftError.is(error)) parts.emitter.emit('rollback', { id: this.id, command: write.told.command, error });
      };
      try {
        submit({ ...options, signal: this.#ended.signal }, settled, failed);
      } catch (error) {
        failed(error);
      }
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    // Told by the event: whoever does not wait for it must not be punished for it.
    this.done.catch(() => {});
  }

  cancel(): void {
    this.#ended.abort();
  }
}

/** A handler that throws here may not where it counts: nothing is expected of it. */
function answerOf<R>(parts: NodeParts, write: Overlaid): R | undefined {
  const outcome = parts.application.expected.outcomeOf(write);
  if (outcome === undefined || outcome.kind === 'error') return undefined;
  return parts.application.state.machine.answer(outcome) as R;
}
