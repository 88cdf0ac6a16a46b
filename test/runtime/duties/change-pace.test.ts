/** Newcomers and the autopilot share one pace, and each has its turn. */
import { expect, test } from 'vitest';
import { ChangePace } from '../../../src/runtime/duties/change-pace.ts';

/** Both want to change something all the time and ask once a tick; who went, at which ms. */
function crowd(pace: ChangePace, forMs: number, who: readonly ('joins' | 'autopilot')[]): string[] {
  const went: string[] = [];
  for (let now = 0; now <= forMs; now += 50) for (const one of who) if (pace.ask(one, now)) went.push(`${one} ${now}`);
  return went;
}

test('one change an interval, of both together; who has waited goes next', () => {
  expect(crowd(new ChangePace(1_000), 3_000, ['joins', 'autopilot'])).toEqual([
    'joins 0',
    'autopilot 1000',
    'joins 2000',
    'autopilot 3000',
  ]);
});

test('alone each goes at the same pace, and who does not ask any more keeps nobody waiting', () => {
  expect(crowd(new ChangePace(1_000), 2_000, ['autopilot'])).toEqual(['autopilot 0', 'autopilot 1000', 'autopilot 2000']);
  const pace = new ChangePace(1_000);
  expect(pace.ask('joins', 0)).toBe(true);
  expect(pace.ask('autopilot', 10)).toBe(false);
  expect(pace.ask('joins', 1_000)).toBe(false);
  expect(pace.ask('joins', 2_010)).toBe(true);
});

test('a voter that has left is seen to at once, and the next change waits for its time', () => {
  const pace = new ChangePace(1_000);
  expect(pace.ask('joins', 0)).toBe(true);
  pace.note('autopilot', 100);
  expect(pace.ask('joins', 1_050)).toBe(false);
  expect(pace.ask('joins', 1_100)).toBe(true);
});

test('without an interval nobody waits', () => {
  expect(crowd(new ChangePace(0), 50, ['joins', 'autopilot'])).toEqual(['joins 0', 'autopilot 0', 'joins 50', 'autopilot 50']);
});
