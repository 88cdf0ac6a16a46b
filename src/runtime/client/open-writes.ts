/** The writes of this node that have no answer yet: those of this life by their number, those of earlier lives under their own sessions. */
import { type Pending, sessionOf, type WriteRequest } from './pending-write.ts';

export class OpenWrites {
  /** By sequence: numbers are given once in a life, whatever session they end up in. */
  readonly #own = new Map<number, Pending>();
  /** Left by earlier lives. */
  readonly #inherited = new Map<string, Pending>();
  /** Of this life, those that are kept. */
  #kept = 0;
  #nextSequence = 1;
  #lowestOpen = 1;

  get size(): number {
    return this.#own.size + this.#inherited.size;
  }

  get ownSize(): number {
    return this.#own.size;
  }

  /** Without those that are kept, which have a limit of their own. */
  get callsSize(): number {
    return this.#own.size - this.#kept;
  }

  /** Earlier lives' first: they are the older. */
  all(): Pending[] {
    return [...this.#inherited.values(), ...this.#own.values()];
  }

  own(): Pending[] {
    return [...this.#own.values()];
  }

  inherited(): Pending[] {
    return [...this.#inherited.values()];
  }

  add(request: WriteRequest, since: number): Pending {
    const write: Pending = { request, sequence: this.#nextSequence++, since, stage: UNNUMBERED, attempts: 0, saved: undefined };
    this.#own.set(write.sequence, write);
    if (request.kept !== undefined) this.#kept++;
    return write;
  }

  inherit(write: Pending): void {
    this.#inherited.set(keyOf(sessionOf(write), write.sequence), write);
  }

  find(session: number, sequence: number): Pending | undefined {
    // Writes of an earlier session of this life are answered under that: it may have been dropped with several on their way.
    const own = this.#own.get(sequence);
    if (own !== undefined && sessionOf(own) === session) return own;
    return this.#inherited.size === 0 ? undefined : this.#inherited.get(keyOf(session, sequence));
  }

  has(write: Pending): boolean {
    return this.#own.get(write.sequence) === write || this.isInherited(write);
  }

  isInherited(write: Pending): boolean {
    return this.#inherited.size > 0 && this.#inherited.get(keyOf(sessionOf(write), write.sequence)) === write;
  }

  /** False when it was answered before. */
  remove(write: Pending): boolean {
    if (this.#own.get(write.sequence) === write) {
      if (write.request.kept !== undefined) this.#kept--;
      return this.#own.delete(write.sequence);
    }
    return this.isInherited(write) && this.#inherited.delete(keyOf(sessionOf(write), write.sequence));
  }

  clear(): void {
    this.#own.clear();
    this.#kept = 0;
    this.#inherited.clear();
  }

  /** The lowest sequence without an answer: those below it have one, and stay so. */
  answeredBelow(): number {
    while (this.#lowestOpen < this.#nextSequence && !this.#own.has(this.#lowestOpen)) this.#lowestOpen++;
    return this.#lowestOpen;
  }
}

const UNNUMBERED = { kind: 'unnumbered' } as const;

function keyOf(session: number, sequence: number): string {
  return `${session}/${sequence}`;
}
