/** The members on a ring, with this tab's links to them. A picture of what the cards say in words. */
import { s, setAttribute, setHue, setText } from '../dom.ts';
import type { Member } from './member.ts';

const SIZE = 200;
const RADIUS = 68;
const NODE = 17;
const MARGIN = 6;

export interface Ring {
  readonly element: SVGElement;
  show(members: readonly Member[]): void;
}

export function ringView(): Ring {
  const lines = s('g');
  const nodes = s('g');
  const element = s(
    'svg',
    { class: 'ring', viewBox: `${MARGIN} ${MARGIN} ${SIZE - 2 * MARGIN} ${SIZE - 2 * MARGIN}`, 'aria-hidden': 'true' },
    lines,
    nodes,
  );
  let drawn = '';
  return {
    element,
    show: (members) => {
      // Drawn anew only when it would look different.
      const look = JSON.stringify(members.map(({ id, link, leader, suffrage, hue }) => [id, link, leader, suffrage, hue]));
      if (look === drawn) return;
      drawn = look;
      const places = members.map((member, i) => ({ member, ...place(i, members.length) }));
      const self = places.find(({ member }) => member.self);
      lines.replaceChildren(
        ...places
          .filter(({ member }) => !member.self)
          .map(({ member, x, y }) => s('line', { x1: self?.x ?? 0, y1: self?.y ?? 0, x2: x, y2: y, 'data-link': member.link })),
      );
      nodes.replaceChildren(...places.map(({ member, x, y }) => node(member, x, y)));
    },
  };
}

function place(i: number, count: number): { readonly x: number; readonly y: number } {
  if (count === 1) return { x: SIZE / 2, y: SIZE / 2 };
  const angle = (i / count) * 2 * Math.PI - Math.PI / 2;
  return { x: SIZE / 2 + RADIUS * Math.cos(angle), y: SIZE / 2 + RADIUS * Math.sin(angle) };
}

function node(member: Member, x: number, y: number): SVGGElement {
  const initials = s('text', { 'text-anchor': 'middle', dy: '0.36em' });
  setText(
    initials,
    member.name
      .split(' ')
      .map((word) => word.charAt(0))
      .slice(0, 2)
      .join(''),
  );
  const group = s(
    'g',
    { class: 'node', transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, 'data-link': member.link },
    member.leader && s('circle', { class: 'halo', r: NODE + 6 }),
    s('circle', { class: 'body', r: NODE }),
    initials,
  );
  setAttribute(group, 'data-suffrage', member.suffrage);
  setAttribute(group, 'data-self', member.self);
  setHue(group, member.hue);
  return group;
}
