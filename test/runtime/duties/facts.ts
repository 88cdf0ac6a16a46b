/** Members as a leader might know them: all is well with each, but for what is given. */
import type { MemberFacts } from '../../../src/runtime/duties/member-facts.ts';

export const LONG = 1_000_000;

export function facts(id: string, given: Partial<MemberFacts> = {}): MemberFacts {
  return {
    id,
    suffrage: 'voter',
    wantsVote: true,
    priority: 0,
    device: '',
    replaces: '',
    caughtUp: true,
    holdsAll: true,
    laggingForMs: 0,
    heardForMs: LONG,
    silentForMs: 0,
    hasLeft: false,
    burden: 0,
    burdenForMs: LONG,
    shortOfSpace: false,
    lasting: false,
    reluctant: false,
    breaks: 0,
    ...given,
  };
}

export const learner = (id: string, given: Partial<MemberFacts> = {}): MemberFacts =>
  facts(id, { suffrage: 'learner', ...given });
export const silent = (id: string, forMs = LONG, given: Partial<MemberFacts> = {}): MemberFacts =>
  facts(id, { heardForMs: 0, silentForMs: forMs, ...given });
export const left = (id: string, given: Partial<MemberFacts> = {}): MemberFacts =>
  facts(id, { heardForMs: 0, silentForMs: 1, hasLeft: true, ...given });
