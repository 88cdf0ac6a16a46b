import { expect, test } from 'vitest';
import type { Forecast } from '../../src/index.ts';
import { ifClosed } from '../../src/inspector/closing.ts';
import { config } from '../demo/fake-node.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];

function said(voters: number, alive: number, id = 'a'): ReturnType<typeof ifClosed> {
  const need = Math.floor(voters / 2) + 1;
  const rest = { failureTolerance: Math.max(0, alive - need), copies: need, missing: [], toldBy: undefined, text: '' };
  const forecast = (): Forecast => ({ quorumAlive: alive >= need, alive, need, ...rest });
  return ifClosed({ id, config: config(ids.slice(0, voters), ['x']), forecast });
}

test('three voters: one may close', () => {
  expect(said(3, 3)).toEqual({ level: 'good', text: 'If this tab closes, 2 of 3 voters go on; no other may fail then.' });
});

test('two of three: the next one that closes stops the room', () => {
  expect(said(3, 2)).toEqual({ level: 'bad', text: 'If this tab closes, 1 of 3 voters remain: too few, writes would wait.' });
});

test('two voters: who closes leaves its vote, who crashes does not', () => {
  expect(said(2, 2)).toEqual({
    level: 'warn',
    text: 'If this tab closes, the other goes on alone; if it crashes, the other may wait for it.',
  });
});

test('one voter: the room sleeps with it', () => {
  expect(said(1, 1)).toMatchObject({ level: 'warn', text: expect.stringContaining('the room sleeps on this device') as string });
});

test('no majority: writes wait already, as the node says', () => {
  expect(said(3, 1)).toEqual({ level: 'bad', text: 'Only 1 of 3 voters can be reached and 2 are needed: writes wait.' });
  expect(said(2, 1).text).toBe('Only 1 of 2 voters can be reached and 2 are needed: writes wait.');
});

test('a learner may close without harm; without a cluster there is nothing to lose', () => {
  expect(said(3, 3, 'x')).toEqual({ level: 'good', text: 'If this tab closes, nothing changes: it does not vote.' });
  expect(said(0, 0)).toEqual({ level: 'warn', text: 'This tab is not part of the cluster yet.' });
});

test('five voters: two may fail', () => {
  expect(said(5, 5).text).toBe('If this tab closes, 4 of 5 voters go on; 1 more may fail then.');
});
