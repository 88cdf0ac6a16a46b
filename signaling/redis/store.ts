/** Redis as the store and the bus of several signaling processes: its one importer. */
import { createClient } from 'redis';
import { RaftError } from '../../src/core/errors.ts';
import { BEAT, COMMIT, LOAD, REMEMBER } from './scripts.ts';

/** What a room is in the store. */
export interface Loaded {
  /** '' for none. */
  readonly state: string;
  /** The name of the commit that wrote it. */
  readonly version: string;
  readonly clusterId: string | null;
  /** Of Redis: ms since the epoch. */
  readonly nowMs: number;
  readonly rooms: number;
  readonly clusters: number;
}

export interface Commit {
  readonly name: string;
  readonly version: string;
  readonly nextVersion: string;
  readonly state: string;
  readonly messages: readonly (readonly [processName: string, message: string])[];
}

export interface StoreHandlers {
  onMessage(text: string): void;
  onFrame(frame: Uint8Array): void;
  /** There is a connection, and there was none: what was sent meanwhile is lost, and what was stored may be. */
  onReady(): void;
  onTrouble(error: unknown): void;
}

/** Between two tries to reach Redis, at the most: ms. */
const RECONNECT_MS_MAX = 1_000;
/** A Redis that does not take a connection is tried again after: ms. */
const CONNECT_TIMEOUT_MS = 3_000;
/** Commands that may wait for Redis; further ones fail, and are tried again by whoever asked. */
const COMMANDS_MAX = 10_000;
/** Of an idle connection, so that one that is dead is noticed: ms. */
const PING_EVERY_MS = 5_000;

type Client = ReturnType<typeof clientOf>;

function clientOf(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: COMMANDS_MAX,
    pingInterval: PING_EVERY_MS,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: (tries) => Math.min(RECONNECT_MS_MAX, 50 * (tries + 1)) },
  });
}

export class RedisStore {
  readonly process: string;
  readonly #prefix: string;
  readonly #client: Client;
  readonly #bus: Client;
  readonly #handlers: StoreHandlers;
  #closed = false;
  #trouble: string | undefined = 'Redis has not been reached yet';
  readonly #waiting = new Set<() => void>();

  constructor(url: string, prefix: string, processName: string, handlers: StoreHandlers) {
    this.process = processName;
    this.#prefix = prefix;
    this.#handlers = handlers;
    this.#client = clientOf(url);
    this.#bus = clientOf(url);
    for (const client of [this.#client, this.#bus]) {
      client.on('error', (error: unknown) => this.#lost(error));
      client.on('ready', () => this.#look());
    }
  }

  /** Errors: storage when Redis is not there at all. It goes on by itself when it goes away later. */
  async open(): Promise<void> {
    try {
      const first = (client: Client): Promise<unknown> =>
        new Promise((resolve, reject) => {
          client.once('error', reject);
          client.connect().then(resolve, reject);
        });
      await Promise.all([first(this.#client), first(this.#bus)]);
      await this.#bus.subscribe(this.#channel(this.process), (text) => this.#handlers.onMessage(text));
      const onFrame = (frame: Buffer): void => this.#handlers.onFrame(frame);
      await this.#bus.subscribe(this.#frames(this.process), onFrame, true);
    } catch (cause) {
      this.#destroy();
      throw new RaftError('storage', `Redis cannot be reached: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when there is a connection, or none is wanted any more. */
  async ready(): Promise<void> {
    if (this.#client.isReady && this.#bus.isReady) return;
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async load(name: string): Promise<Loaded> {
    const keys = [this.#room(name), this.#key('clusters'), this.#key('rooms')];
    const answer = (await this.#client.eval(LOAD, { keys, arguments: [name] })) as (string | number | null)[];
    const [state, version, clusterId, nowMs, rooms, clusters] = answer;
    return {
      state: String(state ?? ''),
      version: String(version ?? ''),
      clusterId: clusterId === null || clusterId === undefined ? null : String(clusterId),
      nowMs: Number(nowMs),
      rooms: Number(rooms),
      clusters: Number(clusters),
    };
  }

  /** False when another was faster. */
  async commit({ name, version, nextVersion, state, messages }: Commit): Promise<boolean> {
    const bus = messages.flatMap(([to, message]) => [this.#channel(to), message]);
    const keys = [this.#room(name), this.#key('rooms'), this.#served(this.process)];
    const given = [name, version, nextVersion, state, ...bus];
    return (await this.#client.eval(COMMIT, { keys, arguments: given })) === 1;
  }

  async send(messages: Commit['messages']): Promise<void> {
    await Promise.all(messages.map(([to, message]) => this.#client.publish(this.#channel(to), message)));
  }

  /** False when there is no connection: the frame is lost. */
  sendFrame(to: string, frame: Uint8Array): boolean {
    if (!this.#client.isReady) return false;
    this.#client.publish(this.#frames(to), Buffer.from(frame)).catch(() => {});
    return true;
  }

  async remember(room: string, clusterId: string): Promise<string> {
    const keys = [this.#key('clusters')];
    return String(await this.#client.eval(REMEMBER, { keys, arguments: [room, clusterId] }));
  }

  async forget(room: string): Promise<boolean> {
    return (await this.#client.hDel(this.#key('clusters'), room)) === 1;
  }

  /** Says that this process lives. Whether that was known, and which others are dead. */
  async beat(deadMs: number): Promise<{ readonly known: boolean; readonly dead: readonly string[] }> {
    const given = { keys: [this.#key('processes')], arguments: [this.process, String(deadMs)] };
    const [known, ...dead] = (await this.#client.eval(BEAT, given)) as string[];
    return { known: known === '1', dead };
  }

  /** True for the one that clears up after a dead process; for as long as `holdMs`. */
  async claim(dead: string, holdMs: number): Promise<boolean> {
    const options = { condition: 'NX', expiration: { type: 'PX', value: holdMs } } as const;
    return (await this.#client.set(this.#key(`clearing:${dead}`), this.process, options)) === 'OK';
  }

  servedBy(processName: string): Promise<string[]> {
    return this.#client.sMembers(this.#served(processName));
  }

  async noLongerServes(name: string): Promise<void> {
    await this.#client.sRem(this.#served(this.process), name);
  }

  async cleared(processName: string): Promise<void> {
    await this.#client.del(this.#served(processName));
    await this.#client.zRem(this.#key('processes'), processName);
  }

  close(): void {
    this.#closed = true;
    this.#destroy();
    this.#wakeAll();
  }

  #destroy(): void {
    for (const client of [this.#client, this.#bus]) if (client.isOpen) client.destroy();
  }

  #lost(error: unknown): void {
    if (this.#closed) return;
    if (this.#trouble === undefined) this.#handlers.onTrouble(error);
    this.#trouble = 'Redis cannot be reached';
  }

  #look(): void {
    if (this.#closed || !this.#client.isReady || !this.#bus.isReady) return;
    this.#trouble = undefined;
    this.#wakeAll();
    this.#handlers.onReady();
  }

  #wakeAll(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #key(what: string): string {
    return `${this.#prefix}:${what}`;
  }
  #room(name: string): string {
    return this.#key(`room:${name}`);
  }
  #channel(processName: string): string {
    return this.#key(`to:${processName}`);
  }
  #frames(processName: string): string {
    return this.#key(`frames:${processName}`);
  }
  #served(processName: string): string {
    return this.#key(`served:${processName}`);
  }
}
