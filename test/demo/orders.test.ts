/** What comes over the demo's channel is read with care: other versions of the page speak there too. */
import { expect, test } from 'vitest';
import { LOAD_MS_MAX, readMessage } from '../../demo/break/orders.ts';
import { halves } from '../../demo/break/scripts.ts';

test('each message that can be meant is read, and nothing else', () => {
  const good = [
    { type: 'who', from: 'a' },
    { type: 'gone', from: 'a' },
    { type: 'here', from: 'a', faults: '', cuts: [] },
    { type: 'here', from: 'a', faults: 'cut off from 1, slow to write, '.repeat(3), cuts: ['b'] },
    { type: 'load', from: 'a', ms: 5 },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'crash' } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'cut' } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'cut', peers: ['c'] } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'mend', peers: ['c'] } },
  ];
  expect(good.map(readMessage)).toEqual(good);
  const bad = [
    undefined,
    null,
    'who',
    {},
    { type: 'who' },
    { type: 'who', from: 'x'.repeat(65) },
    { type: 'here', from: 'a', faults: 3 },
    { type: 'here', from: 'a', faults: 'x'.repeat(201) },
    { type: 'here', from: 'a', faults: '', cuts: 'b' },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'mend' } },
    { type: 'load', from: 'a', ms: LOAD_MS_MAX + 1 },
    { type: 'load', from: 'a', ms: Number.NaN },
    { type: 'order', from: 'a', fault: { kind: 'crash' } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'explode' } },
    { type: 'order', from: 'a', to: 'b', fault: null },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'cut', peers: 'all' } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'cut', peers: [1] } },
    { type: 'order', from: 'a', to: 'b', fault: { kind: 'cut', peers: Array(1_000).fill('c') } },
  ];
  expect(bad.map(readMessage)).toEqual(bad.map(() => undefined));
  // An earlier version of the page does not say from whom it is cut off.
  expect(readMessage({ type: 'here', from: 'a', faults: '' })).toEqual({ type: 'here', from: 'a', faults: '', cuts: [] });
  expect(readMessage({ type: 'order', from: 'a', to: 'b', fault: { kind: 'heal', more: 1 }, extra: 2 })).toEqual({
    type: 'order',
    from: 'a',
    to: 'b',
    fault: { kind: 'heal' },
  });
});

test('a split puts the leader on the smaller side, with members of this browser only', () => {
  expect(halves(['a', 'b', 'c'], 'b', ['a', 'b', 'c'])).toEqual([['b'], ['a', 'c']]);
  expect(halves(['a', 'b', 'c', 'd', 'e'], 'e', ['e', 'c'])).toEqual([
    ['e', 'c'],
    ['a', 'b', 'd'],
  ]);
  expect(halves(['a', 'b', 'c', 'd'], 'a', ['a', 'b', 'c', 'd'])[0]).toHaveLength(1);
  expect(halves(['a', 'b'], 'a', ['a', 'b'])[0]).toEqual([]);
  expect(halves(['a', 'b', 'c'], 'b', ['a'])[0]).toEqual([]);
  expect(halves(['a', 'b', 'c'], undefined, ['a', 'b', 'c'])[0]).toEqual([]);
});
