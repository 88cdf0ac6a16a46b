/** The simulated cluster: nodes over one network, one room and one ghost, and what can be done to them. */
import type { NodeId } from '../../core/types.ts';
import type { WantedSuffrage } from '../../runtime/api/api.ts';
import { memberIds } from '../../runtime/member/configuration.ts';
import type { Machine } from '../../state/state-machine.ts';
import { Prng } from '../prng.ts';
import { Casualties } from './casualties.ts';
import { openCopy } from './copies.ts';
import { VirtualDisk } from './disk.ts';
import { Evidence } from './evidence.ts';
import { Ghost } from './ghost.ts';
import { Intruder } from './intruder.ts';
import { watchIsolation } from './isolation.ts';
import { VirtualNetwork } from './network.ts';
import { PackedDisk } from './packed-disk.ts';
import type { Plan, Strike, Target } from './plan.ts';
import { ProofModel } from './proof-gate.ts';
import { quorumHas } from './quorums.ts';
import { readAfterReturn } from './returns.ts';
import { Scheduler } from './scheduler.ts';
import { VirtualRoom } from './signaling.ts';
import type { SimDisk } from './sim-disk.ts';
import { SimNode, type World } from './sim-node.ts';
import { TraceHash } from './trace-hash.ts';

/** By then the cluster is founded, in ms. */
const INTRUDED_FROM_MS = 500;
/** A slow disk takes so many times as long. */
const SLOW_DISK_FACTOR = 60;

export class SimCluster {
  readonly plan: Plan;
  readonly scheduler: Scheduler = new Scheduler();
  readonly evidence: Evidence;
  readonly ghost: Ghost;
  readonly network: VirtualNetwork;
  readonly room: VirtualRoom;
  readonly hash: TraceHash = new TraceHash();
  /** Sees every disk before it is used. */
  onDisk: ((disk: SimDisk) => void) | undefined = undefined;
  readonly #nodes: SimNode[] = [];
  readonly #byId = new Map<NodeId, SimNode>();
  readonly #world: World;
  readonly #random: Prng;
  intruder: Intruder | undefined;
  readonly proof: ProofModel | undefined = undefined;
  /** Nodes that stay down after the rest has healed. */
  readonly absent: Set<NodeId> = new Set();
  calm = false;
  #healed = false;
  readonly #casualties: Casualties = new Casualties(this);

  constructor(plan: Plan, machine: (version: number) => Machine) {
    this.plan = plan;
    this.#random = new Prng(plan.seed).fork('world');
    this.evidence = new Evidence(() => this.scheduler);
    this.ghost = new Ghost(this.evidence);
    this.network = new VirtualNetwork(this.scheduler, this.#random.fork('network'));
    this.network.faults = plan.network;
    if (plan.trust === true) this.proof = new ProofModel(`secret of ${plan.seed}`, this.evidence);
    this.room = new VirtualRoom(this.scheduler, (id) => this.#byId.get(id)?.mayHaveFounded === true);
    this.#world = {
      scheduler: this.scheduler,
      network: this.network,
      room: this.room,
      ghost: this.ghost,
      random: this.#random,
      tuning: plan.tuning,
      sessionsMax: plan.sessionsMax,
      votersTarget: plan.votersTarget ?? 7,
      protocol: plan.protocol ?? 1,
      machine,
      throwing: plan.throwing === true,
      proof: this.proof,
      onReturned: (node) => readAfterReturn(this, node),
      onCorrupt: (node) => this.scheduler.at(0, '', () => this.#casualties.replace(node)),
    };
    this.network.onDeliver = (from, to, bytes, raft) => this.hash.addMessage(this.scheduler.nowMs, from, to, bytes, raft);
    this.scheduler.onStep = (owner) => this.#byId.get(owner)?.inspect();
  }

  get nodes(): readonly SimNode[] {
    return this.#nodes;
  }

  /** Nodes enter one after the other; the first founds the cluster. */
  boot(): void {
    const { voters, learners } = this.plan;
    for (let i = 0; i < voters + learners; i += 1) {
      const node = this.addNode(i < voters ? 'voter' : 'learner');
      const soonMs = i === 0 ? 0 : this.#random.span(30, 300);
      this.scheduler.at(soonMs + (this.plan.arrivals?.[i] ?? 0), '', () => node.start('enter'));
    }
    for (const strike of this.plan.strikes) this.scheduler.at(strike.atMs, '', () => this.#strike(strike));
    const { intruder, healAtMs } = this.plan;
    if (intruder === true) this.intruder = new Intruder(this, this.#random.fork('intruder'), INTRUDED_FROM_MS, healAtMs);
    this.scheduler.at(healAtMs, '', () => this.heal());
  }

  addNode(suffrage: WantedSuffrage): SimNode {
    const id = `n${this.#nodes.length + 1}`;
    const Disk = this.plan.packed === true ? PackedDisk : VirtualDisk;
    const disk: SimDisk = new Disk(id, this.scheduler, this.#random.fork(`disk/${id}`));
    disk.faults = this.plan.disk;
    this.onDisk?.(disk);
    const device = this.plan.devices?.[this.#nodes.length] ?? '';
    const node = new SimNode(id, suffrage, device, disk, this.#world);
    const { drift } = this.plan;
    node.clockFaults = { rate: 1 + this.#random.fork(`drift/${id}`).span(-drift, drift), wallOffsetMs: 0, timerGrainMs: 0 };
    this.#nodes.push(node);
    this.#byId.set(id, node);
    return node;
  }

  get leader(): SimNode | undefined {
    let leader: SimNode | undefined;
    for (const node of this.#nodes) {
      if (node.isLeader && (leader === undefined || (node.engine?.term ?? 0) > (leader.engine?.term ?? 0))) leader = node;
    }
    return leader;
  }

  /** Nodes that belong to the cluster as its leader sees it, and are not gone for good. */
  members(): readonly SimNode[] {
    const conf = this.leader?.engine?.member?.conf;
    if (conf === undefined) return [];
    return memberIds(conf).flatMap((id) => this.#byId.get(id) ?? []);
  }

  #target(target: Target): SimNode | undefined {
    if (target === 'leader') return this.leader;
    return this.#nodes[target % this.#nodes.length];
  }

  #strike(strike: Strike): void {
    if (this.#healed) return;
    const done = this.#apply(strike);
    if (done) {
      this.evidence.mark(`fault:${strike.kind}`);
      this.ghost.onNote?.('target' in strike ? (this.#target(strike.target)?.id ?? '') : '', 'fault', describeStrike(strike));
    }
    this.hash.add(`${this.scheduler.nowMs} ${strike.kind} ${done}`);
  }

  later(forMs: number, run: () => void): void {
    this.scheduler.after(forMs, '', () => {
      if (!this.#healed) run();
    });
  }

  /** False when there was nobody to strike. */
  #apply(strike: Strike): boolean {
    if (strike.kind === 'crash-all') {
      const up = this.#nodes.filter((node) => node.running);
      for (const node of up) {
        node.crash(strike.crash);
        this.later(strike.forMs + this.#random.span(0, 200), () => node.start('enter'));
      }
      return up.length > 0;
    }
    if (strike.kind === 'partition') return this.#partition(strike.left, strike.forMs);
    const aimed = this.#target(strike.target);
    const node = isUp(aimed) ? aimed : this.#nodes.find(isUp);
    return node !== undefined && this.#applyTo(node, strike);
  }

  #applyTo(node: SimNode, strike: Exclude<Strike, { kind: 'crash-all' | 'partition' }>): boolean {
    const { engine } = node;
    switch (strike.kind) {
      case 'crash':
        node.crash(strike.crash);
        this.later(strike.forMs, () => node.start('enter'));
        return true;
      case 'stop':
        node.stop(() => {
          if (this.#healed) node.start('enter');
          else this.later(strike.forMs, () => node.start('enter'));
        });
        return true;
      case 'copy':
        return openCopy(node, this.#world);
      case 'upgrade':
        if (node.version > 1) return false;
        node.upgrade();
        node.crash('process');
        this.later(strike.forMs, () => node.start('enter'));
        return true;
      case 'freeze':
        node.process?.freeze();
        this.later(strike.forMs, () => this.#thaw(node));
        return true;
      case 'isolate':
        return this.#isolate(node, strike.forMs);
      case 'one-way': {
        const other = this.#target(strike.other);
        if (other === undefined || other === node) return false;
        return strike.outward
          ? this.#block([node.id], [other.id], strike.forMs, false)
          : this.#block([other.id], [node.id], strike.forMs, false);
      }
      case 'clog': {
        const other = this.#target(strike.other);
        if (other === undefined || other === node) return false;
        this.network.clog(node.id, other.id, this.scheduler.nowMs + strike.forMs);
        return true;
      }
      case 'cut': {
        const other = this.#target(strike.other);
        if (other === undefined || other === node) return false;
        this.network.cut(node.id, other.id);
        return true;
      }
      case 'wall-clock':
        node.clockFaults.wallOffsetMs += strike.byMs;
        return true;
      case 'throttle':
        return this.#throttle(node, strike.grainMs, strike.forMs);
      case 'doze':
        return this.#throttle(node, strike.grainMs, strike.forMs) && this.#isolate(node, strike.forMs);
      case 'slow-disk':
        return this.#disk(
          node,
          { writeMs: [this.plan.disk.writeMs[0] * SLOW_DISK_FACTOR, this.plan.disk.writeMs[1] * SLOW_DISK_FACTOR] },
          strike.forMs,
        );
      case 'failing-disk':
        return this.#disk(node, { fail: 0.3, failCodes: ['quota', 'storage'] }, strike.forMs);
      case 'failing-disks':
        return this.#failBoth(node, this.#target(strike.other), strike.forMs);
      case 'wipe':
        return this.#casualties.wipe(node);
      case 'bit-flip':
        return this.#casualties.flip(node);
      case 'transfer':
        return this.leader?.engine?.member?.core.transferLeader(node.id).ok === true && this.#wake();
      case 'campaign':
        engine?.member?.core.campaign();
        engine?.consensus.wake();
        return engine?.member !== undefined;
      default:
        return this.#casualties.change(strike);
    }
  }

  /** Most of what either writes fails: the second fault meets a node that has not got over the first. */
  #failBoth(node: SimNode, other: SimNode | undefined, forMs: number): boolean {
    if (other === node || !isUp(other) || other === undefined) return false;
    const faults = { fail: 0.6, failCodes: ['quota', 'storage'] } as const;
    return this.#disk(node, faults, forMs) && this.#disk(other, faults, forMs);
  }

  #throttle(node: SimNode, grainMs: number, forMs: number): boolean {
    node.clockFaults.timerGrainMs = grainMs;
    this.later(forMs, () => {
      node.clockFaults.timerGrainMs = 0;
    });
    return true;
  }

  #wake(): boolean {
    this.leader?.engine?.consensus.wake();
    return true;
  }

  #thaw(node: SimNode): void {
    if (node.process?.frozen !== true) return;
    this.scheduler.stir();
    node.process.thaw();
  }

  #others(node: SimNode): NodeId[] {
    const others = this.#nodes.filter((other) => other !== node).map((other) => other.id);
    return [...others, ...(this.intruder?.ids ?? [])];
  }

  #partition(mask: number, forMs: number): boolean {
    const left = this.#nodes.filter((_, i) => (mask & (1 << i)) !== 0).map((node) => node.id);
    const right = this.#nodes.filter((_, i) => (mask & (1 << i)) === 0).map((node) => node.id);
    return this.#block(left, right, forMs, true);
  }

  #block(from: readonly NodeId[], to: readonly NodeId[], forMs: number, both: boolean): boolean {
    if (from.length === 0 || to.length === 0) return false;
    const arrows: [NodeId, NodeId][] = from.flatMap((a) =>
      to.flatMap((b): [NodeId, NodeId][] =>
        both
          ? [
              [a, b],
              [b, a],
            ]
          : [[a, b]],
      ),
    );
    for (const [a, b] of arrows) this.network.block(a, b);
    this.later(forMs, () => {
      for (const [a, b] of arrows) this.network.unblock(a, b);
    });
    return true;
  }

  #isolate(node: SimNode, forMs: number): boolean {
    const others = this.#others(node);
    watchIsolation(this, node, others, forMs, (afterMs, run) => this.later(afterMs, run));
    return this.#block([node.id], others, forMs, true);
  }

  #disk(node: SimNode, faults: Partial<Plan['disk']>, forMs: number): boolean {
    node.disk.faults = { ...this.plan.disk, ...faults };
    this.later(forMs, () => {
      node.disk.faults = this.plan.disk;
    });
    return true;
  }

  /** Ends every fault: links come back, disks work, who was down or frozen is back. */
  heal(): void {
    this.#healed = true;
    this.intruder?.leave();
    this.ghost.onNote?.('', 'heal', 'heal');
    this.network.faults = { ...this.network.faults, drop: 0, duplicate: 0, reorder: 0, corrupt: 0, spike: 0 };
    this.network.heal();
    const lost = this.#lostForGood();
    for (const node of this.#nodes) {
      node.disk.faults = { ...this.plan.disk, slow: 0, fail: 0 };
      node.clockFaults.timerGrainMs = 0;
      if (lost.has(node.id)) node.crash('power');
      if (node.process?.frozen === true) this.#thaw(node);
      if (!lost.has(node.id)) node.start('enter');
    }
    this.hash.add(`${this.scheduler.nowMs} heal`);
  }

  /** Voters that stay down from now on: a majority of every configuration that may be in force is left. */
  #lostForGood(): ReadonlySet<NodeId> {
    const confs = this.#nodes.flatMap((node) => node.engine?.member?.conf ?? []);
    // With nothing on its way, and nothing but what these say, no vote is given to one that is about to go.
    const alive = this.#nodes.filter((node) => !node.retired);
    const settled =
      alive.every(({ engine }) => engine?.member?.appliedIndex === engine?.member?.view.lastIndex()) &&
      confs.length === alive.length;
    const lost = new Set(this.#nodes.filter((node) => node.isLost).map((node) => node.id));
    for (const node of this.#random.fork('lost').shuffle(this.#nodes)) {
      if (this.absent.size >= this.plan.lostAtHeal || node.retired) continue;
      const without = (id: NodeId): boolean => id !== node.id && !lost.has(id);
      // A change on its way could take the vote of one that is left.
      if (this.#casualties.unsettled) break;
      if (!settled || !confs.every((conf) => quorumHas(conf, without))) continue;
      lost.add(node.id);
      this.absent.add(node.id);
    }
    return this.absent;
  }

  /** Leaders' beliefs about their followers, against the disks. */
  compareProgress(): void {
    for (const node of this.#nodes) {
      const { engine, ghostNode } = node;
      if (!node.isLeader || ghostNode === undefined || engine?.member === undefined) continue;
      const match = new Map(engine.member.core.status().progress.map((progress) => [progress.id, progress.matchIndex]));
      this.ghost.progressOf(ghostNode, match);
    }
  }
}

export function describeStrike({ atMs, kind, ...rest }: Strike): string {
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
  return `${atMs} ms: ${kind} ${parts.join(', ')}`;
}

function isUp(node: SimNode | undefined): boolean {
  return node?.running === true && node.process?.frozen !== true;
}
