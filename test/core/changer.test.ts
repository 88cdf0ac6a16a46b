import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChange, changeSimply } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF, isJoint, LEAVE_JOINT } from '../../src/core/conf/conf-change.ts';
import { allVoters, brokenConf } from '../../src/core/conf/conf-state.ts';
import { jointVote } from '../../src/core/quorum/joint.ts';
import type { ConfChange, ConfState } from '../../src/core/types.ts';
import { change } from './cluster.ts';

const three: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };

function changed(conf: ConfState, wanted: ConfChange): ConfState {
  const result = applyChange(conf, wanted);
  if ('refused' in result) throw new Error(result.refused);
  return result.conf;
}

function refusal(conf: ConfState, wanted: ConfChange): string | undefined {
  const result = applyChange(conf, wanted);
  return 'refused' in result ? result.refused : undefined;
}

const steps = fc.array(fc.tuple(fc.constantFrom('+', '~', '-', '=', '?'), fc.constantFrom('a', 'b', 'c', 'd', 'e')), {
  minLength: 0,
  maxLength: 4,
});
const changes = fc.array(fc.tuple(steps, fc.constantFrom('auto', 'implicit', 'explicit')), { maxLength: 12 });

/** Every pair of sets of members that each decide in one of the two configurations shares a member. */
function share(one: ConfState, other: ConfState): boolean {
  const members = [...new Set([...allVoters(one), ...allVoters(other)])];
  const wins = (conf: ConfState, set: number): boolean =>
    jointVote(conf, new Map(members.map((id, i) => [id, (set & (1 << i)) !== 0]))) === 'won';
  const sets = Array.from({ length: 1 << members.length }, (_, set) => set);
  const others = sets.filter((set) => wins(other, set));
  return sets.filter((set) => wins(one, set)).every((a) => others.every((b) => (a & b) !== 0));
}

describe('a change of the configuration', () => {
  test('leaves a sound configuration, whose majorities meet those of the one before', () => {
    fc.assert(
      fc.property(changes, (list) => {
        let conf = three;
        for (const [words, transition] of list) {
          const result = applyChange(conf, change(...words.map(([op, id]) => op + id), transition));
          if ('refused' in result) continue;
          expect(brokenConf(result.conf)).toBeUndefined();
          expect(result.conf.voters.length).toBeGreaterThan(0);
          expect(share(conf, result.conf)).toBe(true);
          conf = result.conf;
        }
      }),
      { numRuns: 200 },
    );
  });

  test('never changes the configuration it is given', () => {
    const frozen = JSON.stringify(three);
    applyChange(three, change('+d', '-a'));
    expect(JSON.stringify(three)).toBe(frozen);
  });

  test('of two voters goes through a joint configuration, and back by itself or when told', () => {
    const joint = changed(three, change('+d', '-a'));
    expect(joint).toMatchObject({ voters: ['b', 'c', 'd'], votersOutgoing: ['a', 'b', 'c'], autoLeave: true });
    expect(changed(three, change('+d', '-a', 'explicit')).autoLeave).toBe(false);
    expect(changed(joint, LEAVE_JOINT)).toMatchObject({ voters: ['b', 'c', 'd'], votersOutgoing: [], autoLeave: false });
  });

  test('without steps leaves, whatever its transition says: when proposed and when applied', () => {
    const joint = changed(three, change('+d', 'explicit'));
    expect(isJoint(changed(joint, change('leave', 'explicit')))).toBe(false);
    expect(refusal(three, change('leave', 'implicit'))).toBe("can't leave a non-joint config");
  });

  test('keeps a demoted voter in the old half until that is left', () => {
    const joint = changed(three, change('~a', '+d', 'explicit'));
    expect(joint).toMatchObject({ learnersNext: ['a'], learners: [], votersOutgoing: ['a', 'b', 'c'] });
    expect(changed(joint, LEAVE_JOINT)).toMatchObject({ learners: ['a'], learnersNext: [] });
  });

  test('that cannot be made says why', () => {
    expect(refusal(three, change('-a', '-b', '-c'))).toBe('removed all voters');
    expect('refused' in changeSimply(three, change('+d', '+e'))).toBe(true);
    expect(refusal(changed(three, change('+d', 'explicit')), change('+e'))).toMatch(/joint/);
  });

  test('names those whose logs nothing is known of, a member removed and added again among them', () => {
    expect(applyChange(three, change('+d'))).toMatchObject({ added: ['d'] });
    expect(applyChange({ ...three, learners: ['d'] }, change('+d'))).toMatchObject({ added: [] });
    expect(applyChange({ ...three, learners: ['d'] }, change('-d', '~d'))).toMatchObject({ added: ['d'] });
  });

  test('a witness votes, and never becomes a member with data', () => {
    const conf = changed(three, change('?d'));
    expect(conf).toMatchObject({ voters: ['a', 'b', 'c', 'd'], witnesses: ['d'] });
    expect(refusal(conf, change('+d'))).toMatch(/witness/);
    expect(refusal(conf, change('~d'))).toMatch(/witness/);
    expect(changed(conf, change('-d')).witnesses).toEqual([]);
  });

  test('keeps what is said about members as long as they are members', () => {
    const context = new Uint8Array([7]);
    const conf = changed(three, {
      transition: 'auto',
      steps: [{ op: 'update', id: 'b', context }],
      context: new Uint8Array([9]),
    });
    expect(conf.members).toEqual([{ id: 'b', context }]);
    expect(conf.context).toEqual(new Uint8Array([9]));
    expect(changed(conf, change('-b')).members).toEqual([]);
  });
});
