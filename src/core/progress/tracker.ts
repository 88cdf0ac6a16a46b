/** All members as a leader sees them. Lives as long as the leadership. */
import { majorityIndex, majorityVote } from '../quorum/majority.ts';
import type { ConfState, Index, NodeId } from '../types.ts';
import { type InflightLimits, Progress } from './progress.ts';

/** The voters of one half, and room to sort what they have reached. */
interface Half {
  readonly members: readonly Progress[];
  readonly scratch: Index[];
}

export class Tracker {
  readonly #self: NodeId;
  readonly #limits: InflightLimits;
  readonly #byId = new Map<NodeId, Progress>();
  #all: readonly Progress[] = [];
  #own: Progress | undefined = undefined;
  #others: readonly Progress[] = [];
  #incoming: Half = { members: [], scratch: [] };
  #outgoing: Half = { members: [], scratch: [] };

  /** `self`: the leader. */
  constructor(self: NodeId, conf: ConfState, next: Index, limits: InflightLimits) {
    this.#self = self;
    this.#limits = limits;
    this.reconfigure(conf, [], next, false);
  }

  get(id: NodeId): Progress | undefined {
    return this.#byId.get(id);
  }

  /** Sorted by id. */
  get all(): readonly Progress[] {
    return this.#all;
  }

  /** The leader's own; undefined when it is not a member. At hand, because names take longer to compare than objects. */
  get own(): Progress | undefined {
    return this.#own;
  }

  /** All but the leader's own. */
  get others(): readonly Progress[] {
    return this.#others;
  }

  /** New members start at `next`; those in `renewed` start anew, whatever was known of an earlier life. */
  reconfigure(conf: ConfState, renewed: readonly NodeId[], next: Index, active: boolean): void {
    const ids = new Set([...conf.voters, ...conf.votersOutgoing, ...conf.learners]);
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
    for (const id of renewed) this.#byId.delete(id);
    for (const id of ids) {
      let progress = this.#byId.get(id);
      if (progress === undefined) {
        progress = new Progress(id, next, this.#limits);
        // A member just added counts as heard once, so that check-quorum does not trip over it.
        if (active) progress.heard();
        this.#byId.set(id, progress);
      }
    }
    for (const progress of this.#byId.values()) {
      progress.setKind(conf.learners.includes(progress.id), conf.witnesses.includes(progress.id));
    }
    this.#all = [...this.#byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#own = this.#byId.get(this.#self);
    this.#others = this.#all.filter((progress) => progress !== this.#own);
    this.#incoming = halfOf(this.#all, conf.voters);
    this.#outgoing = halfOf(this.#all, conf.votersOutgoing);
  }

  /** The highest index durable on a quorum of every active half. */
  committedIndex(): Index {
    const incoming = majorityMatch(this.#incoming);
    if (this.#outgoing.members.length === 0) return incoming;
    return Math.min(incoming, majorityMatch(this.#outgoing));
  }

  /** True when a quorum, the node itself counted, was heard since the last time. */
  quorumActive(self: NodeId): boolean {
    return halfActive(this.#incoming, self) && halfActive(this.#outgoing, self);
  }

  /** The latest tick at which a quorum is known to have heard this leader; -1 when none is. */
  leaseTick(self: NodeId, now: number): number {
    const since = ({ members }: Half): number =>
      majorityIndex(members.map(({ id, leaseTick }) => (id === self ? now : leaseTick)));
    return Math.min(since(this.#incoming), since(this.#outgoing));
  }
}

function halfOf(all: readonly Progress[], voters: readonly NodeId[]): Half {
  const members = all.filter(({ id }) => voters.includes(id));
  return { members, scratch: members.map(() => 0) };
}

function majorityMatch({ members, scratch }: Half): Index {
  for (let i = 0; i < members.length; i++) scratch[i] = (members[i] as Progress).match;
  return majorityIndex(scratch);
}

function halfActive({ members }: Half, self: NodeId): boolean {
  let active = 0;
  for (const progress of members) if (progress.recentActive || progress.id === self) active++;
  return majorityVote(members.length, active, members.length - active) === 'won';
}
