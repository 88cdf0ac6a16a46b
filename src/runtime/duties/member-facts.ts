/** A member as the leader knows it, for the plans of who votes and who leads. */
import type { NodeId } from '../../core/types.ts';

export interface MemberFacts {
  readonly id: NodeId;
  readonly suffrage: 'voter' | 'learner' | 'witness';
  /** Wants to vote, as its member context says. */
  readonly wantsVote: boolean;
  /** Elections and choices prefer the higher. */
  readonly priority: number;
  /** Members of one device, '' for one of its own. */
  readonly device: string;
  /** The voter of the same device whose storage was lost, '' for none. */
  readonly replaces: NodeId;
  readonly caughtUp: boolean;
  /** It has stored the whole log of the leader. */
  readonly holdsAll: boolean;
  /** How long it has been behind though it is heard, in ms; 0 while it is not. */
  readonly laggingForMs: number;
  /** How long it has been heard without a break, in ms; 0 while it is not. */
  readonly heardForMs: number;
  /** How long nothing was heard of it, in ms; 0 while it is. */
  readonly silentForMs: number;
  /** It said goodbye and has not been heard since. */
  readonly hasLeft: boolean;
  /** What slows it down: one for a hidden page, for a device that saves power or data, for ticks that come late. */
  readonly burden: number;
  /** For how long its burden has been what it is, in ms. */
  readonly burdenForMs: number;
  /** Its device has almost no room left. */
  readonly shortOfSpace: boolean;
  /** It does not go when a page is closed: a process at the edge. */
  readonly lasting: boolean;
  /** Of three or more voters the others should rather lead. */
  readonly reluctant: boolean;
  /** How often it fell silent under this leader. */
  readonly breaks: number;
}

/** Members with the same answer share a device. */
export function deviceOf({ device, id }: MemberFacts): string {
  return device === '' ? `node ${id}` : `device ${device}`;
}

/**
 * Who is preferred, the first before the second: what was asked for by hand, then what lasts, then what nothing slows down, then
 * what has been here for longest without a break.
 */
export function byPreference(a: MemberFacts, b: MemberFacts): number {
  return (
    b.priority - a.priority ||
    Number(b.lasting) - Number(a.lasting) ||
    Number(a.shortOfSpace) - Number(b.shortOfSpace) ||
    a.burden - b.burden ||
    a.breaks - b.breaks ||
    b.heardForMs - a.heardForMs ||
    byId(a, b)
  );
}

export function byId(a: MemberFacts, b: MemberFacts): number {
  return a.id < b.id ? -1 : 1;
}
