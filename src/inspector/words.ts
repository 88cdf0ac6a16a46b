/** What the cluster is doing and what would happen next, in sentences; and whom the leader's autopilot trusts with a vote. */
import type { AutopilotTable } from '../index.ts';
import { ifClosed } from './closing.ts';
import { h, type Keyed, keyed, setAttribute, setText } from './dom.ts';
import { duration } from './facts.ts';
import type { Panel } from './inspected.ts';

type Row = AutopilotTable['members'][number];

export function wordsView(): Panel {
  const why = h('p', { class: 'why' });
  const forecast = h('p', { class: 'forecast' });
  const autopilot = autopilotView();
  return {
    element: h('div', { class: 'words' }, why, forecast, autopilot.element),
    update: (facts) => {
      const { node, named } = facts;
      const { healthy, text, silentVoters } = node.admin.explain();
      const silent = silentVoters.length === 0 ? '' : ` Silent: ${named(silentVoters.join(', '))}.`;
      setText(why, `${named(text)}${silent}`);
      setAttribute(why, 'data-level', healthy ? 'good' : 'bad');
      const next = ifClosed(node);
      setText(forecast, next.text);
      setAttribute(forecast, 'data-level', next.level);
      autopilot.update(facts);
    },
  };
}

function autopilotView(): Panel {
  const body = h('tbody');
  const decisions = h('ul', { class: 'decisions' });
  const hint = h('p', { class: 'hint' });
  const table = h(
    'table',
    {},
    h(
      'thead',
      {},
      h('tr', {}, ...['Member', 'Vote', 'Caught up', 'Heard for', 'Verdict'].map((head) => h('th', { scope: 'col' }, head))),
    ),
    body,
  );
  const scroll = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Autopilot' }, table);
  const element = h('details', { class: 'table autopilot' }, h('summary', {}, 'Who votes, and why'), hint, scroll, decisions);
  const show = keyed<Row, HTMLTableRowElement, Keyed<HTMLTableRowElement> & { readonly cells: readonly HTMLElement[] }>(
    body,
    () => {
      const cells = [h('th', { scope: 'row' }), h('td'), h('td'), h('td'), h('td')];
      return { element: h('tr', {}, ...cells), cells };
    },
  );
  const tell = keyed<AutopilotTable['decisions'][number], HTMLLIElement, Keyed<HTMLLIElement>>(decisions, () => ({
    element: h('li'),
  }));
  return {
    element,
    update: ({ node, named, leader }) => {
      if (!element.open) return;
      const known = node.admin.autopilot();
      setText(hint, hintOf(known, leader?.name));
      setAttribute(scroll, 'hidden', known === undefined);
      show(
        known?.members ?? [],
        ({ id }) => id,
        ({ cells }, row) => {
          for (const [i, text] of rowTexts(row, known, node.id).entries())
            setText(cells[i] ?? body, i === 0 ? named(text) : text);
        },
      );
      tell(
        known?.decisions.toReversed() ?? [],
        ({ atMs, kind, reason }) => `${atMs} ${kind} ${reason}`,
        ({ element: item }, { reason }) => setText(item, named(reason)),
      );
    },
  };
}

function hintOf(known: AutopilotTable | undefined, leader: string | undefined): string {
  if (known === undefined)
    return leader === undefined ? 'Nobody leads: nobody decides who votes.' : `${leader} leads and decides; the table is there.`;
  if (!known.enabled) return 'Switched off: votes are given by hand.';
  return `${known.votersTarget} shall vote. Who is silent for ${duration(known.silentAfterMs)} is replaced.`;
}

export function rowTexts(row: Row, known: AutopilotTable | undefined, self: string): readonly string[] {
  const since = row.silentForMs > 0 ? `silent ${duration(row.silentForMs)}` : duration(row.heardForMs);
  const heard = row.id === self ? 'this node' : since;
  return [row.id, row.suffrage, row.caughtUp ? 'yes' : 'not yet', heard, verdictOf(row, known)];
}

/** Why this member has, or has not, a vote. */
export function verdictOf(row: Row, known: Pick<AutopilotTable, 'silentAfterMs'> | undefined): string {
  if (row.hasLeft) return 'said goodbye: its vote goes to another';
  if (row.silentForMs > (known?.silentAfterMs ?? Number.POSITIVE_INFINITY)) return 'silent for too long';
  if (row.silentForMs > 0) return 'silent, for now';
  if (row.shortOfSpace) return 'its disk is full';
  if (row.burden > 0) return 'slowed down: hidden, saving, or late';
  if (row.suffrage === 'voter') return 'votes, all is well';
  return row.caughtUp ? 'ready, if a vote is free' : 'is catching up';
}
