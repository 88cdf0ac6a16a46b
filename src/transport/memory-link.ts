/** One link of the in-process network: who it joins, and what is and was on its way. */
import type { NodeId } from '../core/types.ts';
import type { Lane } from './transport.ts';

interface Direction {
  urgent: number;
  bulk: number;
  delivered: number;
}

export class MemoryLink {
  readonly a: NodeId;
  readonly b: NodeId;
  readonly #fromA: Direction = { urgent: 0, bulk: 0, delivered: 0 };
  readonly #fromB: Direction = { urgent: 0, bulk: 0, delivered: 0 };

  constructor(a: NodeId, b: NodeId) {
    this.a = a;
    this.b = b;
  }

  joins(id: NodeId): boolean {
    return id === this.a || id === this.b;
  }

  other(id: NodeId): NodeId {
    return id === this.a ? this.b : this.a;
  }

  queued(from: NodeId, lane: Lane): number {
    return this.#direction(from)[lane];
  }

  delivered(from: NodeId): number {
    return this.#direction(from).delivered;
  }

  gave(from: NodeId, lane: Lane, bytes: number): void {
    this.#direction(from)[lane] += bytes;
  }

  took(from: NodeId, lane: Lane, bytes: number): void {
    this.#direction(from)[lane] -= bytes;
  }

  arrived(from: NodeId, bytes: number): void {
    this.#direction(from).delivered += bytes;
  }

  #direction(from: NodeId): Direction {
    return from === this.a ? this.#fromA : this.#fromB;
  }
}
