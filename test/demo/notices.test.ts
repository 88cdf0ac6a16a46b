import { expect, test } from 'vitest';
import { noticesOf } from '../../demo/notices.ts';
import type { Page } from '../../demo/page.ts';
import { peopleOf } from '../../demo/people.ts';
import { sentenceOf } from '../../demo/sentences.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { RaftError, type RaftErrorCode } from '../../src/index.ts';
import { config, peer, status } from './fake-node.ts';

function page(given: Partial<Page> = {}): Page {
  const base = { room: 'r', ownName: 'Me', node: undefined, shared: undefined, feed: [], caughtUp: true };
  const facts = {
    signalingError: undefined,
    noMajority: false,
    outlook: '',
    status: status(),
    config: config(['a', 'b', 'c']),
    failure: undefined,
    fault: undefined,
    saboteur: undefined,
    history: undefined,
    away: undefined,
  };
  return { ...base, ...facts, people: peopleOf(undefined, undefined, 'Me'), ...given };
}

const keys = (given: Partial<Page>): string[] => noticesOf(page(given)).map(({ key, level, code }) => `${level} ${key} ${code}`);

test('a healthy cluster has nothing to say', () => {
  expect(noticesOf(page())).toEqual([]);
});

test('a failure to open is the only notice, with its code and a way on', () => {
  const [notice, ...others] = noticesOf(page({ failure: new RaftError('room-invalid', 'x'), status: undefined }));
  expect(others).toEqual([]);
  expect(notice).toMatchObject({ level: 'error', code: 'room-invalid', action: 'fresh-room', title: 'This is not a room name' });
  expect(noticesOf(page({ failure: new RaftError('webrtc-unavailable', 'x') }))[0]).toMatchObject({ action: 'reload' });
});

test('an error that is not ours is still a sentence', () => {
  expect(noticesOf(page({ failure: new TypeError('boom') }))[0]).toMatchObject({ level: 'error', code: undefined, text: 'boom' });
});

test('no majority, a lost signaling server and a full disk are all told', () => {
  const lonely = status({
    quorumAlive: false,
    signaling: 'closed',
    peers: [peer('b', { link: 'closed' }), peer('c', { link: 'none' })],
  });
  expect(
    keys({
      status: lonely,
      noMajority: true,
      signalingError: new RaftError('signaling-unreachable', 'gone'),
      fault: new RaftError('quota', 'full'),
    }),
  ).toEqual(['error quorum undefined', 'error signaling signaling-unreachable', 'warn fault quota']);
  const outlook = 'Only 1 of the 2 voters that make a majority can be reached. Missing: Blue Otter (closed 4 s ago).';
  expect(noticesOf(page({ status: lonely, noMajority: true, outlook }))[0]).toMatchObject({ text: outlook });
});

test('a fault of the page is told, a link that failed is not', () => {
  expect(noticesOf(page({ fault: new TypeError('boom') }))).toMatchObject([{ level: 'warn', code: undefined, text: 'boom' }]);
  expect(noticesOf(page({ fault: new RaftError('link-failed', 'gone') }))).toEqual([]);
});

test('a formed mesh without signaling is a warning, not an error', () => {
  expect(keys({ signalingError: new RaftError('signaling-unreachable', 'gone') })).toEqual([
    'warn signaling signaling-unreachable',
  ]);
});

test('a stopped or removed node says so', () => {
  expect(keys({ status: status({ role: 'stopped' }) })).toEqual(['error ended stopped']);
  expect(keys({ status: status({ role: 'removed' }) })).toEqual(['error ended removed']);
});

test('every code has a sentence that is more than the code', () => {
  for (const code of Object.keys(ERROR_CODES) as RaftErrorCode[]) {
    const { title, text } = sentenceOf(new RaftError(code, 'The reason.'));
    expect(title.length, code).toBeGreaterThan(8);
    expect(text.length, code).toBeGreaterThan(8);
  }
});
