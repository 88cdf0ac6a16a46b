/** Membership as applications call it: each change becomes steps for the leader, wherever it is. */

import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { isNodeId } from '../../core/conf/node-id.ts';
import { RaftError } from '../../core/errors.ts';
import { NODE_ID_CHARS_MAX } from '../../core/limits.ts';
import type { ConfChangeStep, NodeId } from '../../core/types.ts';
import { type ChangeRequest, decodeIndex, encodeChange } from '../../wire/bodies.ts';
import type { CallOptions, ClusterConfig, Invite, InviteTerms, Membership, WantedSuffrage } from '../api/api.ts';
import { awaitCall, checkCallOptions } from '../api/call-options.ts';
import { CHANGE_OPTION_NAMES, NEW_MEMBER_NAMES, NEXT_CONFIG_NAMES } from '../api/names.ts';
import { clusterConfig, contextOf, encodeMember, MEMBER_DEFAULTS, memberIds, suffrageOf } from '../member/configuration.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireKnown, requireOneOf, requireText, shown } from '../ports/require-known.ts';
import { assertRunning } from '../standing/standing.ts';
import type { ConsensusNode } from './consensus-node.ts';
import { invite, putOut, revokeInvite, rotateSecret } from './invites.ts';

/** Of a member. */
const PRIORITY_MAX = 100;
/** A change without a leader is tried again after this long, in ms, until its time is up. */
const CHANGE_RETRY_MS = 100;

export class NodeMembership implements Membership {
  readonly #consensus: ConsensusNode;

  constructor(consensus: ConsensusNode) {
    this.#consensus = consensus;
  }

  get current(): ClusterConfig {
    const { member } = this.#consensus;
    return clusterConfig(member?.conf ?? EMPTY_CONF, member?.confVersion ?? 0);
  }

  async add(
    member: {
      readonly id: NodeId;
      readonly suffrage?: WantedSuffrage;
      readonly priority?: number;
      readonly name?: string;
      readonly meta?: unknown;
    },
    options: CallOptions = {},
  ): Promise<number> {
    requireKnown('add', member, NEW_MEMBER_NAMES);
    const wants = member.suffrage ?? 'voter';
    requireOneOf('suffrage', wants, ['voter', 'learner']);
    if (member.priority !== undefined) requireInteger('priority', member.priority, 0, PRIORITY_MAX);
    if (member.name !== undefined) requireText('name', member.name);
    const context = encodeMember({
      ...MEMBER_DEFAULTS,
      name: member.name ?? '',
      priority: member.priority ?? 0,
      meta: member.meta,
      wants,
    });
    return this.#send([{ op: wants, id: checkId(member.id), context }], options);
  }

  async remove(id: NodeId, options: CallOptions = {}): Promise<number> {
    if (suffrageOf(this.#member().conf, checkId(id)) === 'none') throw new RaftError('config-invalid', `${id} is not a member.`);
    return this.#send([{ op: 'remove', id, context: undefined }], options);
  }

  async invite(terms: InviteTerms = {}, options: CallOptions = {}): Promise<Invite> {
    this.#member();
    return invite(this.#consensus, terms, options);
  }

  async revokeInvite(id: string, options: CallOptions = {}): Promise<void> {
    this.#member();
    return revokeInvite(this.#consensus, id, options);
  }

  async rotateSecret(options: CallOptions = {}): Promise<string> {
    this.#member();
    return rotateSecret(this.#consensus, options);
  }

  async expel(id: NodeId, options: CallOptions = {}): Promise<number> {
    this.#member();
    await putOut(this.#consensus, checkId(id), options);
    return this.remove(id, options);
  }

  async promote(id: NodeId, options: CallOptions = {}): Promise<number> {
    return this.#send([this.#move(id, 'voter')], options);
  }

  /** A demoted member stays a learner: it is not promoted again by itself. */
  async demote(id: NodeId, options: CallOptions = {}): Promise<number> {
    return this.#send([this.#move(id, 'learner')], options);
  }

  #move(id: NodeId, op: 'voter' | 'learner'): ConfChangeStep {
    const { conf } = this.#member();
    if (suffrageOf(conf, checkId(id)) === 'none') throw new RaftError('config-invalid', `${id} is not a member.`);
    return { op, id, context: encodeMember({ ...contextOf(conf, id), wants: op, reader: false }) };
  }

  async replace(from: NodeId, to: NodeId, options: CallOptions = {}): Promise<number> {
    const { conf } = this.#member();
    if (suffrageOf(conf, checkId(from)) === 'none') throw new RaftError('config-invalid', `${from} is not a member.`);
    const { publicKey, replaces } = contextOf(conf, checkId(to));
    const context = encodeMember({ ...contextOf(conf, from), wants: 'voter', publicKey, replaces });
    return this.#send(
      [
        { op: 'remove', id: from, context: undefined },
        { op: 'voter', id: to, context },
      ],
      options,
    );
  }

  async change(
    next: { readonly voters: readonly NodeId[]; readonly learners?: readonly NodeId[] },
    options: CallOptions & { readonly ifVersion?: number } = {},
  ): Promise<number> {
    requireKnown('change', next, NEXT_CONFIG_NAMES);
    requireKnown('change', options, CHANGE_OPTION_NAMES);
    const { ifVersion, ...call } = options;
    if (ifVersion !== undefined) requireInteger('ifVersion', ifVersion, 0, Number.MAX_SAFE_INTEGER);
    for (const ids of [next.voters, next.learners ?? []])
      if (!Array.isArray(ids))
        throw new RaftError('invalid-argument', `voters and learners are lists of ids, got ${shown(ids)}.`);
    if (next.voters.length === 0) throw new RaftError('config-invalid', 'A cluster needs at least one voter.');
    const { conf } = this.#member();
    const learners = next.learners ?? [];
    const steps: ConfChangeStep[] = [
      ...next.voters.map((id) => this.#place(checkId(id), 'voter')),
      ...learners.map((id) => this.#place(checkId(id), 'learner')),
      ...memberIds(conf)
        .filter((id) => !next.voters.includes(id) && !learners.includes(id))
        .map((id) => ({ op: 'remove' as const, id, context: undefined })),
    ];
    return this.#send(steps, call, ifVersion ?? 0);
  }

  #place(id: NodeId, op: 'voter' | 'learner'): ConfChangeStep {
    const { conf } = this.#member();
    if (suffrageOf(conf, id) === op) return { op, id, context: undefined };
    return { op, id, context: encodeMember({ ...contextOf(conf, id), wants: op }) };
  }

  async setPriority(id: NodeId, priority: number, options: CallOptions = {}): Promise<number> {
    requireInteger('priority', priority, 0, PRIORITY_MAX);
    const { conf } = this.#member();
    if (suffrageOf(conf, checkId(id)) === 'none') throw new RaftError('config-invalid', `${id} is not a member.`);
    return this.#send([{ op: 'update', id, context: encodeMember({ ...contextOf(conf, id), priority }) }], options);
  }

  async leave(options: CallOptions = {}): Promise<void> {
    await this.remove(this.#consensus.id, options);
  }

  #member(): NonNullable<ConsensusNode['member']> {
    assertRunning(this.#consensus.standing);
    const { member } = this.#consensus;
    if (member === undefined) throw new RaftError('not-a-member', 'This node belongs to no cluster yet.');
    return member;
  }

  /** The caller sees its change in `current`, wherever the leader is that made it. */
  async #send(steps: readonly ConfChangeStep[], options: CallOptions, ifVersion = 0): Promise<number> {
    const index = await this.#sendToLeader(steps, options, ifVersion);
    await this.#consensus.waiters
      .until(() => (this.#consensus.member?.appliedIndex ?? 0) >= index || this.#consensus.member?.removed === true, options)
      .catch(() => {});
    return index;
  }

  #sendToLeader(steps: readonly ConfChangeStep[], options: CallOptions, ifVersion: number): Promise<number> {
    checkCallOptions(options);
    this.#member();
    const consensus = this.#consensus;
    const { clock, tuning } = consensus.options;
    const request: ChangeRequest = { steps, transition: 'auto', ifVersion };
    const body = encodeChange(request);
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? tuning.callTimeoutMs);
    return awaitCall<number>(options.signal, (resolve, reject) => {
      let open = true;
      const attempt = (): void => {
        if (!open) return;
        consensus.duties.admission.change(consensus.id, request, body, deadlineMs, (result) => {
          if (!open) return;
          if (result.error === undefined) {
            open = false;
            return settleIndex(result.body, resolve, reject);
          }
          const again =
            result.error.retryable && consensus.ended === undefined && clock.monotonicMs() + CHANGE_RETRY_MS < deadlineMs;
          if (again) return void clock.after(CHANGE_RETRY_MS, attempt);
          open = false;
          reject(result.error);
        });
      };
      attempt();
      return () => {
        if (!open) return;
        open = false;
        reject(new RaftError('aborted', 'The call was aborted; the change may still be made.'));
      };
    });
  }
}

export function checkId(id: NodeId): NodeId {
  if (isNodeId(id)) return id;
  throw new RaftError(
    'invalid-argument',
    `A node id is a text of 1 to ${NODE_ID_CHARS_MAX} characters, none of them a control character.`,
  );
}

/** The leader's answer may not be readable; the change was made all the same, for all that is known. */
function settleIndex(body: Uint8Array, resolve: (index: number) => void, reject: (error: RaftError) => void): void {
  let index: number;
  try {
    index = decodeIndex(body);
  } catch (cause) {
    const text = 'The answer to the change cannot be read; it may have been made.';
    return reject(new RaftError('outcome-unknown', text, { cause, mayHaveApplied: true }));
  }
  resolve(index);
}
