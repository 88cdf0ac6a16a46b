/**
 * One who is no part of the cluster and says whatever there is to say: as a stranger, as a newcomer that knows the cluster's
 * id, as a learner that was taken in, and as a member that was removed. Nothing it says may break a promise, or end a node.
 */
import type { NodeId } from '../../core/types.ts';
import { encodePeerMessage } from '../../wire/codec.ts';
import type { PeerMessage } from '../../wire/peer-message.ts';
import type { Prng } from '../prng.ts';
import type { Evidence } from './evidence.ts';
import type { Ghost } from './ghost.ts';
import { HostileMessages, nameOf, type Overheard } from './hostile-messages.ts';
import type { VirtualNetwork, VirtualTransport } from './network.ts';
import { VirtualProcess } from './process.ts';
import { helloWord, nonceIn, type ProofModel, proofWord } from './proof-gate.ts';
import type { Scheduler } from './scheduler.ts';
import type { VirtualRoom, VirtualSignaling } from './signaling.ts';
import type { SimNode } from './sim-node.ts';

/** What an intruder can reach, and overhear. */
export interface Intruded {
  readonly scheduler: Scheduler;
  readonly evidence: Evidence;
  readonly ghost: Ghost;
  readonly network: VirtualNetwork;
  readonly room: VirtualRoom;
  readonly nodes: readonly SimNode[];
  readonly leader: SimNode | undefined;
  /** Under the links of every node, where the plan asks for it. */
  readonly proof: ProofModel | undefined;
}

/** What it is to the cluster, in the order in which it becomes it. */
export const STANDINGS = ['stranger', 'newcomer', 'learner', 'removed'] as const;
export type IntruderStanding = (typeof STANDINGS)[number];

/** Pause between two things that it says, in ms. */
const SAYS_EVERY_MS: readonly [number, number] = [10, 90];
/** How often it asks to be taken in, or put out, until the cluster has done it, in ms. */
const ASKS_EVERY_MS = 700;
/** Under so many names it comes back when it is not heard any more; then it stays away. */
const NAMES_MAX = 40;

export class Intruder {
  standing: IntruderStanding = 'stranger';
  readonly #cluster: Intruded;
  readonly #random: Prng;
  #process: VirtualProcess | undefined;
  #transport: VirtualTransport | undefined;
  #signaling: VirtualSignaling | undefined;
  #messages: HostileMessages | undefined;
  readonly #linked = new Set<NodeId>();
  #names = 0;
  #gone = false;

  /** `untilMs`: its standings share the time until then. */
  constructor(cluster: Intruded, random: Prng, fromMs: number, untilMs: number) {
    this.#cluster = cluster;
    this.#random = random;
    const stepMs = (untilMs - fromMs) / STANDINGS.length;
    STANDINGS.forEach((standing, i) => {
      cluster.scheduler.at(fromMs + i * stepMs, '', () => this.#become(standing));
    });
  }

  /** Its names so far. */
  get ids(): readonly NodeId[] {
    return Array.from({ length: this.#names }, (_, i) => `x${i + 1}`);
  }

  /** It goes, and is not heard of again. */
  leave(): void {
    this.#gone = true;
    this.#vanish();
  }

  #become(standing: IntruderStanding): void {
    if (this.#gone) return;
    this.standing = standing;
    // Under a name that nobody has stopped listening to; once it is taken in it keeps it.
    const isProven = this.#cluster.proof !== undefined;
    if (standing !== 'removed' || isProven) this.#comeBack();
    if (!isProven && (standing === 'learner' || standing === 'removed')) this.#askUntil(standing);
    if (standing === 'stranger') this.#speakOn();
  }

  #comeBack(): void {
    this.#vanish();
    if (this.#gone) return;
    this.#names += 1;
    const { scheduler, network, room } = this.#cluster;
    const self = `x${this.#names}`;
    const clock = { rate: 1, wallOffsetMs: 0, timerGrainMs: 0 };
    const process = new VirtualProcess(self, scheduler, this.#random.fork(`clock/${self}`), clock);
    const transport = network.transport(process);
    const signaling = room.signaling(process);
    // The last time it comes as one that was put out, with the secret that it knew.
    if (this.standing === 'removed') this.#cluster.proof?.revoked.add(self);
    const messages = new HostileMessages(this.#random.fork(`says/${self}`), self);
    this.#process = process;
    this.#transport = transport;
    this.#signaling = signaling;
    this.#messages = messages;
    let onPeers: (peers: readonly NodeId[]) => void = () => {};
    const ignore = (): void => {};
    const handlers = {
      onMessage: (peer: NodeId, bytes: Uint8Array) => this.#answer(self, peer, bytes),
      onFault: ignore,
      onLink: (peer: NodeId, state: string) => this.#onLink(self, peer, state === 'open'),
    };
    const discovery = {
      listen: (listener: { onPeers(peers: readonly NodeId[]): void }) => {
        onPeers = (peers) => listener.onPeers(peers);
      },
      signal: () => true,
    };
    void transport.start(self, handlers, discovery);
    const entry = { room: 'sim', nodeId: self, bootNonce: `${self}-boot`, clusterId: undefined, mayFound: false };
    const told = {
      onPeers: (peers: readonly NodeId[]) => onPeers(peers),
      onSignal: ignore,
      onGrant: ignore,
      onCluster: ignore,
      onState: ignore,
    };
    void signaling.enter(entry, told);
    scheduler.stir();
  }

  #vanish(): void {
    this.#process?.die();
    this.#transport?.vanish();
    this.#signaling?.vanish();
    this.#process = undefined;
    this.#linked.clear();
  }

  #onLink(self: NodeId, peer: NodeId, open: boolean): void {
    if (this.#transport?.self !== self) return;
    if (!open) this.#linked.delete(peer);
    else if (!this.#pretend(self, peer)) this.#greet(peer);
  }

  #greet(peer: NodeId): void {
    this.#linked.add(peer);
    const clusterId = this.#cluster.room.clusterId ?? '';
    const hello = this.#messages?.hello(this.standing === 'stranger' ? `not ${clusterId}` : clusterId);
    if (hello !== undefined) this.#send(peer, hello);
  }

  /** The nonce that it names on a link. */
  #nonce(self: NodeId, peer: NodeId): string {
    return `${self}>${peer}`;
  }

  /** What it shows of itself where links are proven: nothing, a name of its own, or what others have said. True: it waits for an answer. */
  #pretend(self: NodeId, peer: NodeId): boolean {
    const { proof } = this.#cluster;
    if (proof === undefined || this.standing === 'stranger') return false;
    const replays = this.standing === 'learner' && proof.overheard.length > 0;
    const words = replays ? [0, 1].map(() => this.#random.pick(proof.overheard)) : [helloWord(this.#nonce(self, peer))];
    for (const word of words) this.#transport?.send(peer, word, 'urgent');
    return !replays;
  }

  /** With a wrong secret, with the peer's own words, or, put out, with the right one. */
  #answer(self: NodeId, peer: NodeId, bytes: Uint8Array): void {
    const { proof } = this.#cluster;
    if (proof === undefined || this.#transport?.self !== self || this.standing === 'stranger') return;
    const theirs = nonceIn(bytes);
    if (this.standing === 'learner') this.#transport.send(peer, bytes, 'urgent');
    else if (theirs !== undefined) {
      const secret = this.standing === 'removed' ? proof.secret : 'a guess';
      this.#transport.send(peer, proofWord(secret, self, peer, this.#nonce(self, peer), theirs), 'urgent');
      this.#greet(peer);
    }
  }

  #send(peer: NodeId, message: PeerMessage): void {
    const sent = this.#transport?.send(peer, encodePeerMessage(message), 'urgent');
    if (sent !== true) return;
    const { evidence } = this.#cluster;
    evidence.mark(`intruder:${this.standing}`);
    evidence.mark(`said:${nameOf(message)}`);
  }

  #speakOn(): void {
    this.#cluster.scheduler.after(this.#random.span(...SAYS_EVERY_MS), '', () => {
      if (this.#gone) return;
      this.#speak();
      this.#speakOn();
    });
  }

  #speak(): void {
    const known = this.#overheard();
    // Dropped by whoever it spoke to: it comes under another name, unless it was taken in under this one.
    if (this.#linked.size === 0) {
      const isNobody = this.#cluster.proof !== undefined || this.standing === 'stranger' || this.standing === 'newcomer';
      if (isNobody && this.#names < NAMES_MAX) this.#comeBack();
      return;
    }
    const peer = this.#random.pick([...this.#linked].sort());
    const careful = this.standing === 'learner' || this.standing === 'removed';
    const message = this.#messages?.next(peer, known, careful);
    if (message !== undefined) this.#send(peer, message);
  }

  #overheard(): Overheard {
    const { ghost, nodes, room } = this.#cluster;
    const term = Math.max(0, ...nodes.map(({ engine }) => engine?.term ?? 0));
    const ids = nodes.filter(({ retired }) => !retired).map(({ id }) => id);
    return { clusterId: room.clusterId ?? '', term, lastIndex: ghost.committed.index, ids };
  }

  /** An operator takes it in as a learner, or puts it out again. */
  #askUntil(standing: IntruderStanding): void {
    if (this.#gone || this.standing !== standing) return;
    const { leader, scheduler, evidence } = this.#cluster;
    const engine = leader?.engine;
    const id = this.#transport?.self;
    if (engine !== undefined && id !== undefined) {
      const isLearner = engine.member?.conf.learners.includes(id) === true;
      if (isLearner === (standing === 'learner')) return evidence.mark(`intruder:is ${standing}`);
      const members = engine.membership;
      const options = { timeoutMs: ASKS_EVERY_MS };
      const asked = standing === 'learner' ? members.add({ id, suffrage: 'learner' }, options) : members.remove(id, options);
      scheduler.watch(asked).then(
        () => {},
        () => {},
      );
    }
    scheduler.after(ASKS_EVERY_MS, '', () => this.#askUntil(standing));
  }
}
