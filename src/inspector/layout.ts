/** Where the members stand: on a ring, those of one device beside each other, with a gap to the next device. */
import type { MemberFact } from './inspected.ts';

/** Units of the picture's own coordinates. */
export const WIDTH = 440;
const CENTER_X = WIDTH / 2;
const CENTER_Y = 180;
/** Room for a circle with its name, and without; and the least height of the picture. */
const NAMED = 76;
const BARE = 44;
const FRAME_MIN = 190;
const RING_X = 162;
const RING_Y = 128;
/** A gap between two devices is as wide as so many members. */
const GAP = 0.7;
/** Room left for the neighbour's circle, and the largest and smallest a member may be. */
const SIZE_SHARE = 0.36;
const SIZE_MAX = 25;
const SIZE_MIN = 6;
/** Up to so many members have their names beside them, and their links their facts. */
export const NAMES_MAX = 12;
export const LINK_FACTS_MAX = 6;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Place {
  readonly member: MemberFact;
  readonly x: number;
  readonly y: number;
  /** Of the circle that stands for the member. */
  readonly radius: number;
  /** Its name stands on the outer side of the ring, away from the links: above it in the upper half. */
  readonly above: boolean;
}

export function placesOf(members: readonly MemberFact[]): readonly Place[] {
  const count = members.length;
  const radius = radiusFor(count);
  if (count === 1) return members.map((member) => ({ member, x: CENTER_X, y: CENTER_Y, radius, above: false }));
  const breaks = members.map((member, i) => startsDevice(members, i) && member.device !== '');
  const gaps = breaks.filter(Boolean).length;
  const steps = count + (gaps > 1 ? gaps * GAP : 0);
  let step = 0;
  return members.map((member, i) => {
    if (gaps > 1 && breaks[i] === true && i > 0) step += GAP;
    const angle = (step / steps) * 2 * Math.PI - Math.PI / 2;
    step += 1;
    const [x, y] = [CENTER_X + RING_X * Math.cos(angle), CENTER_Y + RING_Y * Math.sin(angle)];
    return { member, x, y, radius, above: y < CENTER_Y - 1 };
  });
}

/** The part of the picture that the members and their names fill, as the viewBox of an SVG. */
export function frameOf(places: readonly Place[]): string {
  const ys = places.map(({ y }) => y);
  const top = Math.min(CENTER_Y - FRAME_MIN / 2, ...ys.map((y, i) => y - (places[i]?.above === true ? NAMED : BARE)));
  const bottom = Math.max(CENTER_Y + FRAME_MIN / 2, ...ys.map((y, i) => y + (places[i]?.above === true ? BARE : NAMED)));
  return `0 ${Math.round(top)} ${WIDTH} ${Math.round(bottom - top)}`;
}

function startsDevice(members: readonly MemberFact[], i: number): boolean {
  const before = members[(i + members.length - 1) % members.length];
  return before?.device !== members[i]?.device;
}

function radiusFor(count: number): number {
  const around = Math.PI * (RING_X + RING_Y);
  return Math.max(SIZE_MIN, Math.min(SIZE_MAX, (around / Math.max(1, count)) * SIZE_SHARE));
}

/** An arc around a member, clockwise from the top, as the path of an SVG; '' for none. */
export function arc(radius: number, share: number): string {
  if (share <= 0) return '';
  const whole = Math.min(share, 0.9999) * 2 * Math.PI;
  const x = radius * Math.sin(whole);
  const y = -radius * Math.cos(whole);
  return `M 0 ${-radius} A ${radius} ${radius} 0 ${whole > Math.PI ? 1 : 0} 1 ${x.toFixed(2)} ${y.toFixed(2)}`;
}

/** From the edge of one circle to the edge of the other. */
export function between(
  a: Place,
  b: Place,
): { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number } {
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const [dx, dy] = [(b.x - a.x) / length, (b.y - a.y) / length];
  return { x1: a.x + dx * a.radius, y1: a.y + dy * a.radius, x2: b.x - dx * b.radius, y2: b.y - dy * b.radius };
}

/** Whether two lines cross, each from its first point to its second. */
export function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}

/** On which side of the line through two points a third one is. */
function side(from: Point, to: Point, point: Point): boolean {
  return (to.x - from.x) * (point.y - from.y) - (to.y - from.y) * (point.x - from.x) > 0;
}

export function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => word.charAt(0))
    .join('')
    .toUpperCase();
}
