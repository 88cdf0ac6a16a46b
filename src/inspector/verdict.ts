/** Is there one order that explains everything this page saw? The checker of tabraft/testing says so, on the page's own history. */
import { checkLinearizable, describeVerdict, type Verdict } from '../testing/history/linearizability.ts';
import { h, setAttribute, setText } from './dom.ts';
import { amount } from './facts.ts';
import type { HistorySource, Panel } from './inspected.ts';

/** Steps of the search before it is given up: about a second. */
const STEPS_MAX = 300_000;

export function verdictView(source: () => HistorySource | undefined): Panel {
  const count = h('p', { class: 'hint' });
  const answer = h('p', { class: 'answer', role: 'status' });
  const details = h('pre', { tabindex: '0', hidden: true, 'aria-label': 'What cannot be explained' });
  const button = h('button', { type: 'button' }, 'Check now');
  button.addEventListener('click', () => {
    const history = source();
    if (history === undefined) return;
    const operations = history.operations();
    const verdict = checkLinearizable(operations, {
      stepsMax: STEPS_MAX,
      ...(history.modelOf === undefined ? {} : { modelOf: history.modelOf }),
    });
    setText(answer, verdictWords(verdict, operations.length));
    setAttribute(answer, 'data-level', verdict.ok ? 'good' : verdict.undecided ? 'warn' : 'bad');
    setText(details, verdict.ok ? '' : describeVerdict(verdict));
    setAttribute(details, 'hidden', verdict.ok);
  });
  return {
    element: h('div', { class: 'travel' }, count, h('div', { class: 'bar' }, button), answer, details),
    update: () => {
      const history = source();
      setAttribute(button, 'disabled', history === undefined);
      setText(
        count,
        history === undefined
          ? 'This page keeps no history of what it did.'
          : `${amount(history.operations().length)} operations of this page and of others are remembered: ${history.what}.`,
      );
    },
  };
}

export function verdictWords(verdict: Verdict, operations: number): string {
  if (verdict.ok) return `0 violations in ${amount(operations)} operations: one order explains every answer.`;
  if (verdict.undecided) return `Not decided within ${amount(STEPS_MAX)} steps: too many of these happened at the same time.`;
  return `A violation: no order of these ${amount(operations)} operations explains every answer.`;
}
