/** A cluster of real nodes in one process: real driver, real codec, memory storage, memory links, memory signaling. */
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { type OpenNodeOptions, openNode } from '../../src/front-door/open-node.ts';
import type { RaftNode, TuningOptions } from '../../src/runtime/api/api.ts';
import { type NodeOptions, resolveAutopilot, resolveTuning } from '../../src/runtime/api/options.ts';
import type { Runtime } from '../../src/runtime/node/runtime.ts';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import { defineStateMachine } from '../../src/state/typed-machine.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage, type MemoryStorageOptions } from '../../src/storage/memory/memory-storage.ts';
import { MemoryNodeStore } from '../../src/storage/memory/memory-store.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import { apart, SIDES_APART } from './crossing/apart.ts';

export interface Bank {
  balance: number;
  log: string[];
  owners: Record<string, string>;
}

export const bank = defineStateMachine<Bank>()({
  initial: () => ({ balance: 0, log: [], owners: {} }),
  commands: {
    add: (state, { amount }: { amount: number }) => {
      state.balance += amount;
      return state.balance;
    },
    note: (state, { text }: { text: string }, context) => {
      state.log.push(text);
      return { position: state.log.length, at: context.index };
    },
    book: (state, { seat, name }: { seat: string; name: string }) => {
      const owner = state.owners[seat] ?? name;
      state.owners[seat] = owner;
      return owner === name;
    },
    refuse: (): void => {
      throw new Error('refused by the handler');
    },
  },
  queries: {
    balance: (state) => state.balance,
    owner: (state, seat: string) => state.owners[seat],
  },
});

export type BankNode = RaftNode<Bank, typeof bank.commands, NonNullable<typeof bank.queries>>;
export interface Opened {
  readonly node: BankNode;
  readonly engine: Runtime;
  readonly storage: MemoryStorage;
  readonly disk: MemoryDisk;
}

export interface ClusterNodeOptions extends Partial<OpenNodeOptions> {
  /** To come back to, or to share; each node has its own otherwise. */
  readonly disk?: MemoryDisk;
  readonly onWrite?: MemoryStorageOptions['onWrite'];
  readonly tune?: Partial<TuningOptions>;
  /** Default: the bank. */
  readonly machine?: typeof bank;
}

const FAST: Partial<TuningOptions> = { electionTimeoutMs: [150, 300], heartbeatMs: 30, callTimeoutMs: 8_000 };

/** What every test waits for may take as long as elections do on a busy machine, however short its own calls are. */
const PATIENT = { timeoutMs: 30_000 };

export class Cluster implements AsyncDisposable {
  readonly hub: MemoryHub = new MemoryHub();
  readonly signaling: MemorySignalingHub = new MemorySignalingHub();
  readonly room: string;
  readonly opened: Opened[] = [];
  /** How nodes come in, unless they say otherwise: as into an open room. */
  readonly access: Promise<Access>;

  constructor(room = 'test') {
    this.room = room;
    this.access = accessBy({ kind: 'open', room });
  }

  async open(options: ClusterNodeOptions = {}): Promise<Opened> {
    const { disk = new MemoryDisk(), onWrite, tune, machine = bank, ...rest } = options;
    const storage = new MemoryStorage({ disk, durable: true, onWrite });
    const build = SIDES_APART ? apart : undefined;
    const { node, engine } = await openNode(machine, { build, ...(await this.options(tune)), storage, ...rest });
    const opened = { node, engine, storage, disk };
    this.opened.push(opened);
    return opened;
  }

  /** Of a node of this cluster, without its storage. */
  async options(tune: Partial<TuningOptions> = {}): Promise<Omit<NodeOptions, 'storage'>> {
    return {
      room: this.room,
      access: await this.access,
      mode: 'enter',
      votersTarget: 7,
      autopilot: resolveAutopilot({ settleMs: 0, intervalMs: 0 }),
      transport: this.hub.transport(),
      signaling: this.signaling.signaling(),
      clock: nodeClock(),
      name: `node ${this.opened.length + 1}`,
      suffrage: 'voter',
      priority: 0,
      preferred: undefined,
      tuning: resolveTuning({ ...FAST, ...tune }),
    };
  }

  /** Opens so many nodes and waits until all of them vote. */
  async of(count: number, options: ClusterNodeOptions = {}): Promise<Opened[]> {
    const nodes: Opened[] = [];
    for (let i = 0; i < count; i++) nodes.push(await this.open(options));
    await this.voters(count);
    return nodes;
  }

  async voters(count: number): Promise<void> {
    for (const { node } of this.running()) {
      await node.until(
        (status) => status.leaderId !== undefined && node.config.voters.length === count && status.suffrage === 'voter',
        PATIENT,
      );
    }
  }

  running(): Opened[] {
    return this.opened.filter(({ node }) => node.role !== 'stopped');
  }

  leader(): Opened {
    const leader = this.running().find(({ node }) => node.role === 'leader');
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  followers(): Opened[] {
    return this.running().filter(({ node }) => node.role !== 'leader');
  }

  /** Waits until some running node other than `than` leads, and all running ones know it. */
  async newLeader(than?: string): Promise<Opened> {
    for (const { node } of this.running())
      await node.until((status) => status.leaderId !== undefined && status.leaderId !== than, PATIENT);
    return this.leader();
  }

  /** No goodbye, nothing flushed; the disk keeps what was durable. */
  crash(opened: Opened): void {
    opened.engine.kill();
    this.hub.crash(opened.node.id);
    void opened.engine.discovery.close();
    if (opened.engine.store instanceof MemoryNodeStore) opened.engine.store.crash();
  }

  async transferTo(opened: Opened): Promise<void> {
    if (opened.node.role !== 'leader') await opened.node.admin.transferLeadership(opened.node.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.opened.map(({ node }) => node.stop({ transfer: false }).catch(() => {})));
  }
}
