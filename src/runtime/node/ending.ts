/** The end of a node: on purpose, by itself, or like a process that is killed. What it holds is given back once. */
import { RaftError } from '../../core/errors.ts';
import type { NodeStore } from '../../storage/storage.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Discovery } from '../duties/discovery.ts';
import { leaveStore } from '../duties/unused-cluster.ts';
import type { Application } from '../ports/seam.ts';
import type { Standing } from '../standing/standing.ts';
import type { Duties } from './duties.ts';

interface EndingParts {
  readonly standing: Standing;
  readonly store: NodeStore;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly duties: Duties;
  readonly emitter: Emitter;
  application(): Application;
  /** Nothing more is done from now on, and every call is told why. */
  halt(error: RaftError): void;
}

export class Ending {
  readonly #parts: EndingParts;
  readonly #endings: (() => void)[] = [];
  /** What it holds is given back, once: by its own end or by `stop`. */
  #released: Promise<void> | undefined;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** Once, however it ends. */
  onEnd(run: () => void): void {
    this.#endings.push(run);
  }

  /** Ends the node by itself and for good: every call is told, the others hear a goodbye, identity and links are given back. */
  end(error: RaftError): void {
    const { standing, store, duties, emitter } = this.#parts;
    if (standing.state.kind === 'ended') return;
    const { member } = standing;
    duties.handover.sayGoodbye('stop');
    this.#halt(error);
    this.#released = leaveStore(store, member, error).then(() => this.#release());
    emitter.emit('fatal', { error });
  }

  /** Ends at once, like a process that is killed: no goodbye, nothing more is written. For tests. */
  kill(): void {
    if (this.#parts.standing.state.kind !== 'ended') this.#halt(new RaftError('stopped', 'The node was killed.'));
  }

  /** Stops on purpose: says goodbye, lets what is being written finish, gives the identity back. */
  async stop(reason: Goodbye['reason']): Promise<void> {
    const { standing, duties } = this.#parts;
    if (standing.state.kind !== 'ended') {
      duties.handover.sayGoodbye(reason);
      this.#parts.application().stopping();
      this.#halt(new RaftError('stopped', 'The node was stopped.'));
      this.#released ??= this.#keepLast().then(() => this.#release());
    }
    this.#released ??= this.#release();
    await this.#released;
  }

  #halt(error: RaftError): void {
    this.#parts.halt(error);
    for (const run of this.#endings.splice(0)) run();
  }

  /** Nobody waits for it: storage is closed behind it. Never rejects. */
  async #keepLast(): Promise<void> {
    const { store, application } = this.#parts;
    const batch = await application()
      .lastRecords()
      .catch(() => undefined);
    store.write(batch ?? {}).catch(() => {});
  }

  async #release(): Promise<void> {
    const { transport, discovery, store } = this.#parts;
    // What the relay carries goes over the connection to the server: that closes last.
    const silent = transport.stop().catch(() => {});
    await silent.then(() => discovery.close()).catch(() => {});
    await store.close().catch(() => {});
  }
}
