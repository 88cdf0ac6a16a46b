/** From a status to facts: what is known, what is not, and what it is called. */
import { expect, test } from 'vitest';
import type { AutopilotTable, NodeStatus } from '../../src/index.ts';
import { panelNames } from '../../src/inspector/element.ts';
import { duration, factsOf, summaryOf } from '../../src/inspector/facts.ts';
import { type Inspected, PLAIN_LOOK } from '../../src/inspector/inspected.ts';
import { config, peer, status } from '../demo/fake-node.ts';

function node(given: Partial<NodeStatus> = {}, table?: AutopilotTable): Inspected {
  return {
    status: status(given),
    config: config(['a', 'b', 'c']),
    admin: { autopilot: () => table },
  } as unknown as Inspected;
}

test('each member once, with the name the cluster knows; one leads, one is here', () => {
  const facts = factsOf(node(), PLAIN_LOOK);
  expect(facts.members.map(({ id, name, isSelf, isLeader }) => [id, name, isSelf, isLeader])).toEqual([
    ['a', 'A', true, false],
    ['b', 'B', false, true],
    ['c', 'C', false, false],
  ]);
  expect(facts.leader?.id).toBe('b');
  expect(summaryOf(facts)).toBe('3 members, 3 vote; B leads term 3.');
  expect(facts.named('a and b')).toContain('B');
});

test('who is silent for long, or not linked, is away, and its arc is full', () => {
  const peers = [peer('b', { lastContactMs: 60_000 }), peer('c', { link: 'none', lastContactMs: undefined })];
  const { members, leader } = factsOf(node({ peers, leaderId: undefined }), PLAIN_LOOK);
  expect(members.map(({ reach, clock }) => [reach, clock])).toEqual([
    ['self', 0.1],
    ['away', 1],
    ['away', 1],
  ]);
  expect(leader).toBeUndefined();
});

test('what a member never said is unknown, not zero', () => {
  const { members } = factsOf(
    node({ peers: [peer('b', { role: undefined, appliedIndex: undefined, matchIndex: undefined })] }),
    PLAIN_LOOK,
  );
  expect(members[1]).toMatchObject({ role: 'unknown', applied: undefined, durable: undefined });
});

test('members of one device stand together: as the autopilot says, else by links that do not leave the browser', () => {
  const row = (id: string, device: string): AutopilotTable['members'][number] => ({
    id,
    device,
    suffrage: 'voter',
    wantsVote: true,
    caughtUp: true,
    heardForMs: 1,
    silentForMs: 0,
    hasLeft: false,
    burden: 0,
    shortOfSpace: false,
    lasting: false,
  });
  const table = {
    enabled: true,
    votersTarget: 3,
    silentAfterMs: 1,
    members: [row('a', 'y'), row('b', 'x'), row('c', 'y')],
    decisions: [],
  };
  expect(factsOf(node({}, table), PLAIN_LOOK).members.map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  const peers = [peer('b'), peer('c', { linkKind: 'broadcast' })];
  const devices = factsOf(node({ peers }), PLAIN_LOOK).members.map(({ id, device }) => [id, device]);
  expect(devices).toEqual([
    ['b', ''],
    ['a', 'this device'],
    ['c', 'this device'],
  ]);
});

test('durations are as short as can be read', () => {
  expect([undefined, 0.42, 34.4, 1_240].map(duration)).toEqual(['–', '0.4 ms', '34 ms', '1.2 s']);
});

test('panels are named by an attribute; what it names wrongly is left out', () => {
  expect(panelNames(null)).toContain('cluster');
  expect(panelNames('log cluster nothing')).toEqual(['cluster', 'log']);
  expect(panelNames('')).toEqual([]);
});
