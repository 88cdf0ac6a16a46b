import { describe, expect, test } from 'vitest';
import { applyChange, type ChangeResult, changeSimply } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF, LEAVE_JOINT, leavesByItself, wayOf } from '../../src/core/conf/conf-change.ts';
import { allVoters, brokenConf, canLead, isMember, isSingleVoter, isVoter } from '../../src/core/conf/conf-state.ts';
import { MEMBERS_MAX } from '../../src/core/limits.ts';
import type { ConfChange, ConfState } from '../../src/core/types.ts';
import { change } from './cluster.ts';

const bytes = (value: number): Uint8Array => new Uint8Array([value]);
const joint: ConfState = {
  ...EMPTY_CONF,
  voters: ['a', 'b', 'w'],
  votersOutgoing: ['b', 'c', 'o'],
  learners: ['l'],
  learnersNext: ['o'],
  witnesses: ['w'],
  autoLeave: true,
  members: [
    { id: 'a', context: bytes(1) },
    { id: 'o', context: bytes(2) },
  ],
};

function confOf(result: ChangeResult): ConfState {
  if ('refused' in result) throw new Error(result.refused);
  return result.conf;
}

function refusalOf(result: ChangeResult): string | undefined {
  return 'refused' in result ? result.refused : undefined;
}

describe('a configuration', () => {
  test('says who votes, who belongs to it, and who may lead', () => {
    const ids = ['a', 'b', 'c', 'l', 'o', 'w', 'x'];
    expect(ids.filter((id) => isVoter(joint, id))).toEqual(['a', 'b', 'c', 'o', 'w']);
    expect(ids.filter((id) => isMember(joint, id))).toEqual(['a', 'b', 'c', 'l', 'o', 'w']);
    expect(ids.filter((id) => canLead(joint, id))).toEqual(['a', 'b', 'c', 'o']);
    expect(allVoters(joint)).toEqual(['a', 'b', 'c', 'o', 'w'].sort());
    expect(allVoters({ ...EMPTY_CONF, voters: ['c', 'd'], votersOutgoing: ['a', 'b'] })).toEqual(['a', 'b', 'c', 'd']);
    expect(allVoters({ ...EMPTY_CONF, voters: ['x', 'y'] })).toEqual(['x', 'y']);
  });

  test('has a single voter when there is one, and no old half', () => {
    const single = (voters: string[], votersOutgoing: string[]): boolean =>
      isSingleVoter({ ...EMPTY_CONF, voters, votersOutgoing });
    expect([single(['a'], []), single(['a', 'b'], []), single(['a'], ['a']), single([], [])]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('is sound, or it is said what is wrong with it', () => {
    const wrong = (fields: Partial<ConfState>): string | undefined => brokenConf({ ...joint, ...fields });
    expect(brokenConf(EMPTY_CONF)).toBeUndefined();
    expect(wrong({})).toBeUndefined();
    const unsorted = 'a part is not sorted, or holds an id twice';
    expect(wrong({ voters: ['b', 'a', 'w'] })).toBe(unsorted);
    expect(wrong({ voters: ['a', 'a', 'w'] })).toBe(unsorted);
    expect(wrong({ voters: ['a', 'b', 'w', 'w'] })).toBe(unsorted);
    expect(wrong({ votersOutgoing: ['c', 'b', 'o'] })).toBe(unsorted);
    expect(wrong({ learners: ['m', 'l'] })).toBe(unsorted);
    expect(wrong({ learnersNext: ['o', 'o'] })).toBe(unsorted);
    expect(wrong({ witnesses: ['w', 'a'] })).toBe(unsorted);
    const [a, o] = joint.members;
    if (a === undefined || o === undefined) throw new Error('no members');
    expect(wrong({ members: [o, a] })).toBe(unsorted);
    for (const id of ['a', 'c']) expect(wrong({ learners: [id] })).toBe('a learner is also a voter');
    expect(wrong({ learners: ['c', 'l'] })).toBe('a learner is also a voter');
    expect(wrong({ learnersNext: ['l', 'o'] })).toBe('a next learner is no outgoing voter');
    expect(wrong({ learnersNext: ['b', 'o'] })).toBe('a next learner is an incoming voter');
    expect(wrong({ witnesses: ['l', 'w'] })).toBe('a witness is no voter');
    expect(wrong({ votersOutgoing: [], learnersNext: [] })).toBe('a configuration that is not joint leaves by itself');
    expect(wrong({ votersOutgoing: [], learnersNext: [], autoLeave: false })).toBeUndefined();
    expect(wrong({ autoLeave: false })).toBeUndefined();
    expect(wrong({ voters: [], witnesses: [] })).toBe('a joint configuration has no incoming voters');
  });
});

describe('what a change asks for', () => {
  test('is one step at once, or the way through a joint configuration, or out of it', () => {
    const ways: [ConfChange, string, boolean][] = [
      [change('+d'), 'simple', true],
      [change('+d', 'implicit'), 'enter-joint', true],
      [change('+d', 'explicit'), 'enter-joint', false],
      [change('+d', '-a'), 'enter-joint', true],
      [change('leave', 'explicit'), 'leave-joint', false],
      [LEAVE_JOINT, 'leave-joint', true],
      [{ ...LEAVE_JOINT, context: bytes(1) }, 'simple', true],
    ];
    for (const [wanted, way, byItself] of ways) expect([wayOf(wanted), leavesByItself(wanted)]).toEqual([way, byItself]);
  });

  test('a context alone changes nothing else, and what says nothing of the context keeps it', () => {
    const plain: ConfState = { ...EMPTY_CONF, voters: ['a', 'b'], context: bytes(3) };
    expect(confOf(applyChange(plain, { ...LEAVE_JOINT, context: bytes(4) }))).toEqual({ ...plain, context: bytes(4) });
    expect(confOf(applyChange(plain, change('+c'))).context).toEqual(bytes(3));
    expect(confOf(applyChange(plain, change('+c', 'explicit'))).context).toEqual(bytes(3));
    expect(confOf(applyChange(plain, { ...change('+c', 'explicit'), context: bytes(5) })).context).toEqual(bytes(5));
    const left = confOf(applyChange({ ...joint, context: bytes(6) }, LEAVE_JOINT));
    expect(left.context).toEqual(bytes(6));
  });
});

describe('a step of a change', () => {
  const plain: ConfState = { ...EMPTY_CONF, voters: ['b', 'd'], learners: ['l'] };

  test('puts every part in the order of ids, wherever an id comes from', () => {
    const conf = confOf(applyChange(plain, change('?a', '?c', '~x', '~k')));
    expect(conf.voters).toEqual(['a', 'b', 'c', 'd']);
    expect(conf.votersOutgoing).toEqual(['b', 'd']);
    expect(conf.learners).toEqual(['k', 'l', 'x']);
    expect(conf.witnesses).toEqual(['a', 'c']);
    const demoted = confOf(applyChange({ ...EMPTY_CONF, voters: ['a', 'b', 'c'] }, change('~c', '~b')));
    expect(demoted.learnersNext).toEqual(['b', 'c']);
    const contexts = confOf(
      applyChange(plain, {
        transition: 'auto',
        steps: ['l', 'b', 'd'].map((id) => ({ op: 'update', id, context: bytes(1) })),
        context: undefined,
      }),
    );
    expect(contexts.members.map(({ id }) => id)).toEqual(['b', 'd', 'l']);
  });

  test('that makes a learner of a learner, or a voter of a voter, leaves it as it is', () => {
    expect(confOf(applyChange(plain, change('~l')))).toEqual(plain);
    expect(confOf(applyChange(plain, change('+b')))).toEqual(plain);
    expect(confOf(applyChange(plain, change('=b')))).toEqual(plain);
    expect(confOf(applyChange(plain, change('-nobody')))).toEqual(plain);
  });

  test('takes a demotion back before the old half is left', () => {
    const back = confOf(applyChange({ ...EMPTY_CONF, voters: ['a', 'b'] }, change('~b', '+b', 'explicit')));
    expect(back).toMatchObject({ voters: ['a', 'b'], learners: [], learnersNext: [] });
    const gone = confOf(applyChange({ ...EMPTY_CONF, voters: ['a', 'b'] }, change('~b', '-b', 'explicit')));
    expect(gone).toMatchObject({ voters: ['a'], votersOutgoing: ['a', 'b'], learnersNext: [] });
    expect(confOf(applyChange(gone, LEAVE_JOINT))).toMatchObject({ voters: ['a'], learners: [], votersOutgoing: [] });
  });

  test('demotes to a learner at once where there is no old half', () => {
    expect(confOf(applyChange(plain, change('~d')))).toMatchObject({ voters: ['b'], learners: ['d', 'l'], learnersNext: [] });
    expect(confOf(applyChange(plain, change('+l')))).toMatchObject({ voters: ['b', 'd', 'l'], learners: [] });
    expect(confOf(applyChange(plain, change('-l')))).toMatchObject({ voters: ['b', 'd'], learners: [] });
  });

  test('that removes an old voter keeps its context and its witness mark until the old half is left', () => {
    const before: ConfState = {
      ...EMPTY_CONF,
      voters: ['a', 'b', 'w'],
      witnesses: ['w'],
      members: [{ id: 'w', context: bytes(8) }],
    };
    const during = confOf(applyChange(before, change('-w', 'explicit')));
    expect(during).toMatchObject({ voters: ['a', 'b'], witnesses: ['w'], members: [{ id: 'w', context: bytes(8) }] });
    const after = confOf(applyChange(during, LEAVE_JOINT));
    expect(after).toMatchObject({ voters: ['a', 'b'], witnesses: [], members: [] });
  });

  test('that is taken back leaves nobody new, and no context', () => {
    const result = applyChange(plain, {
      transition: 'explicit',
      steps: [
        { op: 'voter', id: 'x', context: bytes(1) },
        { op: 'remove', id: 'x', context: undefined },
      ],
      context: undefined,
    });
    expect(result).toMatchObject({ added: [] });
    expect(confOf(result).members).toEqual([]);
    expect(applyChange(plain, change('?w', '-w', '+w', 'explicit'))).toMatchObject({ added: ['w'], conf: { witnesses: [] } });
    expect(applyChange(joint, LEAVE_JOINT)).toMatchObject({ added: [] });
  });

  test('knows the members of the old half and the learners: nothing of them is new', () => {
    const explicit: ConfState = { ...joint, autoLeave: false };
    expect(refusalOf(applyChange(explicit, change('+c')))).toBe("can't apply simple config change in joint config");
    expect(refusalOf(applyChange(explicit, change('+c', '+l')))).toBe('config is already joint');
    expect(applyChange(plain, change('+l', '~b', '+x'))).toMatchObject({ added: ['x'] });
  });

  test('cannot lead out of what is not joint, nor make what has no voters joint, nor change two voters at once', () => {
    expect(refusalOf(applyChange(plain, LEAVE_JOINT))).toBe("can't leave a non-joint config");
    expect(refusalOf(applyChange(EMPTY_CONF, change('+a', '+b')))).toBe("can't make a zero-voter config joint");
    expect(confOf(applyChange(EMPTY_CONF, change('+a'))).voters).toEqual(['a']);
    const many = 'more than one voter changed without entering joint config';
    expect(refusalOf(changeSimply(plain, change('+x', '+y')))).toBe(many);
    expect(refusalOf(changeSimply(plain, change('+x', '-b')))).toBe(many);
    expect(refusalOf(changeSimply({ ...plain, voters: ['a', 'b', 'c'] }, change('-a', '-b')))).toBe(many);
    expect(confOf(changeSimply(plain, change('+x', '~y', '~z'))).voters).toEqual(['b', 'd', 'x']);
    expect(refusalOf(changeSimply(plain, change('-b', '-d')))).toBe('removed all voters');
    expect(refusalOf(applyChange({ ...plain, voters: ['b'] }, change('-b')))).toBe('removed all voters');
  });

  test('cannot make more members than there may be', () => {
    const learners = Array.from({ length: MEMBERS_MAX - 2 }, (_, i) => `m${String(i).padStart(5, '0')}`);
    const full: ConfState = { ...EMPTY_CONF, voters: ['a', 'b'], learners };
    expect(refusalOf(applyChange(full, change('~z')))).toBe(`more than ${MEMBERS_MAX} members`);
    expect(refusalOf(applyChange(full, change('~z', '-b', 'explicit')))).toBe(`more than ${MEMBERS_MAX} members`);
    const room: ConfState = { ...full, learners: learners.slice(1) };
    expect(confOf(applyChange(room, change('~z'))).learners).toHaveLength(MEMBERS_MAX - 2);
  });
});
