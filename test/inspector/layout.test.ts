/** The ring: nobody stands on anybody, with three and with forty. */
import { expect, test } from 'vitest';
import { factsOf } from '../../src/inspector/facts.ts';
import { type Inspected, PLAIN_LOOK } from '../../src/inspector/inspected.ts';
import { arc, between, crosses, frameOf, initials, type Place, placesOf, WIDTH } from '../../src/inspector/layout.ts';
import { config, peer, status } from '../demo/fake-node.ts';

function ring(count: number, deviceOf: (i: number) => string = () => ''): readonly Place[] {
  const ids = Array.from({ length: count }, (_, i) => `m${String(i).padStart(2, '0')}`);
  const [self = '', ...others] = ids;
  const node = {
    status: status({ id: self, peers: others.map((id) => peer(id)) }),
    config: config(ids),
    admin: { autopilot: () => undefined },
  };
  const { members } = factsOf(node as unknown as Inspected, PLAIN_LOOK);
  return placesOf(members.map((member, i) => ({ ...member, device: deviceOf(i) })));
}

const distance = (a: Place, b: Place): number => Math.hypot(a.x - b.x, a.y - b.y);

test.each([1, 2, 3, 7, 12, 24, 40])('%i members: inside the picture, and apart', (count) => {
  const places = ring(count);
  expect(places).toHaveLength(count);
  const [left = 0, top = 0, width = 0, height = 0] = frameOf(places).split(' ').map(Number);
  expect([left, width]).toEqual([0, WIDTH]);
  for (const a of places) {
    expect(a.radius).toBeGreaterThanOrEqual(6);
    expect(a.x - a.radius).toBeGreaterThan(0);
    expect(a.x + a.radius).toBeLessThan(WIDTH);
    // Two lines of text, and a crown, on the outer side.
    expect(a.y - a.radius - (a.above ? 50 : 18)).toBeGreaterThan(top);
    expect(a.y + a.radius + (a.above ? 0 : 45)).toBeLessThan(top + height);
    for (const b of places) if (a !== b) expect(distance(a, b)).toBeGreaterThan(2 * a.radius);
  }
});

test('between two devices there is a gap', () => {
  const places = ring(6, (i) => (i < 3 ? 'phone' : 'laptop'));
  const step = (i: number): number => distance(places[i] as Place, places[(i + 1) % 6] as Place);
  expect(step(2)).toBeGreaterThan(step(0) * 1.2);
  expect(step(5)).toBeGreaterThan(step(0) * 1.2);
});

test('a line goes from edge to edge; an arc has the length it says', () => {
  const [a, b] = ring(2) as [Place, Place];
  const { x1, y1, x2, y2 } = between(a, b);
  expect(Math.hypot(x2 - x1, y2 - y1)).toBeCloseTo(distance(a, b) - a.radius - b.radius, 1);
  expect(arc(10, 0)).toBe('');
  expect(arc(10, 0.25)).toMatch(/^M 0 -10 A 10 10 0 0 1 10.00 -?0.00$/);
  expect(arc(10, 0.75)).toContain(' 0 1 1 -10.00');
  expect(arc(10, 7)).toBe(arc(10, 1));
});

test('a stroke cuts the links that it crosses, and no others', () => {
  const at = (x: number, y: number): { readonly x: number; readonly y: number } => ({ x, y });
  expect(crosses(at(0, 5), at(10, 5), at(5, 0), at(5, 10))).toBe(true);
  expect(crosses(at(10, 5), at(0, 5), at(5, 10), at(5, 0))).toBe(true);
  expect(crosses(at(0, 5), at(4, 5), at(5, 0), at(5, 10))).toBe(false);
  expect(crosses(at(0, 11), at(10, 11), at(5, 0), at(5, 10))).toBe(false);
  expect(crosses(at(0, 0), at(10, 0), at(0, 1), at(10, 1))).toBe(false);
});

test('initials of whatever a name is', () => {
  expect(['Amber Hare', 'node-7', 'x', '', '  '].map(initials)).toEqual(['AH', 'N7', 'X', '', '']);
});
