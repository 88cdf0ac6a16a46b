/**
 * One room as this process works on it: one step after the other, each read from Redis, done by the room's own logic, and written
 * back unless another process was faster; then it is done again. A step whose writing nobody can tell about is not guessed at: its
 * connection is closed, and comes back under its resume token.
 */
import { CLOSE_CODES, type ClientHello } from '../../src/signaling/protocol.ts';
import { type ConnectionId, type Effect, emptyRoom, Room, type RoomLimits, type RoomState } from '../../src/signaling/room.ts';
import { catchUp } from './catch-up.ts';
import type { Commit, Loaded, RedisStore } from './store.ts';

/** Steps that wait, while Redis is away or slow. Of a connection that has more to say it is closed with 4429. */
export const STEPS_WAITING_MAX = 2_000;
/** Between two tries of a step that failed: ms. */
const AGAIN_MS = 50;

export type Act = (room: Room, loaded: Loaded) => readonly Effect[];

export interface Step {
  readonly act: Act;
  /** Whose message it is. */
  readonly from?: ConnectionId | undefined;
  /** False: nobody wants it any more. */
  readonly wanted?: () => boolean;
  /** Connections of this process hear what they have missed. */
  readonly catchesUp?: boolean;
}

export interface LaneParts {
  readonly name: string;
  readonly store: RedisStore;
  readonly limits: RoomLimits;
  readonly perform: (effects: readonly Effect[], from: ConnectionId | undefined) => void;
  readonly isClosed: () => boolean;
  /** After every step. */
  readonly onIdle: (lane: Lane) => void;
  readonly nextCommit: () => string;
}

class Unsure extends Error {}

export const processOf = (connection: ConnectionId): string => String(connection).split(':', 1)[0] ?? '';

export class Lane {
  readonly name: string;
  /** Connections of this process that have said hello. */
  readonly here: Map<ConnectionId, ClientHello> = new Map();
  /** As this process last saw it; undefined: nobody is there. */
  seen: RoomState | undefined;
  readonly #parts: LaneParts;
  #steps: Step[] = [];
  #working = false;

  constructor(parts: LaneParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  get isWorking(): boolean {
    return this.#working;
  }

  /** Something happens with time alone, and it is this process that has to see to it: nobody else does, or all could. */
  get isOurs(): boolean {
    const first = this.seen?.members.find(({ connection }) => connection !== null)?.connection;
    return first === undefined || first === null || processOf(first) === this.#parts.store.process;
  }

  do(step: Step): void {
    if (step.from !== undefined && this.#steps.length >= STEPS_WAITING_MAX) {
      const reason = 'too many messages';
      this.#parts.perform([{ type: 'close', connection: step.from, code: CLOSE_CODES.overload, reason }], undefined);
      return;
    }
    this.#steps.push(step);
    if (!this.#working) void this.#work();
  }

  /** Looks again at what another process has changed; once for many changes. */
  look(): void {
    if (!this.#steps.some(({ act }) => act === nothing)) this.do({ act: nothing });
  }

  tick(): void {
    const { seen } = this;
    if (this.#working || seen === undefined || !this.isOurs || !new Room(seen, this.#parts.limits).waits) return;
    this.do({ act: (room, { nowMs }) => room.tick(nowMs) });
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let step = this.#steps.shift(); step !== undefined; step = this.#steps.shift()) await this.#untilDone(step);
    this.#working = false;
    this.#parts.onIdle(this);
  }

  async #untilDone(step: Step): Promise<void> {
    while (!this.#parts.isClosed() && (step.wanted?.() ?? true)) {
      try {
        if (await this.#try(step)) return;
      } catch (error) {
        if (error instanceof Unsure) return this.#giveUp(step);
        await this.#parts.store.ready();
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async #try(step: Step): Promise<boolean> {
    const { name, store, limits } = this.#parts;
    const loaded = await store.load(name);
    const known = loaded.state === '' ? undefined : (JSON.parse(loaded.state) as RoomState);
    const room = new Room(known ?? emptyRoom(name, loaded.clusterId), limits);
    const learned = loaded.clusterId === null ? [] : room.learn(loaded.clusterId);
    const effects = [...learned, ...step.act(room, loaded)];
    const state = room.idle ? '' : JSON.stringify(room.state);
    const messages = this.#messagesFor(effects, state === loaded.state ? new Set() : processesIn(known, room.state));
    if (state !== loaded.state && !(await this.#write(loaded, state, messages))) return false;
    if (state === loaded.state && messages.length > 0) await store.send(messages);
    const before = this.seen;
    this.seen = room.idle ? undefined : room.state;
    const mine = effects.filter((effect) => effect.type !== 'remember' && processOf(effect.connection) === store.process);
    const missed = step.catchesUp === true ? catchUp(before, this.seen, (id) => processOf(id) === store.process) : [];
    this.#parts.perform([...missed, ...mine], step.from);
    for (const effect of effects) if (effect.type === 'remember') this.#remember(effect.clusterId);
    return true;
  }

  /** False when another process was faster. Errors: Unsure, and those of Redis. */
  async #write(loaded: Loaded, state: string, messages: Commit['messages']): Promise<boolean> {
    const { name, store } = this.#parts;
    const nextVersion = this.#parts.nextCommit();
    try {
      return await store.commit({ name, version: loaded.version, nextVersion, state, messages });
    } catch {
      await store.ready();
      const now = await store.load(name);
      if (now.version === nextVersion) return true;
      if (now.version === loaded.version && now.state === loaded.state) return false;
      throw new Unsure();
    }
  }

  /** For connections of other processes, and to tell those that they see an old state. */
  #messagesFor(effects: readonly Effect[], changed: ReadonlySet<string>): Commit['messages'] {
    const own = this.#parts.store.process;
    const others = new Map<string, Effect[]>([...changed].map((id) => [id, []]));
    for (const effect of effects) {
      if (effect.type === 'remember') continue;
      const id = processOf(effect.connection);
      others.set(id, [...(others.get(id) ?? []), effect]);
    }
    others.delete(own);
    return [...others].map(([id, list]) => [id, JSON.stringify({ room: this.name, changed: changed.has(id), effects: list })]);
  }

  #remember(clusterId: string): void {
    const settled = this.#parts.store.remember(this.name, clusterId);
    settled.then(
      (kept) => {
        // Another word was there first: that is the room's cluster.
        if (kept === clusterId) this.do({ act: (room, { nowMs }) => room.remembered(clusterId, true, nowMs) });
        else this.do({ act: (room) => room.learn(kept) });
      },
      () => this.do({ act: (room, { nowMs }) => room.remembered(clusterId, false, nowMs) }),
    );
  }

  #giveUp({ from }: Step): void {
    if (from === undefined) return;
    this.#parts.perform([{ type: 'close', connection: from, code: CLOSE_CODES.restart, reason: 'restart' }], undefined);
  }
}

function nothing(): readonly Effect[] {
  return [];
}

function processesIn(...states: readonly (RoomState | undefined)[]): ReadonlySet<string> {
  const connections = states.flatMap((state) => state?.members.map(({ connection }) => connection) ?? []);
  return new Set(connections.flatMap((connection) => (connection === null ? [] : [processOf(connection)])));
}
