/** The virtual room: who is there, who may found its cluster, and a server that can be down. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { RoomEntry, Signaling, SignalingHandlers } from '../../signaling/signaling.ts';
import type { VirtualProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** How long the server takes to tell everybody, in ms. */
const TELL_MS = 5;

export class VirtualRoom {
  readonly #scheduler: Scheduler;
  readonly #inside = new Map<NodeId, VirtualSignaling>();
  /**
   * Whether a node that is gone may hold a cluster that it could not tell of: then its grant waits for it, as with a server
   * whose grant has not run out. What becomes of a founder that comes later than that is looked at in test/runtime/founding.
   */
  readonly #mayHaveFounded: (id: NodeId) => boolean;
  #cluster: string | undefined;
  #granted: NodeId | undefined;

  constructor(scheduler: Scheduler, mayHaveFounded: (id: NodeId) => boolean) {
    this.#scheduler = scheduler;
    this.#mayHaveFounded = mayHaveFounded;
  }

  signaling(process: VirtualProcess): VirtualSignaling {
    return new VirtualSignaling(this, process);
  }

  get clusterId(): string | undefined {
    return this.#cluster;
  }

  // ---- for the clients

  enter(client: VirtualSignaling, entry: RoomEntry): void {
    const { process } = this.#inside.get(entry.nodeId) ?? client;
    // Whoever is there is asked whether it is alive: if it answers, nobody else comes in under its name.
    if (process !== client.process && process.alive && !process.frozen) {
      const refusal = new RaftError('identity-in-use', `${entry.nodeId} is in this room from another place, and alive`);
      return this.#tell(client, (handlers) => handlers.onState('closed', refusal));
    }
    this.#inside.set(entry.nodeId, client);
    if (this.#granted === entry.nodeId) this.#granted = undefined;
    if (entry.clusterId !== undefined) this.#cluster ??= entry.clusterId;
    this.#tell(client, (handlers) => handlers.onState('open', undefined));
    for (const other of this.#inside.values()) {
      this.#tell(other, (handlers) => handlers.onPeers([...this.#inside.keys()].filter((id) => id !== other.self)));
    }
    if (this.#cluster !== undefined) this.#tell(client, (handlers) => handlers.onCluster(this.#cluster ?? ''));
    else this.#grant();
  }

  #grant(): void {
    const granted = this.#granted;
    if (granted !== undefined && (this.#inside.has(granted) || this.#mayHaveFounded(granted))) return;
    for (const [id, client] of this.#inside) {
      if (!client.mayFound) continue;
      this.#granted = id;
      this.#tell(client, (handlers) => handlers.onGrant());
      return;
    }
  }

  founded(clusterId: string): void {
    if (this.#cluster !== undefined) return;
    this.#cluster = clusterId;
    for (const client of this.#inside.values()) this.#tell(client, (handlers) => handlers.onCluster(clusterId));
  }

  leave(client: VirtualSignaling): void {
    if (this.#inside.get(client.self) !== client) return;
    this.#inside.delete(client.self);
    for (const other of this.#inside.values()) {
      this.#tell(other, (handlers) => handlers.onPeers([...this.#inside.keys()].filter((id) => id !== other.self)));
    }
    if (this.#cluster === undefined) this.#grant();
  }

  #tell(client: VirtualSignaling, tell: (handlers: SignalingHandlers) => void): void {
    client.process.later(TELL_MS, () => client.told(tell));
    this.#scheduler.stir();
  }
}

export class VirtualSignaling implements Signaling {
  readonly process: VirtualProcess;
  self: NodeId = '';
  mayFound = false;
  readonly #room: VirtualRoom;
  #handlers: SignalingHandlers | undefined;

  constructor(room: VirtualRoom, process: VirtualProcess) {
    this.#room = room;
    this.process = process;
  }

  async enter(entry: RoomEntry, handlers: SignalingHandlers): Promise<void> {
    this.self = entry.nodeId;
    this.mayFound = entry.mayFound;
    this.#handlers = handlers;
    this.#room.enter(this, entry);
  }

  /** Virtual links need no offers. */
  signal(_to: NodeId, _data: unknown): boolean {
    return true;
  }

  founded(clusterId: string): void {
    this.#room.founded(clusterId);
  }

  async close(): Promise<void> {
    this.vanish();
  }

  vanish(): void {
    this.#handlers = undefined;
    this.#room.leave(this);
  }

  told(tell: (handlers: SignalingHandlers) => void): void {
    if (this.#handlers !== undefined) tell(this.#handlers);
  }
}
