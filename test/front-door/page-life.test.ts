/** What a page's events mean to its node. */
import { beforeEach, expect, test } from 'vitest';
import { watchPageLife } from '../../src/front-door/page-life.ts';

class Page extends EventTarget {
  visibilityState = 'visible';
}

const window = new EventTarget();
const document = new Page();
let told: string[] = [];
let watch: { stop(): void } | undefined;

beforeEach(() => {
  told = [];
  watch?.stop();
  const hooks = { onGone: () => told.push('gone'), onPutAway: () => told.push('away'), onBack: () => told.push('back') };
  watch = watchPageLife(hooks, { window, document });
});

const transition = (type: string, persisted: boolean): Event => Object.assign(new Event(type), { persisted });

test('a page that goes for good', () => {
  window.dispatchEvent(transition('pagehide', false));
  window.dispatchEvent(transition('pageshow', false));
  expect(told).toEqual(['gone']);
});

test('a page that the browser keeps for the way back', () => {
  window.dispatchEvent(transition('pagehide', true));
  window.dispatchEvent(transition('pageshow', true));
  expect(told).toEqual(['away', 'back']);
});

test('frozen and thawed', () => {
  document.dispatchEvent(new Event('freeze'));
  document.dispatchEvent(new Event('resume'));
  expect(told).toEqual(['away', 'back']);
});

test('seen again, or on the network again: the time that went by is looked at', () => {
  document.visibilityState = 'hidden';
  document.dispatchEvent(new Event('visibilitychange'));
  expect(told).toEqual([]);
  document.visibilityState = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  window.dispatchEvent(new Event('online'));
  expect(told).toEqual(['back', 'back']);
});

test('nothing once it is stopped, and nothing where there is no page', () => {
  watch?.stop();
  document.dispatchEvent(new Event('freeze'));
  expect(told).toEqual([]);
  expect(() => watchPageLife({ onGone: () => {}, onPutAway: () => {}, onBack: () => {} }, {}).stop()).not.toThrow();
});
