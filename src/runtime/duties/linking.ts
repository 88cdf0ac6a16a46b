/** Whom to link first: the leader, then those that vote. A newcomer can work with these; the others are dialled after them. */
import { NO_NODE } from '../../core/types.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';

export class Linking {
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  readonly #transport: Pick<Transport, 'prefer'>;
  #told = '';

  constructor(standing: Standing, speakers: Speakers, transport: Pick<Transport, 'prefer'>) {
    this.#standing = standing;
    this.#speakers = speakers;
    this.#transport = transport;
  }

  tick(): void {
    const { leaderId, id } = this.#standing;
    const first = [...new Set([leaderId, ...this.#speakers.votersKnown])].filter((peer) => peer !== NO_NODE && peer !== id);
    const told = first.join(' ');
    if (first.length === 0 || told === this.#told) return;
    this.#told = told;
    this.#transport.prefer?.(first, 'later');
  }
}
