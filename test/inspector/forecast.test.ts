import { expect, test } from 'vitest';
import { forecastOf } from '../../src/inspector/forecast.ts';
import { config, peer, status } from '../demo/fake-node.ts';

test('three voters: one may close', () => {
  expect(forecastOf(status(), config(['a', 'b', 'c']))).toEqual({
    level: 'good',
    voters: 3,
    votersAlive: 3,
    text: 'If this tab closes, 2 of 3 voters go on; no other may fail then.',
  });
});

test('two voters: none may close', () => {
  const forecast = forecastOf(status({ peers: [peer('b')] }), config(['a', 'b']));
  expect(forecast).toMatchObject({ level: 'bad', text: 'If this tab closes, 1 of 2 voters remain: too few, writes would wait.' });
});

test('one voter: the room sleeps with it', () => {
  expect(forecastOf(status({ peers: [] }), config(['a']))).toMatchObject({ level: 'warn', votersAlive: 1 });
});

test('voters without a link, or silent for long, do not count', () => {
  const peers = [peer('b', { link: 'closed' }), peer('c', { lastContactMs: 60_000 })];
  expect(forecastOf(status({ peers }), config(['a', 'b', 'c']))).toMatchObject({
    level: 'bad',
    votersAlive: 1,
    text: 'Only 1 of 3 voters can be reached and 2 are needed: writes wait.',
  });
});

test('a learner may close without harm', () => {
  const forecast = forecastOf(
    status({ id: 'd', suffrage: 'learner', peers: ['a', 'b', 'c'].map((id) => peer(id)) }),
    config(['a', 'b', 'c'], ['d']),
  );
  expect(forecast).toMatchObject({ level: 'good', text: 'If this tab closes, nothing changes: it does not vote.' });
});

test('five voters: two may fail', () => {
  const forecast = forecastOf(status({ peers: ['b', 'c', 'd', 'e'].map((id) => peer(id)) }), config(['a', 'b', 'c', 'd', 'e']));
  expect(forecast.text).toBe('If this tab closes, 4 of 5 voters go on; 1 more may fail then.');
});
