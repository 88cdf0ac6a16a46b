/** The keeper beside its room in one object: whether there is one, when it has to be awake, and its connection. */
import type { ConnectionId, MemberRecord } from '../../src/signaling/room.ts';
import { AWAKE_ALONE_MS, ObjectKeeper } from './keeper.ts';
import { keeperLinks } from './keeper-links.ts';
import { LocalSocket } from './local-socket.ts';
import { ObjectDatabase } from './object-database.ts';
import type { Environment, ObjectContext, ServerSocket } from './platform.ts';
import type { RoomStore } from './room-store.ts';

/** With nobody connected an object is let go of by the platform; an alarm so often keeps it, or makes it anew: ms. */
const ALARM_EVERY_MS = 10_000;
const OWN_PREFIX = 'keeper-';

interface RoomSide {
  readonly wakeIn: (delayMs: number) => void;
  /** A connection with this id, to the room of this name. */
  readonly opened: (socket: ServerSocket, id: ConnectionId, room: string) => void;
  readonly said: (socket: ServerSocket, data: string | ArrayBuffer) => void;
  readonly ended: (socket: ServerSocket, code: number) => void;
}

export class KeeperRoom {
  readonly #context: ObjectContext;
  readonly #environment: Environment;
  readonly #store: RoomStore;
  readonly #side: RoomSide;
  #socket: LocalSocket | undefined;
  #keeper: ObjectKeeper | undefined;
  /** Once for each life of the object. */
  #found: Promise<void> | undefined;
  #others = 0;
  #messages = 0;
  /** That it is awake with nobody here is written down. */
  #isNoted = false;

  constructor(context: ObjectContext, environment: Environment, store: RoomStore, side: RoomSide) {
    this.#context = context;
    this.#environment = environment;
    this.#store = store;
    this.#side = side;
  }

  /** Its own connection to the room, while it has one. */
  get socket(): ServerSocket | undefined {
    return this.#socket;
  }

  /** Of the keeper, of this life of the object or of one before. */
  isOwn(connection: ConnectionId): boolean {
    return String(connection).startsWith(OWN_PREFIX);
  }

  /** Somebody has sent something: what wakes the object, and is billed. */
  count(): void {
    this.#messages++;
  }

  /** Who is connected has changed, or may have. */
  look(room: string, members: readonly MemberRecord[]): void {
    if (this.#environment.KEEPER === undefined) return;
    this.#others = members.filter(({ connection }) => connection !== null && !this.isOwn(connection)).length;
    if (this.#others > 0) this.#isNoted = false;
    this.#found ??= this.#find(room);
    this.#keeper?.look(this.#others);
    if (this.#others === 0 && this.#keeper?.isAwake === true) this.#note(room);
  }

  /** Awake with nobody here, it is kept; where the object was let go of meanwhile, it comes back. */
  onAlarm(): void {
    if (this.#environment.KEEPER === undefined) return;
    const noted = this.#store.awake();
    if (noted === undefined || Date.now() >= noted.untilMs) return;
    this.#side.wakeIn(ALARM_EVERY_MS);
    this.#found ??= this.#find(noted.room);
    void this.#found.then(() => {
      this.#keeper?.wake();
      this.#keeper?.look(this.#others);
    });
  }

  #note(room: string): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    this.#store.stayAwake(room, Date.now() + AWAKE_ALONE_MS);
    this.#side.wakeIn(ALARM_EVERY_MS);
  }

  async #find(room: string): Promise<void> {
    const { byKey, faults } = await keeperLinks(this.#environment);
    for (const message of faults) this.#log({ level: 'error', event: 'keeper-refused', message });
    const link = byKey.get(room);
    if (link === undefined) return;
    this.#keeper = new ObjectKeeper({
      link,
      database: new ObjectDatabase(this.#context),
      messages: () => this.#messages,
      connect: () => this.#connect(room),
      onAsleep: () => {
        this.#isNoted = false;
        this.#store.sleep();
      },
      log: (line) => this.#log(line),
    });
    this.#keeper.look(this.#others);
  }

  #connect(room: string): LocalSocket['client'] {
    const socket = new LocalSocket({
      onMessage: (own, data) => this.#side.said(own, data),
      onClose: (own, code) => {
        if (this.#socket === own) this.#socket = undefined;
        this.#side.ended(own, code);
      },
    });
    this.#socket = socket;
    this.#side.opened(socket, `${OWN_PREFIX}${crypto.randomUUID()}`, room);
    return socket.client;
  }

  #log(line: Readonly<Record<string, unknown>>): void {
    console.log(JSON.stringify(line));
  }
}
