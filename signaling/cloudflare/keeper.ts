/**
 * The member that a deployment has in a room's object (docs/DEPLOYMENT.md). It is awake while anybody else is connected, and after that
 * until it can go on alone, or for AWAKE_ALONE_MS; then it stops, so that the object may sleep, with all it knows in SQLite. Whoever
 * comes next wakes it. Everything here may be lost at any moment: the next event begins anew, from what is stored.
 */
import { RaftError } from '../../src/core/errors.ts';
import { type KeeperNode, keeperAccess, openKeeper } from '../../src/front-door/keeper.ts';
import { type LogLine, logNode } from '../../src/front-door/log-lines.ts';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { SignalingClient, type WebSocketLike } from '../../src/signaling/client.ts';
import { SqlStorage } from '../../src/storage/sqlite/sql-storage.ts';
import type { ObjectDatabase } from './object-database.ts';

/** Longest wait, alone in the room, for what makes it able to go on alone: ms. A leader takes a silent voter for gone after a minute at most. */
export const AWAKE_ALONE_MS = 120_000;
/** How long it stays when it is the only voter: ms. A page that is loaded anew is back sooner. */
const SETTLED_MS = 5_000;
/** Between two looks at whether it may sleep: ms. */
const LOOK_EVERY_MS = 1_000;
/** A node that could not be opened, or has ended, is opened again after so long while somebody is here: ms. */
const AGAIN_MS = 30_000;

export interface KeeperHost {
  readonly link: string;
  readonly database: ObjectDatabase;
  /** What the others have sent through the object so far: what wakes it, and is billed. */
  readonly messages: () => number;
  /** A connection to the room as anybody's. */
  readonly connect: () => WebSocketLike;
  /** It sleeps: nothing runs any more. */
  readonly onAsleep: () => void;
  readonly log: (line: Readonly<Record<string, unknown>>) => void;
}

export class ObjectKeeper {
  readonly #host: KeeperHost;
  #isWanted = false;
  /** Since when nobody else has been connected; undefined while somebody is. */
  #aloneMs: number | undefined;
  /** Since when it has been the only voter, and led. */
  #settledMs: number | undefined;
  #node: KeeperNode | undefined;
  /** What is under way: opening and stopping come one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  #againMs = 0;
  #wokenMs = 0;
  #rows = 0;
  #messages = 0;

  constructor(host: KeeperHost) {
    this.#host = host;
  }

  get isAwake(): boolean {
    return this.#isWanted;
  }

  /** Who else is connected has changed, or may have. */
  look(others: number): void {
    if (others > 0) this.#aloneMs = undefined;
    else this.#aloneMs ??= Date.now();
    if (others > 0 && !this.#isWanted) this.wake();
  }

  wake(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#wokenMs = Date.now();
    this.#rows = this.#host.database.rowsWritten;
    this.#messages = this.#host.messages();
    this.#settledMs = undefined;
    this.#timer = setInterval(() => this.#onLook(), LOOK_EVERY_MS);
    this.#open();
  }

  #onLook(): void {
    const nowMs = Date.now();
    if (this.#node === undefined && this.#aloneMs === undefined && nowMs >= this.#againMs) this.#open();
    this.#settledMs = this.#node !== undefined && isAlone(this.#node) ? (this.#settledMs ?? nowMs) : undefined;
    if (this.#aloneMs === undefined) return;
    const isSettled = this.#settledMs !== undefined && nowMs - Math.max(this.#settledMs, this.#aloneMs) >= SETTLED_MS;
    if (isSettled || nowMs - this.#aloneMs >= AWAKE_ALONE_MS) this.#sleep(isSettled);
  }

  #sleep(isSettled: boolean): void {
    this.#isWanted = false;
    clearInterval(this.#timer);
    this.#turn = this.#turn.then(async () => {
      const node = this.#node;
      this.#node = undefined;
      await node?.stop({ transfer: false }).catch(() => undefined);
      if (this.#isWanted) return;
      const { database, messages, log, onAsleep } = this.#host;
      const rowsWritten = database.rowsWritten - this.#rows;
      const cost = { awakeMs: Date.now() - this.#wokenMs, rowsWritten, messages: messages() - this.#messages };
      log({ level: 'info', event: 'keeper-asleep', settled: isSettled, ...cost });
      onAsleep();
    });
  }

  #open(): void {
    this.#againMs = Date.now() + AGAIN_MS;
    this.#turn = this.#turn.then(async () => {
      if (!this.#isWanted || this.#node !== undefined) return;
      try {
        this.#node = await this.#opened();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  async #opened(): Promise<KeeperNode> {
    const { link, database, connect, log } = this.#host;
    const node = await openKeeper({
      access: await keeperAccess(link),
      storage: new SqlStorage(database),
      signaling: new SignalingClient({ url: 'ws://this.object', connect }),
      clock: nodeClock(),
      name: 'keeper',
    });
    logNode(node, (line: LogLine) => log(line));
    node.on('fatal', ({ error }) => this.#ended(node, error));
    log({ level: 'info', event: 'keeper-awake', room: node.room, node: node.id });
    return node;
  }

  /** Opened again later, while it is wanted. */
  #ended(node: KeeperNode, error: RaftError): void {
    if (this.#node !== node) return;
    this.#node = undefined;
    this.#failed(error);
  }

  #failed(error: unknown): void {
    const code = RaftError.is(error) ? error.code : 'internal';
    this.#host.log({
      level: 'error',
      event: 'keeper-failed',
      code,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Nobody has to be waited for: it decides by itself. */
function isAlone(node: KeeperNode): boolean {
  return node.role === 'leader' && node.config.voters.length === 1;
}
