/** Faults of the whole cluster, and the benchmark of this room. */
import { h, setAttribute, setText } from '../../src/inspector/dom.ts';
import { SCRIPTS } from '../break/scripts.ts';
import { measure } from '../load.ts';
import type { Page, View } from '../page.ts';
import { sentenceOf } from '../sentences.ts';

/** Of one measurement, in ms. */
const MEASURE_MS = 2_000;
const CLIENTS = [1, 64] as const;

export function breakView(): View {
  let page: Page | undefined;
  let isBusy = false;
  const watch = h('p', { class: 'hint' }, 'Each tab is a real member. What you break here really breaks.');
  const outcome = h('p', { class: 'outcome', role: 'status', 'data-testid': 'break-outcome' });
  const run = async (what: string, work: (page: Page) => Promise<string>): Promise<void> => {
    if (page === undefined || isBusy) return;
    isBusy = true;
    setText(watch, what);
    setText(outcome, '…');
    try {
      setText(outcome, await work(page));
    } catch (error) {
      setText(outcome, sentenceOf(error).text);
    } finally {
      isBusy = false;
    }
  };
  const scripts = SCRIPTS.map(({ name, watch: look, run: play }) => {
    const button = h('button', { type: 'button', class: 'button' }, name);
    button.addEventListener('click', () => {
      void run(look, async ({ node, saboteur }) => (node && saboteur ? play(node, saboteur) : 'This tab is not open yet.'));
    });
    return button;
  });
  const bench = h('button', { type: 'button', class: 'button' }, 'Measure');
  bench.addEventListener('click', () => void run('Writes as fast as they go, from this tab, for a few seconds.', benchmark));
  const buttons = [...scripts, bench];
  return {
    element: h(
      'section',
      { class: 'card break', 'aria-labelledby': 'break-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'break-title' }, 'Break it')),
      h('div', { class: 'bar' }, ...buttons),
      watch,
      outcome,
    ),
    update: (next) => {
      page = next;
      for (const button of buttons) setAttribute(button, 'disabled', next.saboteur === undefined || next.failure !== undefined);
    },
  };
}

async function benchmark({ node }: Page): Promise<string> {
  if (node === undefined) return 'This tab is not open yet.';
  const lines: string[] = [];
  for (const clients of CLIENTS) {
    const { perSecond, p50Ms, p99Ms } = await measure(node, clients, MEASURE_MS);
    const at = clients === 1 ? 'one after the other' : `${clients} at a time`;
    lines.push(
      `${at}: ${perSecond.toLocaleString('en')} writes per second, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    );
  }
  return `${lines.join('; ')}. On the disk of a majority of ${node.config.voters.length}, each.`;
}
