/** The application side as consensus reaches it over a line. How the node stands is told before every call that it matters to. */
import type { Entry, Index, NodeId, ReadState } from '../../core/types.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { MemberRole } from '../../trust/roles.ts';
import type { ClientQuestion } from '../../wire/client-bodies.ts';
import type { Application, ErrorData } from '../ports/seam.ts';
import type { Bridge, ChunksRef } from './bridge.ts';

/** Tells how the node stands: what has changed of it in few words, or all. */
export interface Teller {
  brief(): void;
  all(): void;
  /** All, where what was told before has been seen. */
  now(): void;
  /** Entries are handed over. */
  handed(entries: readonly Entry[]): void;
}

export class FarApplication implements Application {
  readonly #bridge: Bridge;
  readonly #teller: Teller;

  constructor(bridge: Bridge, teller: Teller) {
    this.#bridge = bridge;
    this.#teller = teller;
  }

  async reset(): Promise<void> {
    await this.#bridge.ask('reset');
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#bridge.ask('restore', this.#bridge.lend(chunks));
  }

  opened(applied: Index): void {
    this.#teller.all();
    this.#bridge.call('opened', applied);
  }

  installed(applied: Index): void {
    this.#bridge.call('installed', applied);
  }

  committed(entries: readonly Entry[]): void {
    this.#teller.brief();
    this.#teller.handed(entries);
    this.#bridge.call('committed', entries.map(alone));
  }

  configured(index: Index, context: Uint8Array, roles: readonly (readonly [id: NodeId, role: MemberRole])[]): void {
    this.#bridge.call('configured', index, context, roles);
  }

  caughtUp(applied: Index): void {
    this.#teller.brief();
    this.#bridge.call('caughtUp', applied);
  }

  snapshot(): AsyncIterable<Uint8Array> {
    // Asked for now: what is applied later does not change it.
    const asked = this.#bridge.ask('snapshot') as Promise<ChunksRef>;
    asked.catch(() => {});
    return chunksOf(this.#bridge, asked);
  }

  proposed(ticket: number, error: ErrorData | undefined): void {
    this.#teller.brief();
    this.#bridge.call('proposed', ticket, error);
  }

  confirmed(read: ReadState): void {
    this.#bridge.call('confirmed', read);
  }

  leaderChanged(): void {
    this.#teller.brief();
    this.#bridge.call('leaderChanged');
  }

  halt(): void {
    this.#bridge.call('halt');
  }

  async inherit(records: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#bridge.ask('inherit', records);
  }

  /** The application flushes by itself, when it has asked or proposed something. */
  flush(): void {
    this.#teller.brief();
  }

  /** The application side has a clock of its own. */
  tick(): void {
    this.#teller.now();
  }

  stood(): void {
    this.#teller.all();
    this.#bridge.call('stood');
  }

  removed(): void {
    this.#teller.all();
    this.#bridge.call('removed');
  }

  stopping(): void {
    this.#bridge.call('stopping');
  }

  ended(): void {
    this.#teller.all();
    this.#bridge.call('ended');
  }

  async lastRecords(): Promise<WriteBatch | undefined> {
    return (await this.#bridge.ask('lastRecords')) as WriteBatch | undefined;
  }

  async decide(command: Uint8Array, role: MemberRole, timeoutMs: number): Promise<void> {
    await this.#bridge.ask('decide', command, role, timeoutMs);
  }

  async digest(peer: NodeId, question: Uint8Array): Promise<Uint8Array> {
    return (await this.#bridge.ask('digest', peer, question)) as Uint8Array;
  }

  async client(client: NodeId, question: ClientQuestion): Promise<Uint8Array> {
    return (await this.#bridge.ask('client', client, question)) as Uint8Array;
  }

  resyncFailed(): void {
    this.#bridge.call('resyncFailed');
  }
}

/** A clone of a part of a buffer takes the whole buffer along: entries share that of the message in which they came. */
function alone(entry: Entry): Entry {
  const { data } = entry;
  return data.length === data.buffer.byteLength ? entry : { ...entry, data: data.slice() };
}

async function* chunksOf(bridge: Bridge, asked: Promise<ChunksRef>): AsyncIterable<Uint8Array> {
  yield* bridge.read(await asked);
}

/** What the application side answers over a line. */
export function serveApplication(inner: Application, bridge: Bridge): Record<string, (...given: never[]) => unknown> {
  return {
    reset: () => inner.reset(),
    restore: (ref: ChunksRef) => inner.restore(bridge.read(ref)),
    opened: (applied: Index) => inner.opened(applied),
    installed: (applied: Index) => inner.installed(applied),
    committed: (entries: readonly Entry[]) => inner.committed(entries),
    configured: (...given: Parameters<Application['configured']>) => inner.configured(...given),
    caughtUp: (applied: Index) => inner.caughtUp(applied),
    snapshot: () => bridge.lend(inner.snapshot()),
    proposed: (ticket: number, error: ErrorData | undefined) => inner.proposed(ticket, error),
    confirmed: (read: ReadState) => inner.confirmed(read),
    leaderChanged: () => inner.leaderChanged(),
    halt: () => inner.halt(),
    inherit: (records: ReadonlyMap<string, Uint8Array>) => inner.inherit(records),
    stood: () => inner.stood(),
    removed: () => inner.removed(),
    stopping: () => inner.stopping(),
    ended: () => inner.ended(),
    lastRecords: () => inner.lastRecords(),
    decide: (...given: Parameters<Application['decide']>) => inner.decide(...given),
    digest: (...given: Parameters<Application['digest']>) => inner.digest(...given),
    client: (...given: Parameters<Application['client']>) => inner.client(...given),
    resyncFailed: () => inner.resyncFailed(),
  };
}
