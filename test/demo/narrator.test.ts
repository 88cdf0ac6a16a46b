import { beforeEach, expect, test, vi } from 'vitest';
import { narrate } from '../../demo/narrator.ts';
import { RaftError } from '../../src/index.ts';
import { config, FakeNode, peer, status } from './fake-node.ts';

let node: FakeNode;
let said: string[];
let closing: AbortController;

beforeEach(() => {
  node = new FakeNode();
  said = [];
  closing = new AbortController();
  narrate(node, 'Me', (text) => said.push(text), closing.signal);
});

test('a leader that left is named with its successor and how long it took since it was last heard', () => {
  const clock = vi.spyOn(performance, 'now');
  clock.mockReturnValue(10_000);
  node.status = status({ peers: [peer('b', { link: 'closed', lastContactMs: 300 }), peer('c')] });
  node.lead(undefined, 3);
  clock.mockReturnValue(10_800);
  node.lead('c', 4);
  clock.mockRestore();
  expect(said).toEqual(['B left; C leads term 4 after 1.1 s.']);
});

test('a leader whose link stands fell silent, or stepped down when it was just heard', () => {
  node.status = status({ peers: [peer('b', { lastContactMs: 1_400 }), peer('c')] });
  node.lead('a', 4);
  node.status = status({ leaderId: 'a', peers: [peer('b', { lastContactMs: 5 }), peer('c')] });
  node.lead('b', 5);
  node.lead('c', 6);
  expect(said.map((line) => line.replace(/after .*/, 'after'))).toEqual([
    'B fell silent; this tab leads term 4 after',
    'This tab no longer leads; B leads term 5 after',
    'B stepped down; C leads term 6 after',
  ]);
});

test('the same leader again is not a change of leader', () => {
  node.lead(undefined, 3);
  node.lead('b', 3);
  expect(said).toEqual(['B leads term 3.']);
});

test('members are told as they join, vote and go', () => {
  node.config = config(['a', 'b', 'c'], ['d']);
  node.emit('config', node.config);
  node.config = config(['a', 'b', 'c', 'd']);
  node.emit('config', node.config);
  node.config = config(['a', 'b', 'd']);
  node.emit('config', node.config);
  expect(said).toEqual(['D joined and is catching up.', 'D votes now: 4 voters.', 'C is no longer a member.']);
});

test('links and signaling are told once per change', () => {
  node.emit('peer', peer('b', { link: 'open' }));
  node.emit('peer', peer('b', { link: 'open', name: 'B' }));
  node.emit('peer', peer('b', { link: 'open', name: 'B', rttMs: 2 }));
  node.emit('peer', peer('b', { link: 'closed' }));
  const gone = { state: 'connecting', error: new RaftError('signaling-unreachable', 'no') } as const;
  node.emit('signaling', gone);
  node.emit('signaling', { state: 'connecting', error: undefined });
  node.emit('signaling', gone);
  node.emit('signaling', { state: 'open', error: undefined });
  expect(said).toEqual([
    'Linked to B (simple-peer).',
    'The link to B is gone.',
    'The signaling server does not answer; links that stand go on.',
    'The signaling server is back.',
  ]);
});

test('faults are sentences with their code, and nothing is said after the end', () => {
  node.emit('quorum-restored', { alive: 1, need: 1 });
  node.emit('fault', { error: new RaftError('quota', 'full') });
  node.emit('quorum-lost', { alive: 1, need: 2, missing: [], text: '' });
  closing.abort();
  node.emit('quorum-restored', { alive: 2, need: 2 });
  expect(said).toEqual(['The disk is full (quota).', 'Only 1 voter can be reached and 2 are needed: writes wait.']);
});
