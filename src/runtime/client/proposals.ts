/** Proposals on their way to whoever leads, each batch with a ticket under which its answer comes back. */
import type { RaftError } from '../../core/errors.ts';
import type { Consensus, Leadership } from '../ports/seam.ts';

type ProposalSink = Pick<Consensus, 'leadership' | 'propose' | 'wake'>;

/** Called once: with undefined when the leader took the proposals into its log. */
export type ProposalAnswer = (error: RaftError | undefined) => void;

export class Proposals {
  readonly #consensus: ProposalSink;
  /** Without an answer yet. Bounded by the writes that may wait; each ends at the latest with its call to the leader. */
  readonly #open = new Map<number, ProposalAnswer>();
  #next = 1;

  constructor(consensus: ProposalSink) {
    this.#consensus = consensus;
  }

  leadership(): Leadership | undefined {
    return this.#consensus.leadership();
  }

  wake(): void {
    this.#consensus.wake();
  }

  send(leadership: Leadership, data: readonly Uint8Array[], done: ProposalAnswer): void {
    const ticket = this.#next++;
    this.#open.set(ticket, done);
    this.#consensus.propose({ ticket, leadership, data });
  }

  onAnswer(ticket: number, error: RaftError | undefined): void {
    const done = this.#open.get(ticket);
    this.#open.delete(ticket);
    done?.(error);
  }

  stop(): void {
    this.#open.clear();
  }
}
