/** The page's side: a medium whose files a worker holds. Every call settles, also when the worker dies. */
import { RaftError } from '../../core/errors.ts';
import type { Durability, Key, Medium, Operation, StoredRecord, Table } from '../packed/medium.ts';
import type { IdentityKey } from '../storage.ts';
import { type AnswerOf, type MediumMethod, type MediumQuestion, type OpenQuestion, readAnswer } from './medium-messages.ts';

/** The part of a Worker that is used. */
export interface FileWorker {
  postMessage(message: unknown): void;
  addEventListener(type: 'message' | 'error' | 'messageerror', listener: (event: Event) => void): void;
  terminate(): void;
}

/** How long a worker may take to load and open the files: a script that never loads must not hang a page. */
export const WORKER_OPEN_WAIT_MS = 15_000;

export interface RemoteMediumInit {
  readonly worker: FileWorker;
  readonly open: Omit<OpenQuestion, 'id' | 'ask'>;
  readonly identityKey: IdentityKey | undefined;
  /** The worker died under the medium. */
  readonly onLost: (error: RaftError) => void;
  /** Called when the files have been deleted. */
  readonly onDestroyed: () => Promise<void>;
  /** Called once the files are let go of. */
  readonly onClosed: () => void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: RaftError): void;
}

export class RemoteMedium implements Medium {
  readonly identityKey: IdentityKey | undefined;
  readonly #worker: FileWorker;
  readonly #init: RemoteMediumInit;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #lost: RaftError | undefined = undefined;
  #closed = false;

  private constructor(init: RemoteMediumInit) {
    this.#init = init;
    this.#worker = init.worker;
    this.identityKey = init.identityKey;
    this.#worker.addEventListener('message', (event) => this.#hear(event));
    this.#worker.addEventListener('error', () => this.lose('could not be loaded, or failed'));
    this.#worker.addEventListener('messageerror', () => this.lose('sent what cannot be read'));
  }

  /** Errors: storage-unavailable (the worker cannot be loaded), and those of the files. */
  static async open(init: RemoteMediumInit): Promise<RemoteMedium> {
    const medium = new RemoteMedium(init);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<never>((_, reject) => {
      const error = new RaftError('storage-unavailable', `The storage worker did not answer within ${WORKER_OPEN_WAIT_MS} ms.`);
      timer = setTimeout(() => reject(error), WORKER_OPEN_WAIT_MS);
    });
    try {
      await Promise.race([medium.#post({ ...init.open, ask: 'open' }), deadline]);
      return medium;
    } catch (error) {
      medium.#end();
      if (error === medium.#lost) throw new RaftError('storage-unavailable', `There is no storage worker: it ${medium.#why}.`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #why = '';

  /** Whoever sees that the worker is dead calls it; `why` finishes the sentence that begins with the worker. */
  lose(why: string): void {
    if (this.#lost !== undefined || this.#closed) return;
    this.#why = why;
    this.#lost = new RaftError('storage-closed', `The worker that held the files of this node ${why}.`);
    for (const { reject } of this.#waiting.values()) reject(this.#lost);
    this.#waiting.clear();
    this.#init.onLost(this.#lost);
  }

  #hear(event: Event): void {
    const answer = readAnswer((event as MessageEvent<unknown>).data);
    const waiting = answer && this.#waiting.get(answer.id);
    if (answer === undefined || waiting === undefined) return;
    this.#waiting.delete(answer.id);
    if ('code' in answer) waiting.reject(new RaftError(answer.code, answer.message));
    else waiting.resolve(answer.value);
  }

  #post(question: Omit<OpenQuestion, 'id'> | Omit<MediumQuestion, 'id'>): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    if (this.#closed) return Promise.reject(new RaftError('storage-closed', 'The files of this node are closed.'));
    return new Promise((resolve, reject) => {
      const id = this.#nextId;
      this.#nextId += 1;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, id });
    });
  }

  async #ask<M extends MediumMethod>(ask: M, ...given: Parameters<Medium[M]>): Promise<AnswerOf<M>> {
    return (await this.#post({ ask, given } as Omit<MediumQuestion, 'id'>)) as AnswerOf<M>;
  }

  commit(operations: readonly Operation[], durability: Durability): Promise<void> {
    return this.#ask('commit', operations, durability);
  }
  get(table: Table, key: Key): Promise<Uint8Array | undefined> {
    return this.#ask('get', table, key);
  }
  all(table: 'meta' | 'records'): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#ask('all', table);
  }
  scan(table: 'log' | 'chunks', key: number, limit: number): Promise<readonly StoredRecord[]> {
    return this.#ask('scan', table, key, limit);
  }
  keys(table: 'log' | 'chunks', from: number, to: number, limit: number): Promise<readonly number[]> {
    return this.#ask('keys', table, from, to, limit);
  }
  estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined> {
    return this.#ask('estimate');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#ask('close').catch(() => undefined);
    this.#end();
  }

  async destroy(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#ask('destroy');
      await this.#init.onDestroyed();
    } finally {
      this.#end();
    }
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#worker.terminate();
    const gone = new RaftError('storage-closed', 'The files of this node are closed.');
    for (const { reject } of this.#waiting.values()) reject(gone);
    this.#waiting.clear();
    this.#init.onClosed();
  }
}
