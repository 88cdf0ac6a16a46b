/**
 * Calls over a line: those that nobody waits for, those that are answered, and chunks that are read one by one. What is called in one
 * turn goes over in one message, in its order. Every answer comes, or its call fails when the line ends.
 */
import { RaftError } from '../../core/errors.ts';
import { errorData, errorFrom } from '../ports/error-data.ts';
import type { Line } from '../ports/line.ts';
import type { ErrorData } from '../ports/seam.ts';

/** What the other end may call, by name. */
export type Handlers = Readonly<Record<string, (...given: never[]) => unknown>>;

type Given = readonly unknown[];
type Message =
  | { readonly kind: 'call'; readonly name: string; readonly given: Given }
  | { readonly kind: 'ask'; readonly ticket: number; readonly name: string; readonly given: Given }
  | { readonly kind: 'answer'; readonly ticket: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly ticket: number; readonly error: ErrorData };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: RaftError): void;
}

/** Chunks that the other end holds. */
export interface ChunksRef {
  readonly chunks: number;
}

export class Bridge {
  readonly #line: Line;
  #handlers: Handlers = {};
  #outbox: Message[] = [];
  /** Bounded by who asks: each call of an application that is bounded has at most one. */
  readonly #waiting = new Map<number, Waiting>();
  /** Being read by the other end; given up by it, or with the line. */
  readonly #streams = new Map<number, AsyncIterator<Uint8Array>>();
  #next = 1;
  #ended: RaftError | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  /** From here on the other end is heard. */
  serve(handlers: Handlers): void {
    this.#handlers = {
      ...handlers,
      'chunks:next': (ref: ChunksRef) => this.#nextChunk(ref),
      'chunks:drop': (ref: ChunksRef) => this.#dropChunks(ref),
    };
    this.#line.listen((messages) => {
      for (const message of messages as readonly Message[]) this.#hear(message);
    });
  }

  call(name: string, ...given: Given): void {
    this.#post({ kind: 'call', name, given });
  }

  /** Errors: what the other end's handler throws, and why the line has ended. */
  ask(name: string, ...given: Given): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const ticket = this.#next++;
      this.#waiting.set(ticket, { resolve, reject });
      this.#post({ kind: 'ask', ticket, name, given });
    });
  }

  /** Lends chunks to the other end, which reads them with `read`. */
  lend(chunks: AsyncIterable<Uint8Array>): ChunksRef {
    const number = this.#next++;
    this.#streams.set(number, chunks[Symbol.asyncIterator]());
    return { chunks: number };
  }

  /** Errors: those of the chunks, and why the line has ended. */
  async *read(ref: ChunksRef): AsyncIterable<Uint8Array> {
    let complete = false;
    try {
      while (!complete) {
        const chunk = (await this.ask('chunks:next', ref)) as Uint8Array | undefined;
        complete = chunk === undefined;
        if (chunk !== undefined) yield chunk;
      }
    } finally {
      if (!complete) this.call('chunks:drop', ref);
    }
  }

  /** The line is dead, or not needed any more: whoever waits is told. */
  end(error: RaftError): void {
    if (this.#ended !== undefined) return;
    this.#send();
    this.#ended = error;
    this.#line.close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#streams.clear();
  }

  #post(message: Message): void {
    if (this.#ended !== undefined) return;
    this.#outbox.push(message);
    if (this.#outbox.length === 1) void Promise.resolve().then(() => this.#send());
  }

  #send(): void {
    const messages = this.#outbox;
    if (messages.length === 0 || this.#ended !== undefined) return;
    this.#outbox = [];
    this.#line.post(messages);
  }

  #hear(message: Message): void {
    if (this.#ended !== undefined) return;
    if (message.kind === 'call') return void this.#run(message.name, message.given);
    if (message.kind === 'ask') return this.#answer(message.ticket, message.name, message.given);
    const waiting = this.#waiting.get(message.ticket);
    this.#waiting.delete(message.ticket);
    if (message.kind === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(errorFrom(message.error));
  }

  #run(name: string, given: Given): unknown {
    const handler = this.#handlers[name];
    if (handler === undefined) throw new RaftError('invariant', `Nothing is called ${name} at this end.`);
    return handler(...(given as never[]));
  }

  #answer(ticket: number, name: string, given: Given): void {
    const failed = (error: unknown): void => this.#post({ kind: 'failure', ticket, error: errorData(codedError(error)) });
    try {
      Promise.resolve(this.#run(name, given)).then((value) => this.#post({ kind: 'answer', ticket, value }), failed);
    } catch (error) {
      failed(error);
    }
  }

  async #nextChunk({ chunks }: ChunksRef): Promise<Uint8Array | undefined> {
    const stream = this.#streams.get(chunks);
    if (stream === undefined) throw new RaftError('invariant', 'These chunks are not lent any more.');
    try {
      const { value, done } = await stream.next();
      if (done !== true) return value;
    } catch (error) {
      this.#streams.delete(chunks);
      throw error;
    }
    this.#streams.delete(chunks);
    return undefined;
  }

  #dropChunks({ chunks }: ChunksRef): void {
    const stream = this.#streams.get(chunks);
    this.#streams.delete(chunks);
    void Promise.resolve(stream?.return?.()).catch(() => {});
  }
}

function codedError(error: unknown): RaftError {
  return RaftError.is(error) ? error : new RaftError('invariant', String(error), { cause: error });
}
