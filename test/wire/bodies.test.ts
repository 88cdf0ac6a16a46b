/** Bodies of calls: what comes back is what was sent, and nothing else comes out. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from '../../src/codec/pack.ts';
import { RaftError } from '../../src/core/errors.ts';
import { CHANGE_STEPS_MAX } from '../../src/core/limits.ts';
import * as bodies from '../../src/wire/bodies.ts';
import {
  DIGESTS_MAX,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type Question,
} from '../../src/wire/digest-bodies.ts';

const fixtures = JSON.parse(readFileSync(new URL('./fixtures/protocol-1.json', import.meta.url), 'utf8')) as {
  readonly bodies: Readonly<Record<string, string>>;
};
const introduction = { version: 9, term: 4, voters: ['node-a', 'node-b'], others: ['node-c'] };
const report = {
  role: 'leader',
  term: 4,
  commit: 8,
  applied: 7,
  last: 9,
  leaderId: 'node-a',
  shortOfSpace: true,
  failureTolerance: undefined,
  hidden: false,
  saving: false,
  late: false,
  lasting: false,
  reluctant: false,
  confVersion: 5,
} as const;
const change: bodies.ChangeRequest = {
  steps: [
    { op: 'voter', id: 'node-c', context: Uint8Array.of(6) },
    { op: 'remove', id: 'node-d', context: undefined },
  ],
  transition: 'implicit',
  ifVersion: 12,
};

interface Case {
  readonly value: unknown;
  readonly encoded: Uint8Array;
  readonly decode: (body: Uint8Array) => unknown;
}
function of<T>(value: T, encode: (value: T) => Uint8Array, decode: (body: Uint8Array) => unknown): Case {
  return { value, encoded: encode(value), decode };
}
const CASES: Readonly<Record<string, Case>> = {
  proposal: of([Uint8Array.of(1), Uint8Array.of(2, 3)], bodies.encodeProposal, bodies.decodeProposal),
  change: of(change, bodies.encodeChange, bodies.decodeChange),
  join: of({ nodeId: 'node-c', context: Uint8Array.of(1, 2) }, bodies.encodeJoin, bodies.decodeJoin),
  joinReply: of({ clusterId: 'cluster', epoch: 2, introduction }, bodies.encodeJoinReply, bodies.decodeJoinReply),
  'joinReply without introduction': of(
    { clusterId: 'cluster', epoch: 2, introduction: undefined },
    bodies.encodeJoinReply,
    bodies.decodeJoinReply,
  ),
  report: of({ ...report, introduction }, bodies.encodeReport, bodies.decodeReport),
  'report without introduction': of({ ...report, introduction: undefined }, bodies.encodeReport, bodies.decodeReport),
  'report with surroundings': of(
    {
      ...report,
      shortOfSpace: false,
      failureTolerance: 2,
      hidden: true,
      saving: true,
      late: true,
      lasting: true,
      introduction: undefined,
    },
    bodies.encodeReport,
    bodies.decodeReport,
  ),
  index: of(70_000, bodies.encodeIndex, bodies.decodeIndex),
  id: of('node-a', bodies.encodeId, bodies.decodeId),
  'question compare': of<Question>(['compare', 12, 4_000_000_000], encodeQuestion, decodeQuestion),
  'question rerun': of<Question>(['rerun', 3, 9], encodeQuestion, decodeQuestion),
  'question state': of<Question>(['state'], encodeQuestion, decodeQuestion),
  'answer same': of('same', encodeAnswer, decodeAnswer),
  'answer digests': of([1, 4_000_000_000], encodeAnswer, decodeAnswer),
};

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

describe('the body of a call', () => {
  it.each(Object.entries(fixtures.bodies))('%s is written and read as it was in protocol 1', (name, hex) => {
    const { value, encoded, decode } = CASES[name] as Case;
    expect(Buffer.from(encoded).toString('hex')).toBe(hex);
    expect(decode(Uint8Array.from(Buffer.from(hex, 'hex')))).toEqual(value);
  });

  it('a report says who is reluctant, in a bit that protocol 1 had left free', () => {
    const reluctant = { ...report, reluctant: true, failureTolerance: 2, introduction: undefined };
    expect(bodies.decodeReport(bodies.encodeReport(reluctant))).toEqual(reluctant);
  });

  it('has a fixture for each', () => {
    expect(Object.keys(fixtures.bodies).sort()).toEqual(Object.keys(CASES).sort());
  });

  it('nothing but message-invalid comes out of random and damaged bytes', () => {
    const cases = Object.values(CASES);
    const damaged = fc
      .tuple(fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }))
      .map(([which, damage]) => {
        const copy = (cases[which % cases.length] as Case).encoded.slice();
        for (const [place, byte] of damage) copy[place % copy.length] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (input) => {
        for (const { decode } of cases) expect(['no error', 'message-invalid']).toContain(codeOf(() => decode(input)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<readonly [string, (body: Uint8Array) => unknown, unknown]>([
    ['an introduction of a node id that is none', bodies.decodeJoinReply, ['cluster', 1, [1, 1, ['x'.repeat(65)], []]]],
    ['an introduction of nobody', bodies.decodeJoinReply, ['cluster', 1, [1, 1, [''], []]]],
    ['more than a thousand members', bodies.decodeJoinReply, ['cluster', 1, [1, 1, new Array(1_025).fill('a'), []]]],
    ['a report of a role that there is not', bodies.decodeReport, [7, 1, 1, 1, 1, '', 0, 0]],
    ['a report of a leader that is none', bodies.decodeReport, [0, 1, 1, 1, 1, 'a\n', 0, 0]],
    ['a change of more steps than any', bodies.decodeChange, [new Array(CHANGE_STEPS_MAX + 1).fill([0, 'a', null]), 0, 0]],
    ['more commands than one proposal has', bodies.decodeProposal, new Array(8_193).fill(Uint8Array.of(1))],
    ['a target that is none', bodies.decodeId, ''],
    ['an index below zero', bodies.decodeIndex, -1],
    ['a question with a part too many', decodeQuestion, ['state', 1]],
  ])('%s is refused', (_what, decode, value) => {
    expect(codeOf(() => decode(pack(value)))).toBe('message-invalid');
  });

  it('an answer of more digests than any is none', () => {
    expect(decodeAnswer(pack(new Array(DIGESTS_MAX).fill(1)))).toHaveLength(DIGESTS_MAX);
    expect(decodeAnswer(pack(new Array(DIGESTS_MAX + 1).fill(1)))).toBeUndefined();
    expect(decodeAnswer(pack('other'))).toBeUndefined();
  });
});
