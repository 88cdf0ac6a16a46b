/** What the changer takes can be written, and whatever was written can be read: a change, and the configuration after it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packChange, unpackChange } from '../../src/codec/conf-change.ts';
import { confStateFrom, confStateParts } from '../../src/codec/conf-state.ts';
import { pack, unpack } from '../../src/codec/pack.ts';
import { applyChange } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { RaftError } from '../../src/core/errors.ts';
import {
  CHANGE_STEPS_MAX,
  CLUSTER_CONTEXT_BYTES_MAX,
  MEMBER_CONTEXT_BYTES_MAX,
  NODE_ID_CHARS_MAX,
} from '../../src/core/limits.ts';
import { type ConfChange, type ConfState, type Entry, makeEntry, NO_BYTES } from '../../src/core/types.ts';

const entryOf = (change: ConfChange): Entry => makeEntry(7, 3, 'conf', 1, NO_BYTES, change);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

/** Ids and contexts on both sides of every limit. */
const id = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'é', '😀') },
  { weight: 1, arbitrary: fc.constantFrom('', '\u0000', 'a\nb', '\ud800', '\u007f') },
  { weight: 1, arbitrary: fc.integer({ min: NODE_ID_CHARS_MAX - 1, max: 300 }).map((length) => 'x'.repeat(length)) },
);
const context = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: MEMBER_CONTEXT_BYTES_MAX - 1, max: MEMBER_CONTEXT_BYTES_MAX + 1 }).map((n) => new Uint8Array(n)),
  },
  { weight: 4, arbitrary: fc.constant(undefined) },
);
const op = fc.constantFrom('voter', 'learner', 'witness', 'remove', 'update');
const change: fc.Arbitrary<ConfChange> = fc.record({
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
  steps: fc.array(fc.record({ op, id, context }), { maxLength: 3 }),
  context,
});

describe('membership changes', () => {
  it('that are taken can be written and read, and so can what they make of the configuration', () => {
    let taken = 0;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        let conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b'] };
        for (const next of changes) {
          const result = applyChange(conf, next);
          if ('refused' in result) {
            refused++;
            continue;
          }
          taken++;
          expect(unpackChange(packChange(entryOf(next)))).toEqual(next);
          conf = result.conf;
          expect(confStateFrom(unpack(pack(confStateParts(conf))))).toEqual(conf);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(200);
  });

  it('that can be written can be read, and the others are not written', () => {
    fc.assert(
      fc.property(change, (next) => {
        if (codeOf(() => packChange(entryOf(next))) === 'config-invalid')
          expect(applyChange(EMPTY_CONF, next)).toHaveProperty('refused');
        else expect(unpackChange(packChange(entryOf(next)))).toEqual(next);
      }),
      { numRuns: 500 },
    );
  });

  const three: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };
  const learner = (step: Partial<ConfChange['steps'][number]>): ConfChange['steps'] => [
    { op: 'learner', id: 'd', context: undefined, ...step },
  ];
  const long = new Uint8Array(MEMBER_CONTEXT_BYTES_MAX + 1);
  it.each<readonly [string, ConfChange['steps'], Uint8Array | undefined]>([
    ['a node id of 65 characters', learner({ id: 'x'.repeat(65) }), undefined],
    ['a node id with a control character', learner({ id: 'd\u0000' }), undefined],
    ['a context of more than 4 KiB', learner({ context: long }), undefined],
    ['a context of the cluster of more than 16 KiB', [], new Uint8Array(CLUSTER_CONTEXT_BYTES_MAX + 1)],
    ['more steps than any', new Array(CHANGE_STEPS_MAX + 1).fill(learner({})[0]), undefined],
  ])('%s is refused when it is made, when it is written, when it is read and when it is applied', (_what, steps, wide) => {
    const bad: ConfChange = { transition: 'auto', steps, context: wide };
    expect(applyChange(three, bad)).toHaveProperty('refused');
    expect(codeOf(() => packChange(entryOf(bad)))).toBe('config-invalid');
    const parts = [0, steps.map((step) => [1, step.id, step.context ?? null]), wide ?? null];
    expect(codeOf(() => unpackChange(pack(parts)))).toBe('message-invalid');
  });

  it('a node id that UTF-8 cannot carry never gets as far as bytes: it would come back as another', () => {
    const bad: ConfChange = { transition: 'auto', steps: learner({ id: '\ud800' }), context: undefined };
    expect(applyChange(three, bad)).toHaveProperty('refused');
    expect(codeOf(() => packChange(entryOf(bad)))).toBe('config-invalid');
  });

  it.each<readonly [string, Partial<ConfState>]>([
    ['an id of 65 characters', { learners: ['x'.repeat(65)] }],
    ['an empty id', { learners: [''] }],
    ['a member’s context of more than 4 KiB', { members: [{ id: 'a', context: long }] }],
    ['a context of more than 16 KiB', { context: new Uint8Array(CLUSTER_CONTEXT_BYTES_MAX + 1) }],
  ])('a configuration with %s is refused', (_what, part) => {
    const read = (conf: ConfState): unknown => confStateFrom(unpack(pack(confStateParts(conf))));
    expect(codeOf(() => read(three))).toBe('no error');
    expect(codeOf(() => read({ ...three, ...part }))).toBe('message-invalid');
  });
});
