/**
 * What clients did and saw, as plain data: the one format of the simulator and of chaos in real tabs. One
 * operation per line of ND-JSON.
 */

/**
 * `ok`: it took effect and `result` is what it answered. `no`: it certainly did not and never will.
 * `unknown`: it may have taken effect, or may yet.
 */
export type OperationOutcome = 'ok' | 'no' | 'unknown';

export interface Operation {
  /** Who did it. Operations of one process need not be one after the other. */
  readonly process: string;
  /** What it touched: operations on different keys are checked apart. */
  readonly key: string;
  /** What it did, by the model's name for it: 'read', 'write', 'cas', 'append', 'add' … */
  readonly kind: string;
  readonly input: unknown;
  /** The order in which calls and answers happened: any number that grows (virtual ms, or a global count). */
  readonly start: number;
  /** When it ended; null for one that has not. */
  readonly end: number | null;
  readonly outcome: OperationOutcome;
  readonly result: unknown;
}

/** Gathers operations while they run. */
export class History {
  readonly #operations: Operation[] = [];
  #open = 0;
  #acknowledged = 0;

  /** Notes a call; what it answers must be called once, when it ends. */
  begin(
    call: Pick<Operation, 'process' | 'key' | 'kind' | 'input' | 'start'>,
  ): (end: Pick<Operation, 'end' | 'outcome' | 'result'>) => void {
    const at = this.#operations.length;
    const { process, key, kind, input, start } = call;
    this.#operations.push({ process, key, kind, input, start, end: null, outcome: 'unknown', result: undefined });
    this.#open += 1;
    return ({ end, outcome, result }) => {
      this.#open -= 1;
      if (outcome === 'ok') this.#acknowledged += 1;
      this.#operations[at] = { process, key, kind, input, start, end, outcome, result };
    };
  }

  /** In the order of their calls; those that have not ended are `unknown`. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Calls that ended well. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Calls that have not ended. */
  get open(): number {
    return this.#open;
  }
}

export function encodeHistory(operations: readonly Operation[]): string {
  return operations.map((operation) => `${JSON.stringify(operation)}\n`).join('');
}

export function decodeHistory(text: string): Operation[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Operation);
}
