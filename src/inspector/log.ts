/** The log: a strip for each member, and every entry of this node's as a list that scrolls through all of them. */
import type { EntryInfo } from '../index.ts';
import { h, type Keyed, keyed, setAttribute, setText } from './dom.ts';
import { amount } from './facts.ts';
import { type Facts, type MemberFact, type Panel, termHue } from './inspected.ts';
import { type Cell, cellsOf, Replacements, windowOf } from './log-cells.ts';
import { LogReader } from './log-reader.ts';

/** Height of a row of the list, in CSS px: all are alike, so that any of them can be found without the others. */
const ROW_PX = 30;
/** Rows drawn above and below what can be seen. */
const AROUND = 4;
/** Strips shown: of more members than this, this node's, the leader's and the first. */
const STRIPS_MAX = 12;
/** The tallest list a browser lays out well, in px; older entries are reached by opening a cell. */
const LIST_PX_MAX = 8_000_000;

const WORDS: Readonly<Record<Cell['state'], string>> = {
  applied: 'applied',
  committed: 'committed',
  stored: 'stored, not yet committed',
  claimed: 'it says it has one, nobody here knows which',
  compacted: 'in the snapshot',
  none: 'not there',
};

export function logView(): Panel {
  const strips = h('ul', { class: 'strips' });
  const opened = h('div', { class: 'entry', role: 'status', hidden: true });
  const bounds = h('span', { class: 'count', 'data-testid': 'log-bounds' });
  let reader: LogReader | undefined;
  let facts: Facts | undefined;
  const replacements = new Replacements();
  const open = (index: number): void => {
    const entry = reader?.entry(index);
    opened.replaceChildren(...(facts === undefined ? [] : entryWords(index, entry, facts)));
    setAttribute(opened, 'hidden', false);
  };
  const list = entryList(open, (index, again) => (again ? reader?.known(index) : reader?.entry(index)));
  const showStrips = keyed<MemberFact, HTMLLIElement, Strip>(strips, () => makeStrip(open));
  return {
    element: h('div', { class: 'log-panel' }, bounds, strips, legend(), opened, list.element),
    update: (next) => {
      if (facts?.node !== next.node) {
        reader = new LogReader(next.node, (entries) => {
          replacements.note(entries);
          // On a busy node the last page is another each time it is read: drawing it must not read it again.
          if (facts !== undefined) list.show(facts, true);
        });
      }
      facts = next;
      const { lastIndex, commitIndex, appliedIndex, durableIndex, firstIndex, snapshotIndex } = next.node.status;
      setText(
        bounds,
        `last ${amount(lastIndex)} · on disk ${amount(durableIndex)} · commit ${amount(commitIndex)} · applied ${amount(appliedIndex)}${
          snapshotIndex > 0 ? ` · snapshot ${amount(snapshotIndex)}` : ''
        }`,
      );
      const window = windowOf(next.members);
      // Looking at both ends reads what the strips need.
      reader?.entry(window.from);
      reader?.entry(Math.min(window.to, lastIndex));
      const own = { terms: replacements.terms, firstIndex, replaced: replacements.replaced };
      showStrips(
        shownStrips(next.members),
        ({ id }) => id,
        (strip, member) => strip.update(member, cellsOf(member, window, own), snapshotIndex),
      );
      list.show(next, false);
    },
  };
}

function shownStrips(members: readonly MemberFact[]): readonly MemberFact[] {
  if (members.length <= STRIPS_MAX) return members;
  const first = members.filter(({ isSelf, isLeader }) => isSelf || isLeader);
  return [...first, ...members.filter(({ isSelf, isLeader }) => !isSelf && !isLeader)].slice(0, STRIPS_MAX);
}

interface Strip extends Keyed<HTMLLIElement> {
  update(member: MemberFact, cells: readonly Cell[], snapshotIndex: number): void;
}

function makeStrip(open: (index: number) => void): Strip {
  const name = h('span', { class: 'strip-name' });
  // In words for those who cannot see the cells; whoever can, opens one by a click, and all of them from the list below.
  const words = h('span', { class: 'unseen' });
  const row = h('span', { class: 'cells', 'aria-hidden': 'true' });
  const show = keyed<Cell, HTMLElement, Keyed<HTMLElement>>(row, ({ index }) => ({
    element: h('i', { onclick: () => open(index) }),
  }));
  return {
    element: h('li', {}, name, words, row),
    update: (member, cells, snapshotIndex) => {
      setText(name, member.name);
      setText(words, `: last ${amount(member.last)}, committed ${amount(member.commit)}, applied ${amount(member.applied)}`);
      show(
        cells,
        ({ index }) => String(index),
        ({ element }, cell) => {
          if (cell.term !== undefined) element.style.setProperty('--term', String(Math.round(termHue(cell.term))));
          setAttribute(element, 'data-state', cell.state);
          setAttribute(element, 'data-durable', cell.isDurable);
          setAttribute(element, 'data-replaced', cell.wasReplaced);
          setAttribute(element, 'data-snapshot', member.isSelf && cell.index === snapshotIndex);
          const term = cell.term === undefined ? '' : `, term ${cell.term}`;
          setAttribute(
            element,
            'title',
            `${cell.index}${term}: ${WORDS[cell.state]}${cell.wasReplaced ? ', in the place of another' : ''}`,
          );
        },
      );
    },
  };
}

function legend(): HTMLElement {
  const item = (state: Cell['state'], text: string): HTMLElement =>
    h('span', {}, h('i', { class: 'swatch', 'data-state': state, 'data-durable': state === 'stored' ? undefined : true }), text);
  return h(
    'p',
    { class: 'legend' },
    item('applied', 'applied'),
    item('committed', 'committed'),
    item('stored', 'stored'),
    item('claimed', 'said to be there'),
    h('span', {}, 'colour: the term'),
  );
}

const KINDS: Readonly<Record<EntryInfo['type'], string>> = {
  command: '',
  config: 'members',
  noop: 'a new term begins',
  session: '',
};

/** An entry as its row shows it. */
export function entryText(entry: EntryInfo, named: Facts['named']): string {
  const kind = KINDS[entry.type];
  return entry.type === 'noop' ? kind : `${kind === '' ? '' : `${kind} `}${named(entry.text)}`;
}

function entryWords(index: number, entry: EntryInfo | undefined, { named, node }: Facts): readonly Node[] {
  if (entry === undefined) {
    const gone = index < node.status.firstIndex;
    return [
      h('b', {}, `Entry ${amount(index)}`),
      h('p', {}, gone ? 'It is in the snapshot; the log begins later.' : 'It is not in this log, or is being read.'),
    ];
  }
  const when = new Date(entry.time);
  return [
    h('b', {}, `Entry ${amount(index)}, term ${amount(entry.term)}`),
    h('p', {}, `${entryText(entry, named)}`),
    h(
      'p',
      { class: 'hint' },
      `${amount(entry.bytes)} bytes, written ${Number.isNaN(when.getTime()) ? 'at a time unknown' : when.toLocaleTimeString()}`,
    ),
    ...(entry.data === undefined ? [] : [h('pre', { tabindex: '0' }, named(dataText(entry.data)))]),
  ];
}

/** Data of an entry, readable whatever is in it. */
export function dataText(data: unknown): string {
  const shown = (_key: string, value: unknown): unknown => {
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    if (value instanceof Map) return Object.fromEntries(value);
    if (value instanceof Set) return [...value];
    return typeof value === 'bigint' ? `${value}n` : value;
  };
  try {
    return JSON.stringify(data, shown, 2) ?? String(data);
  } catch {
    return 'This cannot be shown: it refers to itself.';
  }
}

interface EntryRow extends Keyed<HTMLLIElement> {
  readonly texts: readonly HTMLElement[];
}

interface EntryList {
  readonly element: HTMLElement;
  /** `again`: with what is known, without reading anything. */
  show(facts: Facts, again: boolean): void;
}

/** Only the rows that can be seen exist; the newest is on top. */
function entryList(open: (index: number) => void, read: (index: number, again: boolean) => EntryInfo | undefined): EntryList {
  const rows = h('ol', { class: 'rows', 'data-testid': 'log' });
  const element = h('div', { class: 'entries', tabindex: '0', role: 'region', 'aria-label': 'Log entries, newest first' }, rows);
  const show = keyed<number, HTMLLIElement, EntryRow>(rows, (index) => {
    const texts = ['mark', 'index', 'term', 'what'].map((name) => h('span', { class: name }));
    return { element: h('li', {}, h('button', { type: 'button', onclick: () => open(index) }, ...texts)), texts };
  });
  let facts: Facts | undefined;
  const draw = (again: boolean): void => {
    if (facts === undefined) return;
    const { lastIndex, firstIndex } = facts.node.status;
    const count = Math.min(Math.max(0, lastIndex - firstIndex + 1), Math.floor(LIST_PX_MAX / ROW_PX));
    rows.style.height = `${count * ROW_PX}px`;
    const top = Math.max(0, Math.floor(element.scrollTop / ROW_PX) - AROUND);
    const bottom = Math.min(count, Math.ceil((element.scrollTop + element.clientHeight) / ROW_PX) + AROUND);
    const visible = Array.from({ length: Math.max(0, bottom - top) }, (_, i) => lastIndex - top - i);
    const shown = facts;
    show(visible, String, (row, index) => {
      row.element.style.transform = `translateY(${(lastIndex - index) * ROW_PX}px)`;
      showEntry(row, index, read(index, again), shown);
    });
  };
  element.addEventListener('scroll', () => draw(false), { passive: true });
  return {
    element,
    show: (next, again) => {
      facts = next;
      draw(again);
    },
  };
}

function showEntry({ element, texts }: EntryRow, index: number, entry: EntryInfo | undefined, { node, named }: Facts): void {
  const { appliedIndex, commitIndex } = node.status;
  const state = index <= appliedIndex ? 'applied' : index <= commitIndex ? 'committed' : 'pending';
  const [mark, number, term, what] = texts;
  if (mark === undefined || number === undefined || term === undefined || what === undefined) return;
  setAttribute(element, 'data-state', state);
  setText(mark, state === 'applied' ? '●' : state === 'committed' ? '◐' : '○');
  setAttribute(
    mark,
    'title',
    state === 'applied' ? 'applied here' : state === 'committed' ? 'committed' : 'not yet on a majority',
  );
  setText(number, String(index));
  setText(term, entry === undefined ? '' : `t${entry.term}`);
  setText(what, entry === undefined ? '…' : entryText(entry, named));
  if (entry !== undefined) element.style.setProperty('--term', String(Math.round(termHue(entry.term))));
}
