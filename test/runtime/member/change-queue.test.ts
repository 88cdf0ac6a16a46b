/** What is said of a membership change, against what may become of it. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { RaftError } from '../../../src/core/errors.ts';
import type { ConfState } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import { MembershipQueue } from '../../../src/runtime/member/change-queue.ts';
import type { CoreNode } from '../../../src/runtime/ports/core-node.ts';

const conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };
const joint: ConfState = { ...conf, voters: ['a', 'b', 'd'], votersOutgoing: ['a', 'b', 'c'] };
const CHANGE = { transition: 'auto' as const, steps: [], context: undefined };

interface Told {
  readonly index: number;
  readonly error: RaftError | undefined;
}

/** One change under way, proposed at index 7, and one that waits behind it. */
function twoChanges() {
  const queue = new MembershipQueue(nodeClock());
  const told: Record<'first' | 'second', Told[]> = { first: [], second: [] };
  for (const name of ['first', 'second'] as const)
    queue.submit({
      plan: () => CHANGE,
      deadlineMs: Number.POSITIVE_INFINITY,
      done: (index, error) => told[name].push({ index, error }),
    });
  const core = {
    proposeConfChange: () => ({ ok: true, forwarded: false, firstIndex: 7, lastIndex: 7, term: 2 }),
  } as unknown as CoreNode;
  queue.flush(core, conf, 3);
  return { queue, told };
}

test('when leadership ends, a change under way may yet commit and is said to; one that waits was never proposed', () => {
  const { queue, told } = twoChanges();
  queue.clear(new RaftError('leadership-lost', 'Another node leads.', { mayHaveApplied: false }));
  expect(told.first).toMatchObject([{ index: 0, error: { code: 'leadership-lost', mayHaveApplied: true } }]);
  expect(told.second).toMatchObject([{ index: 0, error: { code: 'leadership-lost', mayHaveApplied: false } }]);
});

test('a change is done only when the old half of its joint configuration is left', () => {
  const { queue, told } = twoChanges();
  queue.onConfig(joint, 7, undefined);
  expect(told.first).toEqual([]);
  queue.onConfig({ ...joint, votersOutgoing: [] }, 8, undefined);
  expect(told.first).toEqual([{ index: 8, error: undefined }]);
  expect(told.second).toEqual([]);
});

test('what took effect before the change was proposed says nothing of it', () => {
  const { queue, told } = twoChanges();
  queue.onConfig(conf, 6, undefined);
  expect(told.first).toEqual([]);
});
