/**
 * Storage in an SQLite database that one process holds alone, as a Durable Object holds its own. Who lives in it is known to this
 * process alone: what a process that ended has held is free.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { failedStore } from '../batch.ts';
import { favouredFirst, newIdFor, randomId, requireNodeId, requireRoom } from '../identity.ts';
import { BytesIdentityKey } from '../identity-key.ts';
import { shelfIn } from '../packed/key-shelf.ts';
import { readMeta } from '../packed/meta.ts';
import { adoptPacked } from '../packed/open-packed.ts';
import type { AcquireRequest, NodeStore, StorageProvider } from '../storage.ts';
import type { SqlDatabase } from './sql.ts';
import { createTables, SqlMedium, sqlError } from './sql-medium.ts';

/** Numbers of the nodes that are open, by their database. */
const open = new WeakMap<SqlDatabase, Set<number>>();

export class SqlStorage implements StorageProvider {
  readonly kind: string = 'sqlite';
  readonly durable: boolean = true;
  readonly #database: SqlDatabase;
  readonly #open: Set<number>;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#open = open.get(database) ?? new Set();
    open.set(database, this.#open);
  }

  async acquire(request: AcquireRequest): Promise<NodeStore> {
    requireRoom(request.room);
    if (request.preferred !== undefined) requireNodeId(request.preferred);
    this.#run(() => createTables(this.#database));
    const store = request.fresh === true ? undefined : await this.#adopt(request);
    if (store !== undefined) return store;
    const nodeId = await newIdFor(request, true);
    const made = await this.#openNode({ ...request, fresh: true }, nodeId, this.#add(request.room, nodeId));
    if (made === undefined) throw new RaftError('identity-in-use', 'A new random identity is in use already.');
    return made;
  }

  async leftKey(room: string, nodeId: NodeId): Promise<CryptoKeyPair | undefined> {
    try {
      const number = this.#nodesOf(room).get(nodeId);
      if (number === undefined || this.#open.has(number)) return undefined;
      return await new BytesIdentityKey(shelfIn(this.#mediumOf(number))).load();
    } catch {
      return undefined;
    }
  }

  async #adopt(request: AcquireRequest): Promise<NodeStore | undefined> {
    const found = this.#nodesOf(request.room);
    const free = [...found.keys()].filter((nodeId) => !this.#open.has(found.get(nodeId) ?? 0));
    const { preferred } = request;
    const recent = favouredFirst(await this.#byRecency(found, free), request);
    const order = preferred !== undefined && free.includes(preferred) ? [preferred, ...recent] : recent;
    let unreadable: unknown;
    for (const nodeId of order) {
      try {
        const store = await this.#openNode(request, nodeId, found.get(nodeId) ?? 0);
        if (store !== undefined) return store;
      } catch (error) {
        request.onUnreadable?.(nodeId);
        if (nodeId === preferred) throw error;
        unreadable ??= error;
      }
    }
    // Nothing is made anew in the place of what cannot be read, unless the caller asks for it (fresh).
    if (unreadable !== undefined) throw unreadable;
    return undefined;
  }

  /** undefined when it is held, or was never written. */
  async #openNode(request: AcquireRequest, nodeId: NodeId, number: number): Promise<NodeStore | undefined> {
    if (this.#open.has(number)) return undefined;
    this.#open.add(number);
    const medium = new SqlMedium(this.#database, number, () => this.#open.delete(number));
    try {
      return await adoptPacked({
        medium,
        room: request.room,
        nodeId,
        bootNonce: randomId(),
        durability: 'strict',
        onFault: request.onFault,
        witness: request.bootWitness,
        fresh: request.fresh === true,
        nowMs: Date.now(),
      });
    } catch (error) {
      await medium.close().catch(() => undefined);
      throw failedStore(`The store of ${nodeId} cannot be opened.`, error);
    }
  }

  /** The most recently opened first; what cannot be read comes last. */
  async #byRecency(found: ReadonlyMap<NodeId, number>, nodeIds: readonly NodeId[]): Promise<readonly NodeId[]> {
    if (nodeIds.length < 2) return nodeIds;
    const dated: { readonly nodeId: NodeId; readonly openedAtMs: number }[] = [];
    for (const nodeId of nodeIds) {
      const meta = await this.#mediumOf(found.get(nodeId) ?? 0).all('meta');
      dated.push({ nodeId, openedAtMs: openedAt(meta) });
    }
    return dated.sort((a, b) => b.openedAtMs - a.openedAtMs).map(({ nodeId }) => nodeId);
  }

  /** For a look at a node that nobody holds. */
  #mediumOf(number: number): SqlMedium {
    return new SqlMedium(this.#database, number, () => undefined);
  }

  #add(room: string, nodeId: NodeId): number {
    return this.#run(() => {
      this.#database.exec('INSERT INTO tabraft_nodes (room, node) VALUES (?, ?) ON CONFLICT DO NOTHING', room, nodeId);
      return this.#nodesOf(room).get(nodeId) ?? 0;
    });
  }

  #nodesOf(room: string): ReadonlyMap<NodeId, number> {
    return this.#run(() => {
      const rows = this.#database.exec('SELECT node, number FROM tabraft_nodes WHERE room = ? ORDER BY number', room);
      return new Map(rows.map(({ node, number }) => [String(node), Number(number)]));
    });
  }

  #run<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqlError(error);
    }
  }
}

function openedAt(meta: ReadonlyMap<string, Uint8Array>): number {
  try {
    return readMeta(meta, 'identity')?.openedAtMs ?? 0;
  } catch {
    return 0;
  }
}
