/** What a run found and what it looked at: violations by invariant, and how often each invariant was really tested. */

export interface Violation {
  /** The invariant's id, as in docs/RELIABILITY.md. */
  readonly id: string;
  readonly text: string;
  readonly timeMs: number;
  readonly event: number;
}

export class Evidence {
  readonly violations: Violation[] = [];
  /** By invariant: evaluations in which it could have failed. */
  readonly evaluated: Map<string, number> = new Map();
  /** Abstract states seen: role against role, message against state. */
  readonly #states = new Map<string, Set<string>[]>();
  /** Faults and other happenings by name. */
  readonly marks: Map<string, number> = new Map();
  readonly #when: () => { readonly nowMs: number; readonly events: number };

  constructor(when: () => { readonly nowMs: number; readonly events: number }) {
    this.#when = when;
  }

  /** Notes that an invariant was tested, and a violation unless it held. The text is only made when it did not. */
  check(id: string, holds: boolean, text: () => string): void {
    this.evaluated.set(id, (this.evaluated.get(id) ?? 0) + 1);
    if (!holds) this.fail(id, text());
  }

  fail(id: string, text: string): void {
    const { nowMs, events } = this.#when();
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push({ id, text, timeMs: nowMs, event: events });
  }

  mark(name: string, count: number = 1): void {
    this.marks.set(name, (this.marks.get(name) ?? 0) + count);
  }

  /** A message met a node: of an older, the same or a newer term than the node's. */
  saw(message: string, role: string, relation: 0 | 1 | 2): void {
    let relations = this.#states.get(message);
    if (relations === undefined) {
      relations = [new Set(), new Set(), new Set()];
      this.#states.set(message, relations);
    }
    relations[relation]?.add(role);
  }

  get states(): ReadonlySet<string> {
    const all = new Set<string>();
    for (const [message, relations] of this.#states) {
      relations.forEach((roles, relation) => {
        for (const role of roles) all.add(`${message}/${role}/${RELATIONS[relation]}`);
      });
    }
    return all;
  }
}

/** The first one stops the run; a few more may be found in the same event. */
const VIOLATIONS_MAX = 20;

const RELATIONS = ['older', 'same', 'newer'];
