/** A Y.Doc kept the same as a shared text in a cluster: edits go into the log, what the log has goes into the document. */
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector, mergeUpdates } from 'yjs';
import { RaftError } from '../core/errors.ts';
import type { TextState } from './text-machine.ts';
import { UPDATE_BYTES_MAX } from './text-machine.ts';

/** A write that failed for now is tried again after this long, in ms. */
const RETRY_MS = 500;
/** Updates after which whoever made the last one folds them into one. */
export const FOLD_EVERY = 256;
/** Marks what came from the log. Edits that wait go out together; there is never more than one write on its way. */
const ORIGIN = Symbol('tabraft');

/** What is needed of a node. */
interface TextNode<S> {
  readonly id: string;
  peek<R>(select: (state: Readonly<S>) => R): R;
  subscribe<R>(select: (state: Readonly<S>) => R, listener: (value: R) => void): () => void;
  propose(command: never, options?: never): Promise<unknown>;
}

export interface ShareOptions<S> {
  /** Where the text is in the node's state. */
  readonly select: (state: Readonly<S>) => Readonly<TextState>;
  /** Its name as a part of a composed machine; '' (default) when it is the whole. */
  readonly part?: string;
  /** Told when edits could not be put into the log for good: they stay in this document only. Default: the console. */
  readonly onError?: (error: unknown) => void;
}

export interface SharedDoc {
  /** Whether edits of this document are not in the log yet. */
  readonly pending: boolean;
  /** Resolves when they are; rejects when they cannot be. */
  saved(): Promise<void>;
  /** Ends it; the document stays as it is. */
  stop(): void;
}

/** Ties a document to a shared text. What the document has that the log has not is put into it. */
export function shareDoc<S>(node: TextNode<S>, doc: Doc, options: ShareOptions<S>): SharedDoc {
  const link = new DocLink(node, doc, options);
  link.start();
  return link;
}

class DocLink<S> implements SharedDoc {
  readonly #node: TextNode<S>;
  readonly #doc: Doc;
  readonly #options: ShareOptions<S>;
  readonly #prefix: string;
  /** Updates of the log that are in the document. */
  #seen = 0;
  #waiting: Uint8Array[] = [];
  #sending: Promise<void> | undefined;
  #failure: unknown;
  #end: (() => void) | undefined;
  #isStopped = false;

  constructor(node: TextNode<S>, doc: Doc, options: ShareOptions<S>) {
    this.#node = node;
    this.#doc = doc;
    this.#options = options;
    this.#prefix = options.part === undefined || options.part === '' ? '' : `${options.part}.`;
  }

  get pending(): boolean {
    return this.#waiting.length > 0 || this.#sending !== undefined;
  }

  start(): void {
    const logged = new Doc();
    for (const update of this.#state().updates) this.#try(() => applyUpdate(logged, update));
    const missing = encodeStateAsUpdate(this.#doc, encodeStateVector(logged));
    logged.destroy();
    this.#take();
    this.#doc.on('update', this.#onEdit);
    this.#end = this.#node.subscribe((state) => this.#select(state).base + this.#select(state).updates.length, this.#take);
    // An update of nothing is two bytes.
    if (missing.length > 2) this.#send(missing);
  }

  async saved(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  stop(): void {
    this.#isStopped = true;
    this.#doc.off('update', this.#onEdit);
    this.#end?.();
  }

  #select(state: Readonly<S>): Readonly<TextState> {
    return this.#options.select(state);
  }

  #state(): Readonly<TextState> {
    return this.#node.peek((state) => this.#select(state));
  }

  /** What the log has and the document has not. Twice the same does no harm. */
  readonly #take = (): void => {
    const { base, updates } = this.#state();
    const from = Math.max(0, this.#seen - base);
    const news = this.#seen < base ? updates : updates.slice(from);
    this.#seen = base + updates.length;
    if (news.length === 0) return;
    this.#doc.transact(() => {
      for (const update of news) this.#try(() => applyUpdate(this.#doc, update, ORIGIN));
    }, ORIGIN);
  };

  readonly #onEdit = (update: Uint8Array, origin: unknown): void => {
    if (origin !== ORIGIN) this.#send(update);
  };

  #send(update: Uint8Array): void {
    this.#waiting.push(update);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    // The edits of one turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#isStopped) {
      const batch = takeUpTo(this.#waiting, UPDATE_BYTES_MAX);
      const id = `${this.#node.id.slice(0, 24)}-text-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
      try {
        const count = await this.#propose({ update: batch.length === 1 ? batch[0] : mergeUpdates(batch) }, id);
        this.#failure = undefined;
        if (typeof count === 'number' && count % FOLD_EVERY === 0) void this.#fold();
      } catch (error) {
        this.#waiting.unshift(...batch);
        this.#failure = error;
        this.#report(error);
        return;
      }
    }
  }

  /** The same write under the same id until it has an answer: it is applied once. Errors: those that will not go away. */
  async #propose(input: object, id: string): Promise<unknown> {
    for (;;) {
      try {
        return await this.#node.propose({ ...input, type: `${this.#prefix}update` } as never, { id } as never);
      } catch (error) {
        if (!RaftError.is(error) || this.#isStopped || !(error.retryable || error.code === 'timeout')) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #fold(): Promise<void> {
    const { base, updates } = this.#state();
    if (updates.length < 2) return;
    const type = `${this.#prefix}fold`;
    await this.#node
      .propose({ type, base, count: updates.length, update: mergeUpdates([...updates]) } as never)
      // Whoever makes the next one does it.
      .catch(() => undefined);
  }

  /** What somebody put into the log that is no update harms nobody else's edits. */
  #try(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (this.#options.onError === undefined) console.warn('tabraft: shared text:', error);
    else this.#options.onError(error);
  }
}

/** At least one, and as many more as fit into one write; they leave the list. */
function takeUpTo(waiting: Uint8Array[], bytesMax: number): Uint8Array[] {
  let bytes = 0;
  let count = 0;
  for (const update of waiting) {
    if (count > 0 && bytes + update.length > bytesMax) break;
    bytes += update.length;
    count += 1;
  }
  return waiting.splice(0, count);
}
