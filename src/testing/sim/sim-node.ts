/** One simulated node over all its lives: a disk that stays, processes that come and go, the real engine in each. */
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { RaftError } from '../../core/errors.ts';
import type { TraceEvent } from '../../core/trace.ts';
import type { Entry, Message, NodeId } from '../../core/types.ts';
import type { TuningOptions, WantedSuffrage } from '../../runtime/api/api.ts';
import { Emitter } from '../../runtime/api/emitter.ts';
import type { EntryMode, NodeOptions } from '../../runtime/api/options.ts';
import { type ClusterSettings, SETTINGS_DEFAULTS } from '../../runtime/member/configuration.ts';
import { oneThread, type Runtime } from '../../runtime/node/runtime.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { NodeStore, StorageProvider } from '../../storage/storage.ts';
import type { Prng } from '../prng.ts';
import type { Ghost, GhostNode } from './ghost.ts';
import type { VirtualNetwork, VirtualTransport } from './network.ts';
import { type ClockFaults, VirtualProcess } from './process.ts';
import { ProofGate, type ProofModel } from './proof-gate.ts';
import type { Scheduler } from './scheduler.ts';
import { Promises, ShadowStore } from './shadow-store.ts';
import type { VirtualRoom, VirtualSignaling } from './signaling.ts';
import type { CrashKind, SimDisk } from './sim-disk.ts';
import { isOnPurpose, throwEverywhere } from './throwing.ts';

/** The world a node lives in. */
export interface World {
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly room: VirtualRoom;
  readonly ghost: Ghost;
  readonly random: Prng;
  readonly tuning: TuningOptions;
  readonly sessionsMax: number;
  readonly votersTarget: number;
  readonly protocol: number;
  readonly machine: (version: number) => Machine;
  /** Every callback of the application throws. */
  readonly throwing: boolean;
  /** Under every link, where the plan asks for it. */
  readonly proof: ProofModel | undefined;
  /** Its storage had failed, and it takes part again. */
  readonly onReturned: (node: SimNode) => void;
  /** What a node has stored cannot be read any more. */
  readonly onCorrupt: (node: SimNode) => void;
}

interface Life {
  readonly process: VirtualProcess;
  readonly transport: VirtualTransport;
  readonly signaling: VirtualSignaling;
  readonly engine: Runtime;
}

export class SimNode {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly suffrage: WantedSuffrage;
  readonly device: string;
  clockFaults: ClockFaults = { rate: 1, wallOffsetMs: 0, timerGrainMs: 0 };
  /** Of its build: of the state machine, and the highest of the protocol. */
  version = 1;
  /** Its storage is gone for good: it never starts again. */
  retired = false;
  /** A bit of what it stored was turned over: it may find that out, and end. */
  doubtful = false;
  readonly #world: World;
  readonly #promises = new Promises();
  #ghostNode: GhostNode | undefined;
  #life: Life | undefined;
  #lives = 0;
  #confVersion = 0;
  #suspended = false;

  constructor(id: NodeId, suffrage: WantedSuffrage, device: string, disk: SimDisk, world: World) {
    this.id = id;
    this.device = device;
    this.suffrage = suffrage;
    this.disk = disk;
    this.#world = world;
    world.ghost.disks.set(id, this.#promises.image);
  }

  get engine(): Runtime | undefined {
    return this.#life?.engine;
  }

  get process(): VirtualProcess | undefined {
    return this.#life?.process;
  }

  /** Not to be counted on. */
  get isLost(): boolean {
    return this.retired || this.doubtful;
  }

  get running(): boolean {
    return this.#life !== undefined;
  }

  get ghostNode(): GhostNode | undefined {
    return this.#ghostNode;
  }

  get isLeader(): boolean {
    return this.#life?.engine.member?.isLeader === true;
  }

  /** A cluster of its own is on its disk, or was on its way there when it died. */
  get mayHaveFounded(): boolean {
    return !this.retired && this.#promises.mayHaveFounded;
  }

  start(mode: EntryMode): void {
    if (this.#life !== undefined || this.retired) return;
    const { scheduler, network, room, random } = this.#world;
    this.#lives += 1;
    const process = new VirtualProcess(this.id, scheduler, random.fork(`clock/${this.id}/${this.#lives}`), this.clockFaults);
    const transport = network.transport(process);
    const signaling = room.signaling(process);
    let engine: Runtime | undefined;
    const inner = this.disk.open(process, { room: 'sim', onFault: (fault) => engine?.onStoreFault(fault) });
    const store = this.#witnessed(new ShadowStore(inner, this.#promises, this.#world.ghost));
    const inspect: NodeOptions['inspect'] = {
      trace: (event: TraceEvent) => {
        if (this.#ghostNode !== undefined) this.#world.ghost.traced(this.#ghostNode, event);
      },
      checkInvariants: true,
    };
    const options: NodeOptions = { ...this.optionsOf(process, transport, signaling), mode, inspect };
    const { evidence } = this.#world.ghost;
    const emitter = new Emitter((error) => {
      if (!isOnPurpose(error)) evidence.fail('I38', `${this.id}: a listener threw ${String(error)}`);
    });
    engine = oneThread(options, store, this.#world.machine(this.version), settingsOf(this.#world), emitter);
    this.#observe(engine, emitter);
    this.#suspended = false;
    if (this.#world.throwing) throwEverywhere(engine, emitter, evidence);
    const life: Life = { process, transport, signaling, engine };
    this.#life = life;
    scheduler.stir();
    // Of this life: by the time that it fails another may have begun.
    engine.start().catch((error: unknown) => this.#onStartFailed(life, error));
  }

  /** What a process of this node is opened with. */
  optionsOf(process: VirtualProcess, transport: VirtualTransport, signaling: VirtualSignaling): NodeOptions {
    const { proof: model, random } = this.#world;
    const parts = { clock: process.clock, random: random.fork(`proof/${this.id}/${this.#lives}`) };
    return {
      room: 'sim',
      mode: 'enter',
      storage: NO_STORAGE,
      transport: model === undefined ? transport : new ProofGate(transport, { ...parts, model }),
      signaling,
      clock: process.clock,
      name: this.id,
      suffrage: this.suffrage,
      device: this.device,
      priority: 0,
      preferred: undefined,
      tuning: this.#world.tuning,
    };
  }

  /** Its storage could not be opened: it is tried again. That it was closed while it was being opened is its own doing. */
  #onStartFailed(life: Life, error: unknown): void {
    const code = RaftError.is(error) ? error.code : '';
    if (this.#life !== life || life.engine.ended !== undefined) return;
    if (code !== 'storage' && code !== 'quota') return this.#onFatal(String(error), code);
    const { scheduler, ghost } = this.#world;
    ghost.evidence.mark('start-failed');
    scheduler.after(RELOAD_MS, '', () => {
      if (this.#life !== life) return;
      this.crash('process');
      this.start('enter');
    });
  }

  /** Every load begins a life of the ghost's node. */
  #witnessed(store: ShadowStore): NodeStore {
    const load = store.load.bind(store);
    store.load = async () => {
      const loaded = await load();
      const conf = loaded.snapshot?.conf ?? EMPTY_CONF;
      this.#ghostNode = this.#world.ghost.started(this.id, this.#promises.image, conf, loaded.snapshot?.index ?? 0);
      this.#confVersion = loaded.snapshot?.index ?? 0;
      return loaded;
    };
    return store;
  }

  #observe(engine: Runtime, emitter: Emitter): void {
    const { ghost } = this.#world;
    const { state, peers } = engine;
    const { version } = this;
    const { consensus } = engine;
    const hello = consensus.hello.bind(consensus);
    consensus.hello = () => ({ ...hello(), versionMax: Math.max(version, this.#world.protocol) });
    const apply = state.apply.bind(state);
    state.apply = (entry: Entry): Applied => {
      const applied = apply(entry);
      const node = this.#ghostNode;
      if (node !== undefined) {
        const outcome = describeApplied(applied);
        ghost.applied(node, entry, outcome);
        if (applied.kind === 'command') {
          const command = `${applied.session}/${applied.sequence}`;
          ghost.witness.answered(node.id, command, outcome, applied.replayed);
          if (!applied.replayed) ghost.executed(node, command, entry.index);
          if (!applied.replayed && applied.outcome.kind !== 'error') ghost.witness.changed(entry.index);
        }
      }
      return applied;
    };
    const sendRaft = peers.sendRaft.bind(peers);
    peers.sendRaft = (message: Message): boolean => {
      if (this.#ghostNode !== undefined) ghost.sent(this.#ghostNode, message);
      return sendRaft(message);
    };
    emitter.on('fault', ({ error: { code, message } }) => {
      // A node goes on when a leader contradicts what it has committed; that there is such a leader must not be.
      if (code === 'log-conflict') ghost.evidence.fail('I6', `${this.id}: ${message}`);
    });
    emitter.on('fatal', ({ error }) => this.#onFatal(`${error.code}: ${error.message}`, error.code));
  }

  #onFatal(text: string, code = ''): void {
    // What a later build has written cannot be applied: the node says so, and is loaded anew.
    if (code === 'version-mismatch' && this.version === 1) return this.#reload();
    if (code === 'corrupt' && this.doubtful && !this.retired) {
      this.retired = true;
      this.#world.ghost.evidence.mark('bit-flip-found');
      return this.#world.onCorrupt(this);
    }
    const expected = code === 'removed' || code === 'stopped' || code === 'identity-in-use';
    if (!expected) this.#world.ghost.evidence.fail('I38', `${this.id} stopped itself: ${text}`);
  }

  /** From its next start on it is of the next build. */
  upgrade(): void {
    this.version = 2;
    this.#world.ghost.builds = 2;
  }

  #reload(): void {
    const { scheduler, ghost } = this.#world;
    ghost.evidence.mark('version-mismatch');
    this.upgrade();
    scheduler.after(RELOAD_MS, '', () => {
      this.crash('process');
      this.start('enter');
    });
  }

  /** What the ghost must look at after an event of this node. */
  inspect(): void {
    const kind = this.#life?.engine.standing.state.kind;
    if (this.#suspended && kind === 'member') this.#world.onReturned(this);
    this.#suspended = kind === 'suspended';
    const member = this.#life?.engine.member;
    const node = this.#ghostNode;
    if (member === undefined || node === undefined) return;
    if (member.confVersion > this.#confVersion) {
      this.#confVersion = member.confVersion;
      this.#world.ghost.configured(node, member.confVersion, member.conf);
    }
  }

  /** The process dies without a word. */
  crash(kind: CrashKind): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#promises.lastCrash = kind;
    this.disk.crash(kind);
    life.process.die();
    life.transport.vanish();
    life.signaling.vanish();
    this.#life = undefined;
    this.#ghostNode = undefined;
    this.#world.ghost.stopped(this.id);
  }

  /** Ends on purpose, with a goodbye; the process is gone when that is done. */
  stop(onDown: () => void): void {
    const life = this.#life;
    if (life === undefined) return;
    const { scheduler } = this.#world;
    const ended = life.engine.stop('stop').then(() => {
      if (this.#life !== life) return;
      this.crash('process');
      onDown();
    });
    scheduler.watch(ended);
  }

  /** The browser throws its storage away while nobody looks; the identity is never seen again. */
  wipe(): void {
    this.crash('process');
    this.disk.wipe();
    this.retired = true;
    this.#world.ghost.wiped.add(this.id);
  }
}

export function settingsOf({ sessionsMax, tuning, votersTarget }: World): ClusterSettings {
  const { sessionTtlMs, digestEveryEntries } = tuning;
  return { ...SETTINGS_DEFAULTS, votersTarget, sessionsMax, sessionTtlMs, digestEveryEntries };
}

/** How long it takes to load a newer build, in ms. */
const RELOAD_MS = 200;

function describeApplied(applied: Applied): string {
  if (applied.kind !== 'command') return applied.kind;
  const { outcome, index } = applied;
  if (outcome.kind === 'value') return `${index}=${String(outcome.value)}`;
  return outcome.kind === 'packed' ? `${index}=${outcome.bytes.join(' ')}` : `${index}!${outcome.code}`;
}

const NO_STORAGE: StorageProvider = {
  kind: 'virtual',
  durable: true,
  acquire: () => Promise.reject(new Error('A simulated node is given its store.')),
};
