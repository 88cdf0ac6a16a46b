/** Membership as the plan changes it: devices that are lost and replaced, changes that are asked for. */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId } from '../../core/types.ts';
import { suffrageOf } from '../../runtime/member/configuration.ts';
import { askChange, type ChangeStrike } from './change-strikes.ts';
import type { SimNode } from './sim-node.ts';
import type { StruckCluster } from './struck-cluster.ts';

/** How long a membership change of the plan may take, in ms. */
const CHANGE_TIMEOUT_MS = 4_000;
/** New nodes come in the place of lost ones until there are so many. */
const NODES_MAX = 9;
/** How long a device is down whose disk lost a bit, in ms. */
const FLIPPED_MS = 150;

export class Casualties {
  readonly #cluster: StruckCluster;
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor(cluster: StruckCluster) {
    this.#cluster = cluster;
  }

  /** A change on its way could give or take a vote. */
  get unsettled(): boolean {
    return this.#cluster.scheduler.nowMs - this.#changedMs < 2 * CHANGE_TIMEOUT_MS;
  }

  /** Loses a node for good, only while the others can do without it, and brings a new one in its place. */
  wipe(node: SimNode): boolean {
    if (!this.#dispensable(node)) return false;
    this.replace(node);
    return true;
  }

  /** Turns over a bit of what a node has stored: it goes on with what was there, or says that it cannot. */
  flip(node: SimNode): boolean {
    // Only of a voter: one that is none yet could be given a vote, and be lost then.
    const voters = this.#cluster.leader?.engine?.member?.conf.voters ?? [];
    if (!voters.includes(node.id) || !this.#dispensable(node)) return false;
    node.crash('process');
    if (node.disk.flip()) node.doubtful = true;
    this.#cluster.later(FLIPPED_MS, () => node.start('enter'));
    return node.doubtful;
  }

  /** Its storage is gone, or cannot be read: another identity comes in its place. */
  replace(node: SimNode): void {
    node.wipe();
    const successor = this.#cluster.addNode(node.suffrage);
    this.#cluster.later(200, () => successor.start('enter'));
    this.#removeUntilGone(node.id);
  }

  #dispensable(node: SimNode): boolean {
    const { leader, nodes } = this.#cluster;
    const conf = leader?.engine?.member?.conf;
    if (conf === undefined || conf.votersOutgoing.length > 0 || nodes.length > NODES_MAX || this.unsettled) return false;
    // One that is in the leader's log, by its own plans, may be decided without the lost one, whom it counts on.
    const { pendingConfIndex, appliedIndex } = leader?.engine?.member?.core.status() ?? { pendingConfIndex: 0, appliedIndex: 0 };
    if (pendingConfIndex > appliedIndex) return false;
    // Changes take effect when they are applied: until the others know this one to be committed, durably, they may need its vote.
    const version = leader?.engine?.member?.confVersion ?? 0;
    const know = conf.voters.every((id) => id === node.id || this.#knows(id, version));
    if (!know) return false;
    const lost = nodes.filter(({ id, isLost }) => isLost && conf.voters.includes(id)).length;
    // One that waits for a vote may have been given it by now.
    return conf.voters.includes(node.id) ? lost === 0 && conf.voters.length >= 3 : node.suffrage === 'learner';
  }

  #knows(id: NodeId, version: Index): boolean {
    const durable = this.#cluster.ghost.disks.get(id);
    return durable !== undefined && Math.max(durable.hardState.commit, durable.snapshot?.meta.index ?? 0) >= version;
  }

  /** Asks again and again: an operator who has seen that a device is gone. */
  #removeUntilGone(id: NodeId): void {
    const { scheduler } = this.#cluster;
    scheduler.after(500, '', () => {
      const engine = this.#cluster.leader?.engine;
      const conf = engine?.member?.conf;
      if (conf !== undefined && suffrageOf(conf, id) === 'none') return;
      if (engine !== undefined) this.#ask(engine.membership.remove(id, { timeoutMs: CHANGE_TIMEOUT_MS }));
      this.#removeUntilGone(id);
    });
  }

  change(strike: ChangeStrike): boolean {
    const { leader, nodes } = this.#cluster;
    const engine = leader?.engine;
    const conf = engine?.member?.conf;
    if (engine === undefined || conf === undefined || conf.votersOutgoing.length > 0) return false;
    // Nobody gives up a vote while one is lost for good, or may be.
    if (nodes.some(({ id, isLost }) => isLost && conf.voters.includes(id))) return false;
    // Who has joined but does not take part yet must not be given a vote: it could not be asked for one.
    const learners = conf.learners.filter((id) => nodes.some((node) => node.id === id && node.engine?.member !== undefined));
    const voter = conf.voters[strike.target % conf.voters.length];
    const learner = learners[strike.target % Math.max(1, learners.length)];
    const replaceable = conf.voters.length >= 3 && nodes.length <= NODES_MAX;
    const who = { voter, learner, voters: conf.voters, learners, replaceable };
    const asked = askChange(strike, engine.membership, who, CHANGE_TIMEOUT_MS);
    if (asked === undefined) return false;
    if (strike.kind === 'remove') {
      const successor = this.#cluster.addNode(nodes.find(({ id }) => id === voter)?.suffrage ?? 'voter');
      this.#cluster.later(300, () => successor.start('enter'));
    }
    this.#changedMs = this.#cluster.scheduler.nowMs;
    this.#ask(asked);
    return true;
  }

  /** A call whose answer nobody needs; that it ends is looked at. */
  #ask(answer: Promise<unknown>): void {
    const { scheduler, evidence } = this.#cluster;
    scheduler.watch(answer).then(
      () => evidence.mark('change:done'),
      (error: unknown) => evidence.mark(RaftError.is(error) ? `change:${error.code}` : 'change:failed'),
    );
  }
}
