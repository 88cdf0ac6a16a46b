/** The cluster, drawn: members on a ring, their links, and what passes on them. */
import { keyed, s, setAttribute, setHue, setText } from './dom.ts';
import { duration, summaryOf } from './facts.ts';
import { type Facts, type Knife, type MemberFact, termHue } from './inspected.ts';
import { type Blade, bladeFor, type Cuttable } from './knife.ts';
import { arc, between, frameOf, initials, LINK_FACTS_MAX, NAMES_MAX, type Place, placesOf } from './layout.ts';
import type { Mark } from './messages.ts';

/** Marks on their way at once; more would be a blur. */
const MARKS_MAX = 60;
/** How long a mark is on its way, in ms: long enough to be followed by eye. */
const MARK_MS = 620;
/** Where a link's words stand: nearer to the other end, where its lines are apart. */
const WORDS_AT = 0.62;
/** A silence shorter than this share of an election timeout is not worth an arc. */
const CLOCK_SHOWN = 0.06;

export interface Picture {
  readonly element: SVGSVGElement;
  show(facts: Facts): void;
  /** Lets messages travel; does nothing where motion is not wanted. */
  play(marks: readonly Mark[]): void;
}

interface Drawn {
  readonly element: SVGGElement;
  update(place: Place, facts: Facts): void;
}

interface DrawnLine {
  readonly element: SVGGElement;
  update(line: Line, knife: Knife | undefined): void;
}

/** A line between two members: this node's own link, or one between two others. */
interface Line {
  readonly key: string;
  readonly from: Place;
  readonly to: Place;
  readonly state: MemberFact['reach'] | 'others';
  readonly relayed: boolean;
  readonly words: string;
}

export function picture(knife: () => Knife | undefined): Picture {
  const lines = s('g', { class: 'lines' });
  const marks = s('g', { class: 'marks' });
  const nodes = s('g', { class: 'nodes' });
  const element = s('svg', { class: 'picture' }, lines, marks, nodes);
  let shown: readonly Line[] = [];
  const blade = bladeFor(element, marks, knife, () => shown.map(cuttable));
  const showLines = keyed<Line, SVGGElement, DrawnLine>(lines, (line) => drawLine(line, blade));
  const showNodes = keyed<Place, SVGGElement, Drawn>(nodes, drawMember);
  let places: readonly Place[] = [];
  return {
    element,
    show: (facts) => {
      places = placesOf(facts.members);
      setAttribute(element, 'aria-label', summaryOf(facts));
      setAttribute(element, 'viewBox', frameOf(places));
      setAttribute(element, 'data-size', facts.members.length > NAMES_MAX ? 'many' : 'few');
      // What can be pressed is no image to a screen reader.
      const used = knife();
      setAttribute(element, 'role', used === undefined ? 'img' : 'group');
      setAttribute(element, 'data-knife', used !== undefined);
      shown = linesOf(places);
      showLines(
        shown,
        (line) => line.key,
        (drawn, line) => drawn.update(line, used),
      );
      showNodes(
        places,
        ({ member }) => member.id,
        (drawn, place) => drawn.update(place, facts),
      );
    },
    play: (taken) => {
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
      const self = places.find(({ member }) => member.isSelf);
      if (self === undefined) return;
      for (const mark of taken) {
        const peer = places.find(({ member }) => member.id === mark.peer);
        if (peer === undefined || marks.childElementCount >= MARKS_MAX) continue;
        travel(marks, mark, self, peer);
      }
    },
  };
}

function linesOf(places: readonly Place[]): Line[] {
  const self = places.find(({ member }) => member.isSelf);
  if (self === undefined) return [];
  const worded = places.length <= LINK_FACTS_MAX;
  const own = places.filter((place) => place !== self);
  const lines = own.map(
    (to): Line => ({
      key: to.member.id,
      from: self,
      to,
      state: to.member.reach,
      relayed: to.member.linkKind.includes('relay'),
      words: worded ? linkWords(to.member) : '',
    }),
  );
  // Between others: nothing is known of these links here, but everybody dials everybody. Of many, only those to the leader.
  const linked = own.filter(({ member }) => member.reach === 'linked');
  for (const from of linked) {
    for (const to of linked) {
      const shown = places.length <= NAMES_MAX ? from.member.id < to.member.id : from.member.follows === to.member.id;
      if (shown && from !== to)
        lines.push({ key: `${from.member.id} ${to.member.id}`, from, to, state: 'others', relayed: false, words: '' });
    }
  }
  return lines;
}

function linkWords({ reach, linkKind, rttMs, silentMs }: MemberFact): string {
  if (reach === 'connecting') return 'connecting';
  if (reach === 'away') return silentMs === undefined ? 'no link' : `silent ${duration(silentMs)}`;
  return `${linkKind}${rttMs === undefined ? '' : ` ${duration(rttMs)}`}`;
}

function cuttable({ from, to }: Line): Cuttable {
  const { x1, y1, x2, y2 } = between(from, to);
  return {
    ids: [from.member.id, to.member.id],
    ends: [
      { x: x1, y: y1 },
      { x: x2, y: y2 },
    ],
  };
}

function drawLine(first: Line, blade: Blade): DrawnLine {
  let latest = first;
  const stroke = s('line');
  const words = s('text', { 'text-anchor': 'middle' });
  // Wide enough for a finger.
  const grip = s('path', { class: 'grip' });
  const element = s('g', { class: 'link' }, stroke, words, grip);
  blade.handle(element, () => cuttable(latest));
  return {
    element,
    update: (line, knife) => {
      latest = line;
      const ends = between(line.from, line.to);
      const level = Math.abs(ends.y2 - ends.y1) < 20;
      for (const [name, value] of Object.entries(ends)) setAttribute(stroke, name, value.toFixed(1));
      setAttribute(element, 'data-state', line.state);
      setAttribute(element, 'data-relayed', line.relayed);
      setText(words, line.words);
      setAttribute(words, 'x', (ends.x1 + (ends.x2 - ends.x1) * WORDS_AT).toFixed(1));
      setAttribute(words, 'y', (ends.y1 + (ends.y2 - ends.y1) * WORDS_AT + (level ? -6 : 3)).toFixed(1));
      setAttribute(grip, 'd', knife && `M ${ends.x1} ${ends.y1} L ${ends.x2} ${ends.y2}`);
      showCut(element, line, knife);
    },
  };
}

/** A button that is pressed while the link is cut; nothing to press where nobody cuts. */
function showCut(element: SVGGElement, { from, to, words }: Line, knife: Knife | undefined): void {
  const isCut = knife?.isCut(from.member.id, to.member.id) === true;
  setAttribute(element, 'data-cut', isCut);
  setAttribute(element, 'role', knife && 'button');
  setAttribute(element, 'tabindex', knife && '0');
  setAttribute(element, 'aria-pressed', knife && String(isCut));
  const what = `Cut the link between ${from.member.name} and ${to.member.name}`;
  setAttribute(element, 'aria-label', knife && (words === '' ? what : `${what}: ${words}`));
}

function drawMember(): Drawn {
  const title = s('title');
  const track = s('circle', { class: 'track' });
  const clock = s('path', { class: 'clock' });
  const body = s('circle', { class: 'body' });
  const letters = s('text', { class: 'letters', 'text-anchor': 'middle', dy: '0.36em' });
  const crown = s('path', { class: 'crown', d: 'M -9 4 L -9 -4 L -4.5 0 L 0 -7 L 4.5 0 L 9 -4 L 9 4 Z' });
  const name = s('text', { class: 'name', 'text-anchor': 'middle' });
  const role = s('text', { class: 'role', 'text-anchor': 'middle' });
  const element = s('g', { class: 'node' }, title, track, clock, body, letters, crown, name, role);
  return {
    element,
    update: ({ member, x, y, radius, above }, { members, term }) => {
      setAttribute(element, 'transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      setHue(element, member.hue);
      element.style.setProperty('--term', String(Math.round(termHue(member.term ?? term))));
      setAttribute(element, 'data-role', roleOf(member));
      setAttribute(element, 'data-reach', member.reach);
      setAttribute(element, 'data-suffrage', member.suffrage);
      const ring = radius * 1.3;
      setAttribute(body, 'r', radius.toFixed(1));
      setAttribute(track, 'r', ring.toFixed(1));
      setAttribute(clock, 'd', member.isLeader || member.clock < CLOCK_SHOWN ? '' : arc(ring, member.clock));
      setText(letters, radius < 10 ? '' : initials(member.name));
      setAttribute(letters, 'font-size', (radius * 0.72).toFixed(1));
      setAttribute(crown, 'visibility', member.isLeader ? 'visible' : 'hidden');
      setAttribute(crown, 'transform', `translate(0 ${(-ring - 6).toFixed(1)}) scale(${Math.min(1, radius / 18).toFixed(2)})`);
      const few = members.length <= NAMES_MAX;
      setText(name, few ? `${member.name}${member.isSelf ? ' (here)' : ''}` : '');
      setText(role, few ? roleWords(member) : '');
      setAttribute(element, 'data-hidden', member.slowedBy.includes('hidden'));
      const text = (above ? -ring - (member.isLeader ? 20 : 8) : ring + 15).toFixed(1);
      for (const each of [name, role]) setAttribute(each, 'y', text);
      // In ems: on a small page both are larger.
      setAttribute(name, 'dy', above ? '-1.15em' : '0');
      setAttribute(role, 'dy', above ? '0' : '1.2em');
      setText(title, `${member.name}: ${roleOf(member)}, ${member.suffrage}, ${member.isSelf ? 'this node' : linkWords(member)}`);
    },
  };
}

function roleWords(member: MemberFact): string {
  const term = member.term === undefined ? [] : [`term ${member.term}`];
  return [roleOf(member), ...term, ...member.slowedBy].join(' · ');
}

export function roleOf({ reach, isLeader, role }: MemberFact): string {
  if (reach === 'away' && role !== 'stopped' && role !== 'removed') return 'away';
  return isLeader ? 'leader' : role;
}

function travel(layer: SVGGElement, { kind, direction }: Mark, self: Place, peer: Place): void {
  const { x1, y1, x2, y2 } = direction === 'sent' ? between(self, peer) : between(peer, self);
  const dot = s('circle', { r: kind === 'heartbeat' ? 2.5 : 4, 'data-kind': kind });
  layer.append(dot);
  const at = (x: number, y: number): string => `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
  const motion = dot.animate([{ transform: at(x1, y1) }, { transform: at(x2, y2) }], {
    duration: MARK_MS,
    easing: 'cubic-bezier(0.3, 0, 0.4, 1)',
    fill: 'both',
  });
  // Also when it is cancelled, because the picture is taken away.
  const end = (): void => dot.remove();
  motion.finished.then(end, end);
}
