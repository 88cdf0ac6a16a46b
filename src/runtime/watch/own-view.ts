/** How this node stands, looked up where it is known: for an application side in the same thread. */
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { RaftError } from '../../core/errors.ts';
import type { Index, NodeId, Term } from '../../core/types.ts';
import type { AutopilotTable, ClusterConfig, Explanation, Forecast, NodeRole, NodeStatus } from '../api/api.ts';
import type { Freshness, NodeView } from '../api/view.ts';
import { clusterConfig } from '../member/configuration.ts';
import { hasCaughtUp, holdsLease, leaderReady, stalenessMs } from '../standing/freshness.ts';
import { assertRunning, type Standing } from '../standing/standing.ts';
import { forecastOf } from './forecast.ts';
import { explain, nodeStatus, type StatusSources } from './status.ts';

export class OwnView implements NodeView {
  readonly #standing: Standing;
  readonly #sources: StatusSources;
  readonly #autopilot: () => AutopilotTable | undefined;

  constructor(sources: StatusSources, autopilot: () => AutopilotTable | undefined) {
    this.#standing = sources.standing;
    this.#sources = sources;
    this.#autopilot = autopilot;
  }

  get id(): NodeId {
    return this.#standing.id;
  }
  get clusterId(): string {
    return this.#standing.cluster?.clusterId ?? '';
  }
  get role(): NodeRole {
    return this.#standing.role;
  }
  get term(): Term {
    return this.#standing.term;
  }
  get leaderId(): NodeId {
    return this.#standing.leaderId;
  }
  get takesPart(): boolean {
    return this.#standing.state.kind === 'member';
  }
  get isLeader(): boolean {
    return this.#standing.member?.isLeader === true;
  }
  get leads(): boolean {
    return leaderReady(this.#standing);
  }
  get hasCaughtUp(): boolean {
    return hasCaughtUp(this.#standing);
  }
  get appliedIndex(): Index {
    return this.#standing.member?.appliedIndex ?? 0;
  }
  get config(): ClusterConfig {
    const { member } = this.#standing;
    return clusterConfig(member?.conf ?? EMPTY_CONF, member?.confVersion ?? 0);
  }
  get ended(): RaftError | undefined {
    const { state } = this.#standing;
    return state.kind === 'ended' ? state.error : undefined;
  }

  assertRunning(): void {
    assertRunning(this.#standing);
  }

  isFresh(freshness: Freshness): boolean {
    return freshness === 'lease' ? holdsLease(this.#standing) : stalenessMs(this.#standing) <= freshness.maxStaleMs;
  }

  status(): NodeStatus {
    return nodeStatus(this.#sources);
  }

  forecast(): Forecast {
    return forecastOf(this.#standing, this.#sources.reports);
  }

  explain(): Explanation {
    return explain(this.#sources);
  }

  notReady(): RaftError {
    const signaling = this.#sources.signaling();
    const { text } = this.explain();
    const unreached = signaling.error?.code === 'signaling-refused' ? 'signaling-refused' : 'signaling-unreachable';
    const unjoined = signaling.state === 'open' ? 'not-a-member' : unreached;
    const code = this.#standing.state.kind === 'seeking' ? unjoined : 'no-leader';
    return new RaftError(code, `Not ready yet: ${text}`, { mayHaveApplied: false, cause: signaling.error });
  }

  autopilot(): AutopilotTable | undefined {
    return this.#autopilot();
  }
}
