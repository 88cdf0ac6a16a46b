/**
 * How a keeper's log gets shorter. It cannot make a state of its own out of entries that it does not understand: when enough of them
 * have come since the last snapshot it asks the leader for the state of now, and stores it as if it were its own. A keeper that
 * leads hands leadership to a voter that has the machine, and then asks that one.
 */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { NO_MACHINE_VERSION } from '../../state/keeper.ts';
import type { StagedSnapshot } from '../../storage/storage.ts';
import { encodeQuestion } from '../../wire/digest-bodies.ts';
import type { Emitter } from '../api/emitter.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import type { Standing } from '../standing/standing.ts';
import type { Handover } from './handover.ts';

/** Between two tries, in ms: a snapshot takes a while to be made and sent. */
const ASK_EVERY_MS = 10_000;
/** How long the leader may take to say that the state comes, and a successor to take over, in ms. */
const ANSWER_TIMEOUT_MS = 5_000;

export class Renewal {
  readonly #standing: Standing;
  readonly #handover: Pick<Handover, 'transfer'>;
  readonly #emitter: Emitter;
  #nextMs = 0;
  /** It has come, and waits until its last entry is applied here. */
  #arrived: StagedSnapshot | undefined;

  constructor(standing: Standing, handover: Pick<Handover, 'transfer'>, emitter: Emitter) {
    this.#standing = standing;
    this.#handover = handover;
    this.#emitter = emitter;
  }

  tick(): void {
    const { member, clock, tuning, leaderId, id } = this.#standing;
    if (member === undefined) return;
    this.#take();
    const now = clock.monotonicMs();
    const since = member.appliedIndex - member.maker.snapshotIndex;
    if (since < tuning.snapshotEveryEntries || now < this.#nextMs || member.transfers.isReceiving) return;
    this.#nextMs = now + ASK_EVERY_MS;
    if (leaderId !== id) return this.#ask(leaderId);
    const successor = member.conf.voters.find((other) => this.#hasMachine(other));
    if (successor === undefined) return;
    this.#nextMs = now + tuning.electionTimeoutMs[1];
    this.#handover.transfer(successor, ANSWER_TIMEOUT_MS);
  }

  /** The state that was asked for is stored. */
  onSnapshot(staged: StagedSnapshot): void {
    const before = this.#arrived;
    this.#arrived = staged;
    if (before !== undefined) this.#standing.member?.maker.discard(before);
    this.#take();
  }

  #ask(leader: NodeId): void {
    const { member, peers } = this.#standing;
    if (member === undefined || !this.#hasMachine(leader)) return;
    // What does not come is asked for again, when its time has come.
    member.transfers.awaitResync(leader, () => {});
    peers.call(leader, 'digest', encodeQuestion(['state']), ANSWER_TIMEOUT_MS, ({ error }) => {
      if (error !== undefined) member.transfers.giveUpResync();
    });
  }

  /** Only what is applied here can stand for the log up to it. */
  #take(): void {
    const { member } = this.#standing;
    const staged = this.#arrived;
    if (member === undefined || staged === undefined || staged.meta.index > member.appliedIndex) return;
    this.#arrived = undefined;
    member.maker.adopt(staged).catch((error: unknown) => {
      const coded = RaftError.is(error) ? error : storageErrorOf(error);
      this.#emitter.emit('fault', { error: coded });
    });
  }

  #hasMachine(peer: NodeId): boolean {
    const hello = this.#standing.peers.get(peer)?.hello;
    return hello !== undefined && hello.machineVersion !== NO_MACHINE_VERSION;
  }
}
