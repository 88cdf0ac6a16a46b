/** The last minute as small charts: one line each, the newest at the right, its figures in words beside it. */
import { h, s, setAttribute, setText } from './dom.ts';
import { amount, duration } from './facts.ts';
import { type Metrics, SECONDS, type Series } from './metrics.ts';

const WIDTH = 160;
const HEIGHT = 40;

interface Chart {
  readonly title: string;
  readonly lines: (series: Series) => readonly (readonly (number | undefined)[])[];
  readonly words: (series: Series) => string;
}

const bytes = (count: number): string => (count < 1_024 ? `${count} B` : `${amount(Math.round(count / 1_024))} KiB`);
const latest = <T>(values: readonly T[]): T | undefined => values.at(-1);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const latestKnown = (values: readonly (number | undefined)[]): number | undefined =>
  values.findLast((value) => value !== undefined);

const CHARTS: readonly Chart[] = [
  {
    title: 'Writes of this node',
    lines: ({ writes, failed }) => [writes, failed],
    words: ({ writes, failed }) => {
      const lost = sum(failed);
      return `${amount(latest(writes) ?? 0)} per second${lost === 0 ? '' : `, ${amount(lost)} failed this minute`}`;
    },
  },
  {
    title: 'Until committed',
    lines: ({ p50, p99 }) => [p50, p99],
    words: ({ p50, p99 }) => `p50 ${duration(latestKnown(p50))}, p99 ${duration(latestKnown(p99))}`,
  },
  {
    title: 'Messages',
    lines: ({ messages }) => [messages],
    words: ({ messages, bytes: sent }) => `${amount(latest(messages) ?? 0)} and ${bytes(latest(sent) ?? 0)} per second`,
  },
  {
    title: 'Elections',
    lines: ({ elections }) => [elections],
    words: ({ elections, totals }) => `${sum(elections)} this minute, ${totals.elections} in all`,
  },
];

export interface Charts {
  readonly element: Element;
  update(metrics: Metrics): void;
}

export function chartsView(): Charts {
  const charts = CHARTS.map(({ title }) => {
    const paths = [s('path', { class: 'first' }), s('path', { class: 'second' })];
    const svg = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...paths);
    const words = h('p', { class: 'figures' });
    return { element: h('div', { class: 'chart' }, h('h4', {}, title), svg, words), paths, words };
  });
  return {
    element: h('div', { class: 'charts' }, ...charts.map(({ element }) => element)),
    update: (metrics) => {
      const series = metrics.series();
      CHARTS.forEach(({ lines, words }, i) => {
        const drawn = lines(series);
        const top = Math.max(1, ...drawn.flatMap((line) => line.map((value) => value ?? 0)));
        drawn.forEach((line, place) => {
          const path = charts[i]?.paths[place];
          if (path !== undefined) setAttribute(path, 'd', pathOf(line, top));
        });
        const text = charts[i]?.words;
        if (text !== undefined) setText(text, words(series));
      });
    },
  };
}

/** The line of the values, broken where there are none. */
export function pathOf(values: readonly (number | undefined)[], top: number): string {
  let path = '';
  let down = false;
  values.forEach((value, i) => {
    if (value === undefined) {
      down = false;
      return;
    }
    const x = (i / (SECONDS - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - (value / top) * (HEIGHT - 4);
    path += `${down ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    down = true;
  });
  return path;
}
