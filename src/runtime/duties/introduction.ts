/**
 * A member that knows nobody it would hear asks to be told who belongs to the cluster: one that was taken in and went down before
 * it had the configuration, and one whose whole configuration has been exchanged while it was away.
 */
import { NO_NODE } from '../../core/types.ts';
import { decodeJoinReply } from '../../wire/bodies.ts';
import { memberIds } from '../member/configuration.ts';
import { isAlive } from '../standing/quorum.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import { JOIN_RETRY_MS, JOIN_TIMEOUT_MS } from './join.ts';

export class SecondIntroduction {
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  /** The body of a join: asked again it changes nothing. */
  readonly #body: Uint8Array;
  #busy = false;
  #retryAtMs = 0;
  /** Since when nobody of the configuration is heard; undefined while somebody is. */
  #aloneSinceMs: number | undefined;
  #lastAsked = NO_NODE;

  constructor(standing: Standing, speakers: Speakers, body: Uint8Array) {
    this.#standing = standing;
    this.#speakers = speakers;
    this.#body = body;
  }

  tick(): void {
    this.#speakers.tick();
    const { clock, peers, cluster } = this.#standing;
    const now = clock.monotonicMs();
    if (cluster === undefined || !this.#isWanted(now) || this.#busy || now < this.#retryAtMs) return;
    const candidates = peers
      .belonging()
      .filter(({ clusterId }) => clusterId === cluster.clusterId)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const next = candidates.find(({ id }) => id > this.#lastAsked) ?? candidates[0];
    if (next === undefined) return;
    this.#lastAsked = next.id;
    this.#busy = true;
    peers.call(next.id, 'join', this.#body, JOIN_TIMEOUT_MS, ({ body, error }) => {
      this.#busy = false;
      this.#retryAtMs = clock.monotonicMs() + JOIN_RETRY_MS;
      if (error === undefined) this.#hear(body);
    });
  }

  #hear(body: Uint8Array): void {
    try {
      const { clusterId, introduction } = decodeJoinReply(body);
      if (clusterId === this.#standing.cluster?.clusterId && introduction !== undefined) this.#speakers.introduce(introduction);
    } catch {
      // Who answers what cannot be read is asked again, after the others.
    }
  }

  /** It knows nobody, or has heard no voter that it knows for so long that an election should have ended. */
  #isWanted(now: number): boolean {
    const { member, id, tuning } = this.#standing;
    if (member === undefined || member.isLeader) return false;
    if (memberIds(member.conf).length === 0) return this.#speakers.knowsNobody;
    // Those that do not vote cannot tell it who leads by now.
    const others = [...member.conf.voters, ...member.conf.votersOutgoing].filter((other) => other !== id);
    if (others.length === 0 || others.some((other) => isAlive(this.#standing, other))) {
      this.#aloneSinceMs = undefined;
      return false;
    }
    this.#aloneSinceMs ??= now;
    return now - this.#aloneSinceMs > 2 * tuning.electionTimeoutMs[1];
  }
}
