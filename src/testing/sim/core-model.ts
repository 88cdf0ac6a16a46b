/**
 * A few real cores with the smallest environment that can drive them: writes and messages wait until somebody chooses
 * that they happen. The ground of bounded exhaustive exploration.
 */
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { makeConfig } from '../../core/config.ts';
import { describeConf } from '../../core/describe.ts';
import { type InitialState, RawNode } from '../../core/raw-node.ts';
import type { ConfState, Entry, LogReader, Message, NodeId, Ready, SnapshotMeta } from '../../core/types.ts';
import { MemoryImage } from '../../storage/memory/memory-disk.ts';
import { Evidence } from './evidence.ts';
import { Ghost, type GhostNode } from './ghost.ts';

/**
 * `demote`: the leader makes a learner of the last voter; `alone`: it goes on without the other of two; `close`: its page
 * ends, and its vote is left to whoever can take it; `return`: the page is opened again.
 */
type NodeChoice = 'demote' | 'alone' | 'close' | 'return';

/** One thing that may happen next. */
export type Choice =
  | { readonly kind: 'campaign' | 'propose' | 'crash' | 'write' | NodeChoice; readonly node: number }
  | { readonly kind: 'deliver' | 'lose'; readonly message: number };

/** How often each of these may happen in one history. */
export interface ModelLimits {
  readonly nodes: number;
  readonly campaigns: number;
  readonly proposals: number;
  readonly crashes: number;
  readonly losses: number;
  /** The first node leads when the history begins, and everybody knows. Default: false. */
  readonly elected?: boolean;
  readonly demotions?: number;
  /** Times that a leader goes on alone. Default: 0, and the rules of the last voter are off. */
  readonly alones?: number;
  /** Pages that are closed. Default: 0, and nobody leaves its vote. */
  readonly closes?: number;
}

interface PendingWrite {
  readonly ready: Ready;
}

class ModelNode implements LogReader {
  readonly id: NodeId;
  readonly image = new MemoryImage();
  readonly ghostNode: GhostNode;
  core: RawNode;
  writes: PendingWrite[] = [];
  applied = 0;
  /** Its page is closed: what it had begun may still be written. */
  closed = false;
  /** Configurations that took effect in this life, and where: what the core remembers of them does not show. */
  confs: string[] = [];
  /** Votes heard in the present term: a part of the core's state that its status does not show. */
  votes: string[] = [];
  readonly #model: CoreModel;

  constructor(id: NodeId, conf: ConfState, model: CoreModel) {
    this.id = id;
    this.#model = model;
    this.ghostNode = model.ghost.started(id, this.image, conf, 0);
    this.core = this.#start(conf);
  }

  #start(conf: ConfState): RawNode {
    const initial: InitialState = { hardState: this.image.hardState, conf, applied: 0 };
    const config = makeConfig({
      id: this.id,
      random: () => 0,
      preVote: false,
      checkQuorum: false,
      checkInvariants: true,
      goesAlone: this.#model.goesAlone,
      proxyVotes: this.#model.proxyVotes,
      trace: (event) => this.#model.ghost.traced(this.ghostNode, event),
    });
    return new RawNode(config, this, initial);
  }

  /** Everything that was not durable is gone. */
  restart(conf: ConfState): void {
    this.writes = [];
    this.applied = 0;
    this.votes = [];
    this.confs = [];
    this.closed = false;
    const { ghostNode } = this;
    ghostNode.role = 'follower';
    ghostNode.term = this.image.hardState.term;
    ghostNode.commit = this.image.hardState.commit;
    ghostNode.conf = conf;
    ghostNode.applied = 0;
    this.core = this.#start(conf);
  }

  firstIndex(): number {
    return 1;
  }
  lastIndex(): number {
    return this.image.log.lastIndex;
  }
  term(index: number): number | 'unavailable' {
    return this.image.log.term(index) ?? 'unavailable';
  }
  entries(from: number, to: number, maxBytes: number): readonly Entry[] {
    return this.image.log.slice(from, to, maxBytes);
  }
  snapshot(): SnapshotMeta | 'unavailable' {
    return 'unavailable';
  }
}

type Left = Record<'campaigns' | 'proposals' | 'crashes' | 'losses' | 'demotions' | 'alones' | 'closes', number>;

export class CoreModel {
  readonly evidence: Evidence;
  readonly ghost: Ghost;
  readonly #nodes: readonly ModelNode[];
  readonly #conf: ConfState;
  readonly goesAlone: boolean;
  readonly proxyVotes: boolean;
  readonly #left: Left;
  #messages: Message[] = [];
  #steps = 0;
  #proposed = 0;

  constructor(limits: ModelLimits) {
    const { campaigns, proposals, crashes, losses, demotions = 0, alones = 0, closes = 0 } = limits;
    this.goesAlone = alones > 0;
    this.proxyVotes = closes > 0;
    this.evidence = new Evidence(() => ({ nowMs: this.#steps, events: this.#steps }));
    this.ghost = new Ghost(this.evidence);
    const ids = Array.from({ length: limits.nodes }, (_, i) => `n${i + 1}`);
    this.#conf = { ...EMPTY_CONF, voters: ids };
    this.#nodes = ids.map((id) => new ModelNode(id, this.#conf, this));
    this.#left = { campaigns: 1, proposals, crashes, losses, demotions, alones, closes };
    if (limits.elected === true) this.#electFirst();
    this.#left.campaigns = campaigns;
  }

  #electFirst(): void {
    this.take({ kind: 'campaign', node: 0 });
    for (;;) {
      const choice = this.choices().find(({ kind }) => kind === 'write' || kind === 'deliver');
      if (choice === undefined) return;
      this.take(choice);
    }
  }

  /** What may happen now. */
  choices(): Choice[] {
    const choices: Choice[] = [];
    this.#nodes.forEach(({ core, writes, closed }, node) => {
      const { role } = core.status();
      if (writes.length > 0) choices.push({ kind: 'write', node });
      if (closed) {
        choices.push({ kind: 'return', node });
        return;
      }
      if (role === 'leader' && this.#left.demotions > 0) choices.push({ kind: 'demote', node });
      if (role === 'leader' && this.#left.alones > 0) choices.push({ kind: 'alone', node });
      if (role === 'leader' && this.#left.closes > 0) choices.push({ kind: 'close', node });
      if (role !== 'leader' && this.#left.campaigns > 0) choices.push({ kind: 'campaign', node });
      if (role === 'leader' && this.#left.proposals > 0) choices.push({ kind: 'propose', node });
      if (this.#left.crashes > 0) choices.push({ kind: 'crash', node });
    });
    this.#messages.forEach((_, message) => {
      choices.push({ kind: 'deliver', message });
      if (this.#left.losses > 0) choices.push({ kind: 'lose', message });
    });
    return choices;
  }

  take(choice: Choice): void {
    this.#steps += 1;
    if ('message' in choice) return this.#arrive(choice.message, choice.kind === 'lose');
    const node = this.#nodes[choice.node];
    if (node === undefined) return;
    if (choice.kind === 'campaign') {
      this.#left.campaigns -= 1;
      node.votes = [];
      this.#safely(node, () => node.core.campaign());
    } else if (choice.kind === 'propose') {
      this.#left.proposals -= 1;
      this.#proposed += 1;
      this.#safely(node, () => node.core.propose([Uint8Array.of(this.#proposed)]));
    } else if (choice.kind === 'crash') {
      this.#left.crashes -= 1;
      node.restart(this.#conf);
    } else if (choice.kind === 'write') this.#completeWrite(node);
    else this.#takeLast(node, choice.kind);
    this.#pump(node);
  }

  #takeLast(node: ModelNode, kind: NodeChoice): void {
    const { core } = node;
    if (kind === 'return') return node.restart(this.#conf);
    if (kind === 'demote') {
      this.#left.demotions -= 1;
      const id = core.status().conf.voters.findLast((voter) => voter !== node.id);
      const steps = id === undefined ? [] : [{ op: 'learner' as const, id, context: undefined }];
      if (id !== undefined) this.#safely(node, () => core.proposeConfChange({ transition: 'auto', steps, context: undefined }));
    } else if (kind === 'alone') {
      this.#left.alones -= 1;
      this.#safely(node, () => core.goAlone());
    } else this.#close(node);
  }

  #close(node: ModelNode): void {
    this.#left.closes -= 1;
    const others = this.#nodes.filter((other) => other !== node && !other.closed).map(({ id }) => id);
    const farewell = node.core.giveProxyVote(others);
    node.closed = true;
    for (const message of farewell?.messages ?? []) this.#send(node, message);
  }

  #arrive(at: number, lost: boolean): void {
    const [message] = this.#messages.splice(at, 1);
    if (lost) this.#left.losses -= 1;
    const node = this.#nodes.find(({ id }) => id === message?.to);
    if (lost || message === undefined || node === undefined || node.closed) return;
    this.#hand(node, message);
    this.#pump(node);
  }

  #hand(node: ModelNode, message: Message): void {
    if (message.type === 'proxy-vote') node.votes.push(`left ${message.from} ${message.term}`);
    if (message.type === 'vote-response') node.votes.push(`${message.from} ${message.term} ${message.reject}`);
    this.#safely(node, () => node.core.step(message));
  }

  #completeWrite(node: ModelNode): void {
    const write = node.writes.shift();
    if (write === undefined) return;
    const { ready } = write;
    const { hardState, log } = node.image;
    const { lastIndex } = log;
    const batch = { hardState: ready.hardState, entries: ready.entries };
    node.image.apply(batch, undefined);
    this.ghost.written(node.id, batch, hardState, lastIndex, node.image);
    if (node.closed) return;
    const { mark } = ready;
    if (mark !== undefined) this.#safely(node, () => node.core.persisted(mark));
    for (const message of ready.messagesAfterPersist) this.#send(node, message);
  }

  #send(node: ModelNode, message: Message): void {
    if (message.to === node.id) return this.#hand(node, message);
    this.ghost.sent(node.ghostNode, message);
    this.#messages.push(message);
  }

  #pump(node: ModelNode): void {
    while (!node.closed && node.core.hasReady() && this.evidence.violations.length === 0) {
      const ready = node.core.ready();
      for (const message of ready.messages) this.#send(node, message);
      if (ready.mark !== undefined) node.writes.push({ ready });
      for (const entry of ready.committedEntries) {
        this.ghost.applied(node.ghostNode, entry, '');
        if (entry.change !== undefined) this.#configure(node, entry);
      }
      const last = ready.committedEntries.at(-1);
      if (last !== undefined) this.#safely(node, () => node.core.applied(last.index));
    }
  }

  #configure(node: ModelNode, { index, change }: Entry): void {
    if (change === undefined) return;
    this.#safely(node, () => {
      const { conf } = node.core.applyConfChange(change);
      this.ghost.configured(node.ghostNode, index, conf);
      node.confs.push(`${describeConf(conf)}@${node.core.status().lastIndex}`);
    });
  }

  #safely(node: ModelNode, run: () => unknown): void {
    try {
      run();
    } catch (error) {
      this.evidence.fail('I38', `${node.id}: ${String(error)}`);
    }
  }

  /** Equal states have equal keys. */
  key(): string {
    const nodes = this.#nodes.map(({ core, image, writes, votes, closed, confs }) => {
      const { term, vote, role, leader, commitIndex, appliedIndex, lastIndex, stableIndex, progress, settled, aloneIndex } =
        core.status();
      const { hardState } = image;
      const log = Array.from({ length: image.log.lastIndex }, (_, i) => image.log.term(i + 1)).join('.');
      const peers = progress
        .map((one) => `${one.matchIndex}/${one.nextIndex}${one.state.charAt(0)}${one.paused ? 'p' : ''}`)
        .join(' ');
      const waiting = writes.map(
        ({ ready }) =>
          `${ready.mark?.index}@${ready.mark?.logTerm}:${ready.hardState?.term ?? ''}${ready.hardState?.vote ?? ''}:${ready.hardState?.commit ?? ''}:${ready.entries.length}:${ready.messagesAfterPersist.map(keyOf).join()}`,
      );
      return [
        term,
        vote,
        role,
        leader,
        commitIndex,
        appliedIndex,
        lastIndex,
        stableIndex,
        log,
        peers,
        waiting.join(),
        [...votes].sort().join(),
        `${hardState.term}${hardState.vote}${hardState.commit}`,
        `${closed}${settled}${aloneIndex}`,
        confs.join(),
      ].join('|');
    });
    return `${nodes.join('\n')}\n${this.#messages.map(keyOf).sort().join('\n')}\n${Object.values(this.#left).join()}`;
  }
}

function keyOf(message: Message): string {
  if (message.type !== 'append-request') return JSON.stringify(message);
  return JSON.stringify({ ...message, entries: message.entries.map(({ index, term }) => [index, term]) });
}
