/**
 * A cluster in memory, one step at a time: nothing moves unless the test says so. Nodes are named as in the test; messages
 * wait in `network` until they are delivered; writes happen at once unless they are held back.
 */

import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { type ConfigInput, makeConfig } from '../../src/core/config.ts';
import { describeEntry } from '../../src/core/describe.ts';
import { RaftError } from '../../src/core/errors.ts';
import type { ProposeOutcome } from '../../src/core/outcome.ts';
import { seededRandom } from '../../src/core/random.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { ConfChange, ConfChangeOp, ConfState, Message, NodeId, ReadState, Ready } from '../../src/core/types.ts';
import { Disk } from './disk.ts';

export interface ClusterSetup {
  readonly voters: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  readonly witnesses?: readonly NodeId[];
  /** Nodes that know the configuration and are not in it yet. */
  readonly outside?: readonly NodeId[];
  readonly config?: Partial<ConfigInput>;
  readonly seed?: number;
}

export interface Member {
  readonly id: NodeId;
  readonly disk: Disk;
  node: RawNode;
  alive: boolean;
  /** Readys whose write was begun and is not durable. */
  readonly writing: Ready[];
  holdsWrites: boolean;
  readonly reads: ReadState[];
  /** Errors that applying changes returned. */
  readonly refusedChanges: string[];
}

const STEPS_MAX = 10_000;

export class TestCluster {
  readonly members: Map<NodeId, Member> = new Map();
  network: Message[] = [];
  /** Everything that was ever handed to the network. */
  readonly sent: Message[] = [];
  readonly #setup: ClusterSetup;
  readonly #cut = new Set<string>();

  constructor(setup: ClusterSetup) {
    this.#setup = setup;
    const { voters, learners = [], witnesses = [], outside = [] } = setup;
    const conf: ConfState = {
      ...EMPTY_CONF,
      voters: [...voters].sort(),
      learners: [...learners].sort(),
      witnesses: [...witnesses].sort(),
    };
    for (const id of [...voters, ...learners]) this.add(id, new Disk(conf));
    for (const id of outside) this.add(id, new Disk(conf));
  }

  add(id: NodeId, disk: Disk): Member {
    const member: Member = {
      id,
      disk,
      node: this.#boot(id, disk),
      alive: true,
      writing: [],
      holdsWrites: false,
      reads: [],
      refusedChanges: [],
    };
    this.members.set(id, member);
    return member;
  }

  #boot(id: NodeId, disk: Disk): RawNode {
    const random = seededRandom((this.#setup.seed ?? 1) * 1000 + this.members.size);
    const config = makeConfig({ id, random, checkInvariants: true, ...this.#setup.config });
    return new RawNode(config, disk, { hardState: disk.hardState, conf: disk.conf, applied: disk.applied });
  }

  member(id: NodeId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no node ${id}`);
    return member;
  }

  node(id: NodeId): RawNode {
    return this.member(id).node;
  }

  tick(id: NodeId, count = 1): void {
    for (let i = 0; i < count; i++) this.node(id).tick();
  }

  propose(id: NodeId, ...commands: readonly string[]): ProposeOutcome {
    return this.node(id).propose(commands.map((command) => new TextEncoder().encode(command)));
  }

  change(id: NodeId, change: ConfChange): ProposeOutcome {
    return this.node(id).proposeConfChange(change);
  }

  /** Takes one Ready and does what it asks for; what waits for a held write waits. False when there was none. */
  work(id: NodeId): boolean {
    const member = this.member(id);
    if (!member.alive || !member.node.hasReady()) return false;
    const ready = member.node.ready();
    this.#send(ready.messages);
    member.reads.push(...ready.readStates);
    if (ready.mark !== undefined) member.writing.push(ready);
    this.#apply(member, ready);
    if (!member.holdsWrites) this.finishWrites(id);
    return true;
  }

  /** The writes begun so far become durable, in order; only so many of them if a number is given. */
  finishWrites(id: NodeId, count: number = Number.POSITIVE_INFINITY): void {
    const member = this.member(id);
    for (let i = 0; i < count && member.writing.length > 0; i++) {
      const ready = member.writing.shift();
      if (ready === undefined || ready.mark === undefined) continue;
      member.disk.write(ready);
      if (!member.alive) continue;
      member.node.persisted(ready.mark);
      for (const message of ready.messagesAfterPersist) if (message.to === id) member.node.step(message);
      this.#send(ready.messagesAfterPersist.filter(({ to }) => to !== id));
    }
  }

  #apply(member: Member, { committedEntries }: Ready): void {
    for (const entry of committedEntries) {
      if (entry.change !== undefined) {
        const { conf, error } = member.node.applyConfChange(entry.change);
        member.disk.conf = conf;
        if (error !== undefined) member.refusedChanges.push(error.message);
      } else if (entry.data.length > 0) {
        member.disk.commands.push(new TextDecoder().decode(entry.data));
      }
      member.disk.applied = entry.index;
      member.node.applied(entry.index);
    }
  }

  #send(messages: readonly Message[]): void {
    this.network.push(...messages);
    this.sent.push(...messages);
  }

  /** Delivers what is on its way and chosen; what goes over a cut link, or to a dead node, is lost. */
  deliver(chosen: (message: Message) => boolean = () => true): number {
    const now = this.network.filter(chosen);
    this.network = this.network.filter((message) => !now.includes(message));
    for (const message of now) this.receive(message);
    return now.length;
  }

  receive(message: Message): void {
    const to = this.members.get(message.to);
    if (to?.alive !== true || this.#cut.has(`${message.from}>${message.to}`)) return;
    try {
      to.node.step(message);
    } catch (error) {
      // As a driver does: answers of former members are no news.
      if (!RaftError.is(error, 'peer-not-found')) throw error;
    }
  }

  drop(chosen: (message: Message) => boolean): Message[] {
    const dropped = this.network.filter(chosen);
    this.network = this.network.filter((message) => !dropped.includes(message));
    return dropped;
  }

  /** Until nobody has anything to do, without time passing. */
  settle(): void {
    for (let i = 0; i < STEPS_MAX; i++) {
      let busy = false;
      for (const id of this.members.keys()) while (this.work(id)) busy = true;
      if (this.deliver() > 0) busy = true;
      if (!busy) return;
    }
    throw new Error('does not come to rest');
  }

  elect(id: NodeId): void {
    this.node(id).campaign();
    this.settle();
    if (this.node(id).status().role !== 'leader') throw new Error(`${id} was not elected`);
  }

  get leaders(): NodeId[] {
    return [...this.members.values()].filter(({ node, alive }) => alive && node.status().role === 'leader').map(({ id }) => id);
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
  }

  isolate(id: NodeId): void {
    for (const other of this.members.keys()) {
      if (other === id) continue;
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  /** A leader's page ends: it leaves its vote to one of these. What it had begun to write may still become durable. */
  leave(id: NodeId, candidates: readonly NodeId[]): readonly Message[] | undefined {
    const farewell = this.node(id).giveProxyVote(candidates);
    if (farewell === undefined) return undefined;
    this.#send(farewell.messages);
    this.close(id);
    return farewell.messages;
  }

  /** As a crash, but what the disk was given is still written when the test says so. Nothing is sent any more. */
  close(id: NodeId): void {
    this.member(id).alive = false;
    this.network = this.network.filter(({ to }) => to !== id);
  }

  /** What was not durable is gone, and so is what was on its way to it. */
  crash(id: NodeId): void {
    const member = this.member(id);
    member.alive = false;
    member.writing.length = 0;
    this.network = this.network.filter(({ to }) => to !== id);
  }

  restart(id: NodeId): void {
    const member = this.member(id);
    member.alive = true;
    member.writing.length = 0;
    member.node = this.#boot(id, member.disk);
  }

  commands(id: NodeId): readonly string[] {
    return this.member(id).disk.commands;
  }

  log(id: NodeId): string[] {
    return this.member(id).disk.kept.map((entry) => describeEntry(entry));
  }
}

const OPS: Readonly<Record<string, ConfChangeOp>> = {
  '+': 'voter',
  '~': 'learner',
  '?': 'witness',
  '-': 'remove',
  '=': 'update',
};

/** `change('+d', '-a')`; `change('leave')`; a transition as the last word. */
export function change(...words: readonly string[]): ConfChange {
  const transitions = ['auto', 'implicit', 'explicit'] as const;
  const transition = transitions.find((name) => words.includes(name)) ?? 'auto';
  const steps = words
    .filter((word) => word !== 'leave' && word !== transition)
    .map((word) => {
      const op = OPS[word[0] ?? ''];
      if (op === undefined) throw new Error(`no such step: ${word}`);
      return { op, id: word.slice(1), context: undefined };
    });
  return { transition, steps, context: undefined };
}
