/** The end of the log, live: one colour per term, and how far it is committed and applied. */
import type { EntryInfo } from '../../src/index.ts';
import { h, type Keyed, keyed, setAttribute, setHue, setText } from '../dom.ts';
import type { Page, View } from '../page.ts';

interface Part extends Keyed<HTMLLIElement> {
  readonly mark: HTMLElement;
  readonly text: HTMLElement;
}

/** Neighbouring terms get hues far apart: the golden angle. */
export function termHue(term: number): number {
  return (term * 137.5 + 20) % 360;
}

const KINDS: Readonly<Record<EntryInfo['type'], string>> = {
  command: '',
  config: 'members',
  noop: 'a new term begins',
  session: '',
};

/** The entry in words, with names in the place of ids. */
function textOf(entry: EntryInfo, { people, config, status }: Page): string {
  if (entry.type === 'noop') return '';
  const ids = new Set([...(config?.members ?? []).map(({ id }) => id), ...(status ? [status.id] : [])]);
  return [...ids].reduce((text, id) => text.replaceAll(id, people.nameOf(id)), entry.text);
}

export function logView(): View {
  const list = h('ol', { class: 'log', 'data-testid': 'log', tabindex: '0', 'aria-label': 'Last log entries, newest first' });
  const show = keyed<EntryInfo, HTMLLIElement, Part>(list, makeEntry);
  const bounds = h('span', { class: 'count', 'data-testid': 'log-bounds' });
  const empty = h('p', { class: 'hint' }, 'The log is empty.');
  return {
    element: h(
      'section',
      { class: 'card', 'aria-labelledby': 'log-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'log-title' }, 'Log'), bounds),
      list,
      empty,
      h('p', { class: 'legend' }, '● applied here   ◐ committed   ○ not yet on a majority'),
    ),
    update: (page) => {
      const { status, entries } = page;
      setText(bounds, status ? `last ${status.lastIndex} · commit ${status.commitIndex} · applied ${status.appliedIndex}` : '');
      setAttribute(empty, 'hidden', entries.length > 0);
      show(
        entries.toReversed(),
        (entry) => `${entry.index}/${entry.term}`,
        (part, entry) => showEntry(part, entry, page),
      );
    },
  };
}

function makeEntry(entry: EntryInfo): Part {
  const mark = h('span', { class: 'mark' });
  const text = h('span');
  const element = h(
    'li',
    {},
    mark,
    h('span', { class: 'index' }, String(entry.index)),
    h('span', { class: 'term' }, `t${entry.term}`),
    h('span', { class: 'what' }, KINDS[entry.type] !== '' && h('em', {}, `${KINDS[entry.type]} `), text),
  );
  setHue(element, termHue(entry.term));
  return { element, mark, text };
}

function showEntry({ element, mark, text }: Part, entry: EntryInfo, page: Page): void {
  const { status } = page;
  setText(text, textOf(entry, page));
  const applied = entry.index <= (status?.appliedIndex ?? 0);
  const committed = entry.index <= (status?.commitIndex ?? 0);
  setText(mark, applied ? '●' : committed ? '◐' : '○');
  setAttribute(mark, 'title', applied ? 'applied here' : committed ? 'committed' : 'not yet on a majority');
  setAttribute(element, 'data-state', applied ? 'applied' : committed ? 'committed' : 'pending');
}
