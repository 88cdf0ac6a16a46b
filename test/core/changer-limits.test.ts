/** What a change may bring into the configuration: nothing that cannot be written, read again, and sent. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packChange, unpackChange } from '../../src/codec/conf-change.ts';
import { confStateFrom, confStateParts } from '../../src/codec/conf-state.ts';
import { pack, unpack } from '../../src/codec/pack.ts';
import { applyChange } from '../../src/core/conf/changer.ts';
import { EMPTY_CONF, LEAVE_JOINT } from '../../src/core/conf/conf-change.ts';
import { isNodeId, SPENT } from '../../src/core/conf/node-id.ts';
import * as limits from '../../src/core/limits.ts';
import { type ConfChange, type ConfState, makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { TestCluster } from './cluster.ts';

const base: ConfState = { ...EMPTY_CONF, voters: ['a'] };

function adding(id: string, context?: Uint8Array, cluster?: Uint8Array): ConfChange {
  return { transition: 'auto', steps: [{ op: 'learner', id, context }], context: cluster };
}

function refused(conf: ConfState, change: ConfChange): boolean {
  return 'refused' in applyChange(conf, change);
}

describe('what a node may be called', () => {
  test('1 to 64 characters that survive UTF-8, and no control characters', () => {
    for (const id of ['b', 'ü', '🙂', 'x'.repeat(64), 'with space']) expect([id, isNodeId(id)]).toEqual([id, true]);
    const wrong = ['', 'x'.repeat(65), '\ud800', 'a\udc00', 'a\nb', '\u0000', '\u007f', SPENT, undefined, 7, ['a']];
    for (const id of wrong) expect([id, isNodeId(id)]).toEqual([id, false]);
  });

  test('anything else changes nothing, also where it is one of several steps', () => {
    for (const id of ['', 'x'.repeat(65), '\ud800', SPENT]) {
      expect(refused(base, adding(id))).toBe(true);
      expect(refused(base, { ...adding('b'), transition: 'implicit', steps: [...adding('b').steps, ...adding(id).steps] })).toBe(
        true,
      );
    }
  });
});

describe('what the configuration keeps', () => {
  const bytes = (count: number): Uint8Array => new Uint8Array(count);

  test('is limited for each member, for the cluster, and for all members together', () => {
    expect(refused(base, adding('b', bytes(limits.MEMBER_CONTEXT_BYTES_MAX)))).toBe(false);
    expect(refused(base, adding('b', bytes(limits.MEMBER_CONTEXT_BYTES_MAX + 1)))).toBe(true);
    expect(refused(base, adding('b', undefined, bytes(limits.CLUSTER_CONTEXT_BYTES_MAX)))).toBe(false);
    expect(refused(base, adding('b', undefined, bytes(limits.CLUSTER_CONTEXT_BYTES_MAX + 1)))).toBe(true);
    const many = limits.CONTEXTS_BYTES_MAX / limits.MEMBER_CONTEXT_BYTES_MAX;
    const members = Array.from({ length: many }, (_, i) => ({
      id: `m${String(i).padStart(4, '0')}`,
      context: bytes(limits.MEMBER_CONTEXT_BYTES_MAX),
    }));
    const full: ConfState = { ...base, learners: members.map(({ id }) => id), members };
    expect(refused(full, adding('z', bytes(1)))).toBe(true);
    expect(refused(full, adding('z'))).toBe(false);
    expect(
      refused(full, { transition: 'auto', steps: [{ op: 'update', id: 'm0000', context: bytes(1) }], context: undefined }),
    ).toBe(false);
  });

  test('never stands in the way of the next change, however large it became', () => {
    const large: ConfState = {
      ...base,
      learners: ['b'],
      members: [{ id: 'b', context: bytes(2 * limits.CONTEXTS_BYTES_MAX) }],
      context: bytes(limits.CLUSTER_CONTEXT_BYTES_MAX + 1),
    };
    expect(refused(large, adding('c'))).toBe(false);
    const joint = applyChange(large, {
      transition: 'explicit',
      steps: [{ op: 'voter', id: 'b', context: undefined }],
      context: undefined,
    });
    expect('refused' in joint || refused(joint.conf, LEAVE_JOINT)).toBe(false);
  });
});

test('an entry with such a change does nothing, and the same on every member', () => {
  const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config: { validateConfChanges: false } });
  cluster.elect('a');
  expect(cluster.change('a', adding('x'.repeat(65))).ok).toBe(true);
  cluster.settle();
  for (const id of ['a', 'b', 'c']) {
    expect(cluster.member(id).refusedChanges).toHaveLength(1);
    expect(cluster.node(id).status()).toMatchObject({ appliedIndex: 2, conf: { voters: ['a', 'b', 'c'], learners: [] } });
  }
  expect(cluster.propose('a', 'x').ok).toBe(true);
  cluster.settle();
  expect(cluster.commands('c')).toEqual(['x']);
});

test('what is accepted can be encoded and decoded: the change, and the configuration that it makes', () => {
  const unit = fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 70 }) },
    { weight: 1, arbitrary: fc.constantFrom('', '\ud800', 'x'.repeat(64), 'x'.repeat(65), SPENT) },
  );
  const context = fc.option(
    fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(new Uint8Array(limits.MEMBER_CONTEXT_BYTES_MAX + 1))),
    { nil: undefined },
  );
  const step = fc.record({
    op: fc.constantFrom('voter' as const, 'learner' as const, 'witness' as const, 'remove' as const, 'update' as const),
    id: unit,
    context,
  });
  const change = fc.record({
    transition: fc.constantFrom('auto' as const, 'implicit' as const, 'explicit' as const),
    steps: fc.array(step, { maxLength: 4 }),
    context,
  });
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      let conf = base;
      for (const one of changes) {
        const result = applyChange(conf, one);
        if ('refused' in result) continue;
        accepted += 1;
        conf = result.conf;
        expect(unpackChange(packChange(makeEntry(1, 1, 'conf', 0, NO_BYTES, one)))).toEqual(one);
        expect(confStateFrom(unpack(pack(confStateParts(conf))))).toEqual(conf);
      }
    }),
  );
  expect(accepted).toBeGreaterThan(20);
});
