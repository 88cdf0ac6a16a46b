/** What is changed by hand goes before what the controller would do, and what cannot be is refused with nothing lost. */
import { expect, test } from 'vitest';
import { Cluster, type Opened } from './cluster.ts';

const add = (opened: Opened): Promise<number> => opened.node.propose({ type: 'add', amount: 1 });
const options = { votersTarget: 3 };

test('who is demoted by hand is not made a voter again, and the table says that it does not want to; promoted by hand it votes', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, options);
  const leader = cluster.leader();
  const [demoted] = cluster.followers();
  if (demoted === undefined) throw new Error('nobody');
  const { id } = demoted.node;
  await leader.node.membership.demote(id);
  const standby = await cluster.open(options);
  // The controller fills the place, with somebody else.
  await standby.node.until((status) => status.suffrage === 'voter', { timeoutMs: 30_000 });
  expect(leader.node.config.learners).toEqual([id]);
  expect(leader.node.admin.autopilot()?.members.find((row) => row.id === id)).toMatchObject({
    suffrage: 'learner',
    wantsVote: false,
  });
  // A fourth vote, beyond the target, is as wished.
  await leader.node.membership.promote(id);
  expect(leader.node.config.voters).toHaveLength(4);
  expect(await add(demoted)).toBe(1);
  expect(leader.node.config.voters).toHaveLength(4);
});

test('the last member cannot leave, nor be removed: a coded answer, and it works on', async () => {
  await using cluster = new Cluster();
  const [only] = await cluster.of(1);
  if (only === undefined) throw new Error('nobody');
  await expect(only.node.membership.leave()).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(only.node.membership.demote(only.node.id)).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(only.node.membership.change({ voters: [] })).rejects.toMatchObject({ code: 'config-invalid' });
  expect(await add(only)).toBe(1);
});

test('a leader that removes itself is out, with all it had written; the others go on', async () => {
  await using cluster = new Cluster();
  await cluster.of(3, options);
  const leader = cluster.leader();
  const others = cluster.followers();
  expect(await add(leader)).toBe(1);
  await leader.node.membership.remove(leader.node.id);
  await expect(add(leader)).rejects.toMatchObject({ code: 'removed' });
  expect(await others[0]?.node.propose({ type: 'add', amount: 1 })).toBe(2);
  expect(others[0]?.node.config.voters).not.toContain(leader.node.id);
});
