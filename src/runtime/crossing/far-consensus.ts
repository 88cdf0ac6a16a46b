/** The consensus side as the application reaches it over a line. */
import type { Entry, Index, NodeId } from '../../core/types.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { Clock } from '../ports/clock.ts';
import type { Consensus, ErrorData, Leadership, ProposalBatch } from '../ports/seam.ts';
import type { Bridge } from './bridge.ts';
import type { Mirror } from './mirror.ts';

interface FarConsensusParts {
  readonly bridge: Bridge;
  readonly mirror: Mirror;
  readonly clock: Clock;
  /** Hands over what waits: asked once per burst of calls. */
  readonly flush: () => void;
  /** So far the state is, for whoever looks now. */
  readonly applied: (index: Index) => void;
}

export class FarConsensus implements Consensus {
  readonly #parts: FarConsensusParts;
  readonly #bridge: Bridge;
  #woken = false;

  constructor(parts: FarConsensusParts) {
    this.#parts = parts;
    this.#bridge = parts.bridge;
  }

  applied(index: Index): void {
    this.#parts.applied(index);
    this.#bridge.call('applied', index);
  }

  failed(error: ErrorData): void {
    this.#bridge.call('failed', error);
  }

  /** As it was last told: who leads no longer refuses, and it is tried again. */
  leadership(): Leadership | undefined {
    return this.#parts.mirror.leadership();
  }

  propose(batch: ProposalBatch): void {
    this.#bridge.call('propose', batch);
  }

  decided(ledger: Uint8Array): void {
    this.#bridge.call('decided', ledger);
  }

  /** Whoever cannot be asked after all has the round rejected. */
  askReadRound(context: string): boolean {
    if (!this.#parts.mirror.canBeAsked) return false;
    this.#bridge.call('askReadRound', context);
    return true;
  }

  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#parts.clock.soon(() => {
      this.#woken = false;
      this.#parts.flush();
      this.#bridge.call('wake');
    });
  }

  keep(batch: WriteBatch): void {
    this.#bridge.call('keep', batch);
  }

  async store(batch: WriteBatch): Promise<void> {
    await this.#bridge.ask('store', batch);
  }

  async uncommitted(): Promise<readonly Entry[]> {
    return (await this.#bridge.ask('uncommitted')) as readonly Entry[];
  }

  async entries(from: Index, to: Index, bytesMax: number): Promise<readonly Entry[]> {
    return (await this.#bridge.ask('entries', from, to, bytesMax)) as readonly Entry[];
  }

  tellDigest(question: Uint8Array): void {
    this.#bridge.call('tellDigest', question);
  }

  async askDigest(peer: NodeId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
    return (await this.#bridge.ask('askDigest', peer, question, timeoutMs)) as Uint8Array | undefined;
  }

  async stateHolders(): Promise<readonly NodeId[]> {
    return (await this.#bridge.ask('stateHolders')) as readonly NodeId[];
  }

  resync(stateQuestion: Uint8Array): void {
    this.#bridge.call('resync', stateQuestion);
  }

  async proposeFor(client: NodeId, data: readonly Uint8Array[]): Promise<void> {
    await this.#bridge.ask('proposeFor', client, data);
  }

  sendState(peer: NodeId): void {
    this.#bridge.call('sendState', peer);
  }
}

/** What the consensus side answers over a line. `reject` is told of a round that cannot be asked. */
export function serveConsensus(
  inner: Consensus,
  reject: (context: string) => void,
): Record<string, (...given: never[]) => unknown> {
  return {
    applied: (index: Index) => inner.applied(index),
    failed: (error: ErrorData) => inner.failed(error),
    propose: (batch: ProposalBatch) => inner.propose(batch),
    decided: (ledger: Uint8Array) => inner.decided(ledger),
    askReadRound: (context: string) => {
      if (!inner.askReadRound(context)) reject(context);
    },
    wake: () => inner.wake(),
    keep: (batch: WriteBatch) => inner.keep(batch),
    store: (batch: WriteBatch) => inner.store(batch),
    uncommitted: () => inner.uncommitted(),
    entries: (...given: Parameters<Consensus['entries']>) => inner.entries(...given),
    tellDigest: (question: Uint8Array) => inner.tellDigest(question),
    askDigest: (...given: Parameters<Consensus['askDigest']>) => inner.askDigest(...given),
    stateHolders: () => inner.stateHolders(),
    resync: (question: Uint8Array) => inner.resync(question),
    proposeFor: (...given: Parameters<Consensus['proposeFor']>) => inner.proposeFor(...given),
    sendState: (peer: NodeId) => inner.sendState(peer),
  };
}
