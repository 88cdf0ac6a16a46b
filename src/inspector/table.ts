/** The same facts as the picture, as a table: for screen readers, and for all who want numbers. */
import { h, type Keyed, keyed, setAttribute, setText } from './dom.ts';
import { amount, duration } from './facts.ts';
import type { Facts, MemberFact, Panel } from './inspected.ts';
import { roleOf } from './picture.ts';

const COLUMNS: readonly (readonly [head: string, cell: (member: MemberFact) => string])[] = [
  ['Role', (member) => roleOf(member)],
  ['Votes', ({ suffrage }) => (suffrage === 'voter' ? 'yes' : suffrage === 'none' ? 'no member' : suffrage)],
  ['Term', ({ term }) => amount(term)],
  ['Last', ({ last }) => amount(last)],
  ['On disk', ({ durable }) => amount(durable)],
  ['Commit', ({ commit }) => amount(commit)],
  ['Applied', ({ applied }) => amount(applied)],
  ['Link', ({ isSelf, reach, linkKind }) => (isSelf ? 'this node' : reach === 'linked' ? linkKind : reach)],
  ['Round trip', ({ rttMs }) => duration(rttMs)],
  ['Lost', ({ loss }) => (loss === undefined ? '–' : `${Math.round(loss * 100)} %`)],
  ['Slowed by', ({ slowedBy }) => slowedBy.join(', ') || '–'],
  ['Heard', ({ silentMs, isSelf }) => (isSelf || silentMs === undefined ? '–' : `${duration(silentMs)} ago`)],
];

interface Row extends Keyed<HTMLTableRowElement> {
  readonly name: HTMLTableCellElement;
  readonly cells: readonly HTMLTableCellElement[];
}

export function tableView(): Panel {
  const body = h('tbody');
  const show = keyed<MemberFact, HTMLTableRowElement, Row>(body, () => {
    const name = h('th', { scope: 'row' });
    const cells = COLUMNS.map(() => h('td'));
    return { element: h('tr', {}, name, ...cells), name, cells };
  });
  const heads = ['Member', ...COLUMNS.map(([head]) => head)].map((head) => h('th', { scope: 'col' }, head));
  const table = h('table', {}, h('thead', {}, h('tr', {}, ...heads)), body);
  const scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Members as a table' }, table);
  const element = h('details', { class: 'table' }, h('summary', {}, 'The same as a table'), scroll);
  return {
    element,
    update: ({ members }: Facts) => {
      // Nobody looks at it while it is closed.
      if (!element.open) return;
      show(
        members,
        ({ id }) => id,
        ({ element: row, name, cells }, member) => {
          setText(name, `${member.name}${member.isSelf ? ' (here)' : ''}`);
          setAttribute(row, 'data-reach', member.reach);
          for (const [i, cell] of cells.entries()) setText(cell, COLUMNS[i]?.[1](member) ?? '');
        },
      );
    },
  };
}
