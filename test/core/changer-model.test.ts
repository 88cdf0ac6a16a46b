/** Changes of the configuration against a model that only asks, for every member, what the last step said about it. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChange } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { allVoters } from '../../src/core/conf/conf-state.ts';
import type { ConfState } from '../../src/core/types.ts';
import { change } from './cluster.ts';

type Sign = '+' | '~' | '-' | '=' | '?';
type Step = readonly [sign: Sign, id: string];
type Parts = Pick<ConfState, 'voters' | 'votersOutgoing' | 'learners' | 'learnersNext' | 'witnesses' | 'autoLeave'>;

const IDS = ['a', 'b', 'c', 'd', 'e'];
const step = fc.tuple(fc.constantFrom<Sign>('+', '~', '-', '=', '?'), fc.constantFrom(...IDS));
const changes = fc.array(
  fc.tuple(fc.array(step, { maxLength: 4 }), fc.constantFrom<'auto' | 'implicit' | 'explicit'>('auto', 'implicit', 'explicit')),
  { maxLength: 12 },
);

function members(conf: ConfState): readonly string[] {
  return [...new Set([...allVoters(conf), ...conf.learners])];
}

/** Who holds no data after these steps; undefined when one of them would give data to a witness. */
function witnessesAfter(conf: ConfState, outgoing: readonly string[], steps: readonly Step[]): Set<string> | undefined {
  const witnesses = new Set(conf.witnesses);
  for (const [sign, id] of steps) {
    if ((sign === '+' || sign === '~') && witnesses.has(id)) return undefined;
    if (sign === '?') witnesses.add(id);
    if (sign === '-' && !outgoing.includes(id)) witnesses.delete(id);
  }
  return witnesses;
}

/** undefined: refused. */
function modelled(conf: ConfState, steps: readonly Step[], transition: string): Parts | undefined {
  const joint = conf.votersOutgoing.length > 0;
  if (steps.length === 0) {
    const learners = [...conf.learners, ...conf.learnersNext].sort();
    const witnesses = conf.witnesses.filter((id) => conf.voters.includes(id));
    return joint ? { ...conf, votersOutgoing: [], learners, learnersNext: [], witnesses, autoLeave: false } : undefined;
  }
  if (joint) return undefined;
  const enters = steps.length > 1 || transition !== 'auto';
  const outgoing = enters ? conf.voters : [];
  const witnesses = witnessesAfter(conf, outgoing, steps);
  if (witnesses === undefined) return undefined;
  const last = (id: string): Sign | undefined => steps.findLast(([sign, one]) => one === id && sign !== '=')?.[0];
  const becomes = (id: string, ...signs: Sign[]): boolean => signs.some((sign) => sign === last(id));
  const voters = IDS.filter((id) => (last(id) === undefined ? conf.voters.includes(id) : becomes(id, '+', '?')));
  const learners = IDS.filter((id) => (last(id) === undefined ? conf.learners.includes(id) : becomes(id, '~')));
  if (voters.length === 0) return undefined;
  return {
    voters,
    votersOutgoing: outgoing,
    learners: learners.filter((id) => !outgoing.includes(id)),
    learnersNext: learners.filter((id) => outgoing.includes(id)),
    witnesses: IDS.filter((id) => witnesses.has(id) && (voters.includes(id) || outgoing.includes(id))),
    autoLeave: enters && transition !== 'explicit',
  };
}

/** Members now whose log is not the one the leader knew: they were none before, or were none in between. */
function newcomers(before: ConfState, after: ConfState, steps: readonly Step[]): readonly string[] {
  return members(after).filter((id) => {
    const gone = steps.some(([sign, one]) => sign === '-' && one === id) && !after.votersOutgoing.includes(id);
    return gone || !members(before).includes(id);
  });
}

test('every change does what the last step about each member says, or is refused and does nothing', () => {
  const seen = { refused: 0, joint: 0, left: 0, simple: 0, renewed: 0 };
  fc.assert(
    fc.property(changes, (list) => {
      let conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'], learners: ['d', 'e'] };
      for (const [steps, transition] of list) {
        const result = applyChange(conf, change(...steps.map(([sign, id]) => sign + id), transition));
        const expected = modelled(conf, steps, transition);
        expect('refused' in result).toBe(expected === undefined);
        if ('refused' in result || expected === undefined) {
          seen.refused++;
          continue;
        }
        const { voters, votersOutgoing, learners, learnersNext, witnesses, autoLeave } = result.conf;
        const { voters: v, votersOutgoing: o, learners: l, learnersNext: n, witnesses: w, autoLeave: auto } = expected;
        expect({ voters, votersOutgoing, learners, learnersNext, witnesses, autoLeave }).toEqual({
          ...{ voters: v, votersOutgoing: o, learners: l },
          ...{ learnersNext: n, witnesses: w, autoLeave: auto },
        });
        const fresh = newcomers(conf, result.conf, steps);
        expect([...result.added].sort()).toEqual([...fresh].sort());
        if (fresh.some((id) => members(conf).includes(id))) seen.renewed++;
        if (votersOutgoing.length > 0) seen.joint++;
        else if (steps.length === 0) seen.left++;
        else seen.simple++;
        conf = result.conf;
      }
    }),
    { numRuns: 400 },
  );
  for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
});
