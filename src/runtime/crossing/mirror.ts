/** How the node stands, as the consensus side in another thread last told it; what the application side knows by itself is newer. */
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId, Term } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { AutopilotTable, ClusterConfig, Explanation, Forecast, NodeRole, NodeStatus } from '../api/api.ts';
import type { Freshness, NodeView } from '../api/view.ts';
import { errorFrom } from '../ports/error-data.ts';
import type { ErrorData, Leadership } from '../ports/seam.ts';
import { assertGoesOn } from '../standing/standing.ts';
import type { Brief, Image } from './image.ts';

/** What the application side knows. */
export interface OwnFacts {
  appliedIndex(): Index;
  pendingWrites(): number;
  /** Asks where it is known. Never rejects. */
  isFresh(freshness: Freshness): Promise<boolean>;
}

export class Mirror implements NodeView {
  readonly id: NodeId;
  readonly #own: OwnFacts;
  #brief: Brief;
  #image: Image;
  #ended: RaftError | undefined;

  constructor(id: NodeId, own: OwnFacts, brief: Brief, image: Image) {
    this.id = id;
    this.#own = own;
    this.#brief = brief;
    this.#image = image;
  }

  /** Tells whether more is committed than was known. */
  take(brief: Brief, image: Image | undefined): boolean {
    const isMore = brief.commitIndex > this.#brief.commitIndex;
    this.#brief = brief;
    if (image !== undefined) this.#image = image;
    return isMore;
  }

  end(error: ErrorData | RaftError): void {
    this.#ended ??= RaftError.is(error) ? error : errorFrom(error);
    this.#brief = { ...this.#brief, role: 'stopped', leaderId: NO_NODE, takesPart: false, isMember: false };
    this.#brief = { ...this.#brief, isLeader: false, leads: false, hasCaughtUp: false };
  }

  leadership(): Leadership | undefined {
    const { leaderId, term, isReachable } = this.#brief;
    return leaderId === NO_NODE || !isReachable ? undefined : { leaderId, term, isSelf: leaderId === this.id };
  }

  /** There is somebody to be asked for a round of reads. */
  get canBeAsked(): boolean {
    return this.#brief.isMember && this.#brief.leaderId !== NO_NODE;
  }

  get clusterId(): string {
    return this.#image.clusterId;
  }
  get roomLink(): string | undefined {
    return this.#image.roomLink;
  }
  get role(): NodeRole {
    return this.#brief.role;
  }
  get term(): Term {
    return this.#brief.term;
  }
  get leaderId(): NodeId {
    return this.#brief.leaderId;
  }
  get takesPart(): boolean {
    return this.#brief.takesPart;
  }
  get isLeader(): boolean {
    return this.#brief.isLeader;
  }
  get leads(): boolean {
    return this.#brief.leads;
  }
  get hasCaughtUp(): boolean {
    return this.#brief.hasCaughtUp && this.appliedIndex >= this.#brief.commitIndex;
  }
  get appliedIndex(): Index {
    return this.#own.appliedIndex();
  }
  get config(): ClusterConfig {
    return this.#image.config;
  }
  get ended(): RaftError | undefined {
    return this.#ended;
  }

  assertRunning(): void {
    assertGoesOn(this.#brief.role === 'removed', this.#ended);
  }

  isFresh(freshness: Freshness): Promise<boolean> {
    return this.#own.isFresh(freshness);
  }

  status(): NodeStatus {
    const { role, term, leaderId, commitIndex } = this.#brief;
    const { status } = this.#image;
    return {
      ...status,
      role,
      term,
      leaderId: leaderId === NO_NODE ? undefined : leaderId,
      commitIndex,
      lastIndex: Math.max(status.lastIndex, commitIndex),
      appliedIndex: this.appliedIndex,
      pendingWrites: this.#own.pendingWrites(),
    };
  }

  forecast(): Forecast {
    return this.#image.forecast;
  }

  explain(): Explanation {
    if (this.#ended === undefined) return this.#image.explanation;
    return { ...this.#image.explanation, healthy: false, text: `This node has ended: ${this.#ended.message}` };
  }

  notReady(): RaftError {
    return errorFrom(this.#image.notReady);
  }

  autopilot(): AutopilotTable | undefined {
    return this.#image.autopilot;
  }
}
