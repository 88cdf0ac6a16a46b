/** The consensus side of comparing states: questions on their way to members, and a state that is sent in place of another. */
import type { NodeId } from '../../core/types.ts';
import { NO_MACHINE_VERSION } from '../../state/keeper.ts';
import { decodeAnswer } from '../../wire/digest-bodies.ts';
import { contextOf, memberIds } from '../member/configuration.ts';
import type { Standing } from '../standing/standing.ts';

/** How long a question that nobody waits for may be under way, and one for a state, in ms. */
const DIGEST_TIMEOUT_MS = 5_000;

export class Digests {
  readonly #standing: Standing;
  readonly #onResyncFailed: () => void;

  constructor(standing: Standing, onResyncFailed: () => void) {
    this.#standing = standing;
    this.#onResyncFailed = onResyncFailed;
  }

  tell(question: Uint8Array): void {
    const { peers } = this.#standing;
    for (const peer of peers.all()) {
      if (peer.trusted) peers.call(peer.id, 'digest', question, DIGEST_TIMEOUT_MS, () => {});
    }
  }

  ask(peer: NodeId, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#standing.peers.call(peer, 'digest', question, timeoutMs, ({ body, error }) =>
        resolve(error === undefined ? body : undefined),
      );
    });
  }

  /** The others that keep a state: neither witnesses nor keepers. */
  stateHolders(): NodeId[] {
    const { member, id, peers } = this.#standing;
    if (member === undefined) return [];
    const hasState = (other: NodeId): boolean =>
      !member.conf.witnesses.includes(other) && peers.get(other)?.hello?.machineVersion !== NO_MACHINE_VERSION;
    return memberIds(member.conf).filter((other) => other !== id && hasState(other));
  }

  /** Never rejects. */
  async resync(stateQuestion: Uint8Array): Promise<void> {
    const { leaderId, member } = this.#standing;
    if (member === undefined) return this.#onResyncFailed();
    member.transfers.awaitResync(leaderId, this.#onResyncFailed);
    const answer = await this.ask(leaderId, stateQuestion, DIGEST_TIMEOUT_MS);
    if (answer === undefined || decodeAnswer(answer) === undefined) member.transfers.giveUpResync();
  }

  /** The leader's part of a resync: a snapshot of now, sent to the member that asked. */
  sendState(peer: NodeId): void {
    const { member, term } = this.#standing;
    if (member?.isLeader !== true || contextOf(member.conf, peer) === undefined) return;
    member.transfers.sendToResync(peer, term);
  }
}
