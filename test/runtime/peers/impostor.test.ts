/** Who speaks over a link is who it leads to, and belongs to a cluster only if both ends say so. */
import { expect, test } from 'vitest';
import type { Message } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import { examine, type InboxView } from '../../../src/runtime/peers/inbox.ts';
import { type PeerHooks, Peers } from '../../../src/runtime/peers/peers.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { encodePeerMessage } from '../../../src/wire/codec.ts';
import type { Hello } from '../../../src/wire/peer-message.ts';

const view: InboxView = { speaker: () => 'voter', term: 3, knownTerm: 3, lastIndex: 9, leaderId: '' };
const link = { self: 'a', peer: 'b' };
const ends = { from: 'b', to: 'a', term: 3 };
const SAID: readonly Message[] = [
  { ...ends, type: 'append-request', prevIndex: 9, prevTerm: 3, commit: 9, entries: [] },
  { ...ends, type: 'append-response', index: 9, reject: false, hintIndex: 0, hintTerm: 0, commit: 9 },
  { ...ends, type: 'heartbeat-request', commit: 9, round: 1 },
  { ...ends, type: 'heartbeat-response', round: 1 },
  { ...ends, type: 'vote-response', pre: false, reject: false, commit: 0, commitTerm: 0 },
  { ...ends, type: 'timeout-now' },
  { ...ends, type: 'transfer-refused' },
  { ...ends, type: 'read-index-request', context: 'r' },
  { ...ends, type: 'read-index-response', context: 'r', index: 9, reject: false },
];

test('over its own link a voter says each of them', () => {
  for (const message of SAID)
    expect([message.type, examine({ kind: 'raft', group: 0, message }, 100, link, view).kind]).toEqual([message.type, 'taken']);
});

test('nobody speaks for somebody else, nor to somebody else: one peer would be a majority', () => {
  for (const message of SAID) {
    for (const forged of [
      { ...message, from: 'c' },
      { ...message, to: 'c' },
      { ...message, from: 'a' },
    ]) {
      const verdict = examine({ kind: 'raft', group: 0, message: forged }, 100, link, view);
      expect([message.type, verdict]).toEqual([message.type, { kind: 'refused', strikes: 1, notMember: false }]);
    }
  }
});

/** Node a, which says it belongs to `own`, with an open link to b, which says it belongs to `other`. */
function introduced(own: string, other: string): Peers {
  const hello = (nodeId: string, clusterId: string): Hello => ({
    kind: 'hello',
    versionMin: 1,
    versionMax: 1,
    nodeId,
    bootNonce: 'boot',
    clusterId,
    epoch: clusterId === '' ? 0 : 1,
    machineVersion: 1,
    name: '',
  });
  const transport = { send: () => true, disconnect: () => {}, queuedBytes: () => 0, links: () => [] } as unknown as Transport;
  const peers = new Peers('a', transport, nodeClock());
  const hooks = { hello: () => hello('a', own), judge: () => undefined, view, onPeer: () => {}, onTrace: () => {} };
  peers.attach(hooks as unknown as PeerHooks);
  peers.onLink('b', 'open');
  peers.onMessage('b', encodePeerMessage(hello('b', other)));
  return peers;
}

test('a node of no cluster, or of another one, is not trusted, and nothing of the algorithm goes to it', () => {
  const message: Message = { from: 'a', to: 'b', term: 3, type: 'heartbeat-request', commit: 0, round: 0 };
  const trusted = (own: string, other: string): boolean[] => {
    const peers = introduced(own, other);
    return [peers.get('b')?.trusted === true, peers.isLinked('b'), peers.sendRaft(message)];
  };
  expect(trusted('ours', 'ours')).toEqual([true, true, true]);
  expect(trusted('ours', '')).toEqual([false, false, false]);
  expect(trusted('', 'ours')).toEqual([false, false, false]);
  expect(trusted('', '')).toEqual([false, false, false]);
});
