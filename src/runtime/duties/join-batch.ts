/**
 * Newcomers on the leader: those that ask within one interval are taken in by one change, so that a crowd at the door does not make
 * the log, and everybody who follows it, busy with configurations. Who asks first waits for nobody.
 */
import { RaftError } from '../../core/errors.ts';
import type { ConfChange, ConfState, NodeId } from '../../core/types.ts';
import { trustError } from '../../trust/errors.ts';
import type { JoinRequest } from '../../wire/bodies.ts';
import { memberIds, suffrageOf } from '../member/configuration.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import type { ChangePace } from './change-pace.ts';

/** Members of one cluster, learners included: more would burden every leader. */
export const MEMBERS_MAX = 64;
/** Newcomers that one change takes in. */
export const NEWCOMERS_AT_ONCE = 32;
/** Bytes of their contexts in one change, at the most: an entry that any member takes. */
const CONTEXT_BYTES_AT_ONCE: number = 32 * 1024;
/** Newcomers that wait; more are refused with `busy`. */
const WAITING_MAX = 256;
/** When one that was refused with `busy` may ask again, in ms: by then a batch has gone in. */
const BUSY_MS = 1_000;
/** How long a newcomer waits, in ms. */
export const JOIN_WAIT_MS = 10_000;

interface Waiting {
  readonly request: JoinRequest;
  readonly deadlineMs: number;
  readonly done: (error: RaftError | undefined) => void;
}

export class JoinBatch {
  readonly #standing: Standing;
  readonly #trust: Pick<Trust, 'isRevoked'>;
  readonly #pace: ChangePace;
  readonly #wake: () => void;
  #waiting: Waiting[] = [];
  #isUnderway = false;

  constructor(standing: Standing, trust: Pick<Trust, 'isRevoked'>, pace: ChangePace, wake: () => void) {
    this.#standing = standing;
    this.#trust = trust;
    this.#pace = pace;
    this.#wake = wake;
  }

  add(request: JoinRequest, done: (error: RaftError | undefined) => void): void {
    if (this.#waiting.length >= WAITING_MAX)
      return done(new RaftError('busy', `${WAITING_MAX} newcomers are waiting.`, { retryAfterMs: BUSY_MS }));
    this.#waiting.push({ request, deadlineMs: this.#standing.clock.monotonicMs() + JOIN_WAIT_MS, done });
    this.tick();
  }

  tick(): void {
    const { member, clock } = this.#standing;
    const now = clock.monotonicMs();
    if (this.#waiting.length === 0) return;
    if (member?.isLeader !== true) return this.#refuse(() => true, 'no-leader', 'This node leads no more.');
    this.#refuse(({ deadlineMs }) => deadlineMs <= now, 'timeout', 'The newcomer could not be taken in in time.');
    if (this.#isUnderway || this.#waiting.length === 0 || !this.#pace.ask('joins', now)) return;
    this.#isUnderway = true;
    let taken: Waiting[] = [];
    member.changes.submit({
      // In its turn, with all who wait by then.
      plan: (conf) => {
        taken = this.#take(conf);
        return changeOf(taken, conf);
      },
      deadlineMs: now + JOIN_WAIT_MS,
      done: (_index, error) => {
        this.#isUnderway = false;
        for (const { done } of taken) done(error);
      },
    });
    this.#wake();
  }

  /** As many as one change takes. Those for whom there is no room are told so. */
  #take(conf: ConfState): Waiting[] {
    const taken: Waiting[] = [];
    const ids = new Set<NodeId>();
    const left = this.#waiting.splice(0);
    let bytes = 0;
    for (const waiting of left) {
      const { nodeId, context } = waiting.request;
      const isNew = suffrageOf(conf, nodeId) === 'none' && !ids.has(nodeId);
      if (this.#trust.isRevoked(nodeId)) {
        waiting.done(trustError('member-revoked'));
      } else if (isNew && memberIds(conf).length + ids.size >= MEMBERS_MAX) {
        waiting.done(new RaftError('config-invalid', `A cluster has at most ${MEMBERS_MAX} members.`));
      } else if (isNew && (ids.size >= NEWCOMERS_AT_ONCE || (ids.size > 0 && bytes + context.length > CONTEXT_BYTES_AT_ONCE))) {
        this.#waiting.push(waiting);
      } else {
        if (isNew) bytes += context.length;
        if (isNew) ids.add(nodeId);
        taken.push(waiting);
      }
    }
    return taken;
  }

  #refuse(which: (waiting: Waiting) => boolean, code: 'no-leader' | 'timeout', text: string): void {
    const refused = this.#waiting.filter(which);
    if (refused.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => !which(waiting));
    for (const { done } of refused) done(new RaftError(code, text, { mayHaveApplied: false }));
  }
}

/** Each a learner, once; undefined when all are members already. */
function changeOf(taken: readonly Waiting[], conf: ConfState): ConfChange | undefined {
  const newcomers = new Map<NodeId, Uint8Array>();
  for (const { request } of taken)
    if (suffrageOf(conf, request.nodeId) === 'none' && !newcomers.has(request.nodeId))
      newcomers.set(request.nodeId, request.context);
  if (newcomers.size === 0) return undefined;
  const steps = [...newcomers].map(([id, context]) => ({ op: 'learner' as const, id, context }));
  return { transition: 'auto', steps, context: undefined };
}
