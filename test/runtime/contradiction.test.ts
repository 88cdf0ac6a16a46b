/** A member that has lost what it promised to keep, as the others see it. */
import { expect, test } from 'vitest';
import type { RaftError } from '../../src/core/errors.ts';
import { makeEntry, NO_BYTES } from '../../src/core/types.ts';
import { Cluster } from './cluster.ts';

test('S39: a leader that contradicts what is committed ends nothing: the node says so and goes on with another', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(3);
  await cluster.leader().node.propose({ type: 'add', amount: 1 });
  const follower = nodes.find(({ node }) => node.role === 'follower');
  const member = follower?.engine.member;
  if (follower === undefined || member === undefined) throw new Error('no follower');
  const faults: RaftError[] = [];
  follower.node.on('fault', ({ error }) => faults.push(error));
  const other = nodes.find((opened) => opened !== follower && opened !== cluster.leader());
  const term = follower.engine.term + 1;
  const from = other?.engine.id ?? '';
  const entries = [makeEntry(1, term, 'normal', 0, NO_BYTES, undefined)];
  member.step({ type: 'append-request', from, to: follower.engine.id, term, prevIndex: 0, prevTerm: 0, commit: 1, entries });
  await follower.node.until(() => faults.length > 0);
  expect(faults).toMatchObject([{ code: 'log-conflict', index: 1 }]);
  expect(await follower.node.propose({ type: 'add', amount: 1 })).toBe(2);
  expect(follower.node.role).not.toBe('stopped');
});
