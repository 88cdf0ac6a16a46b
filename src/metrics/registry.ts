/** Counters, gauges and histograms, and their text in the form of OpenMetrics 1.0. */

/** Series of one metric; what more labels would make is counted under none. Labels are codes and kinds, of which there are few. */
export const SERIES_MAX = 256;

export type Labels = Readonly<Record<string, string>>;

export interface Point {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly help: string;
  readonly labels: Labels;
  /** Of a histogram the sum of what was observed. */
  readonly value: number;
  /** Of a histogram: how many were observed, and how many up to each bound. */
  readonly count?: number;
  readonly buckets?: readonly (readonly [upTo: number, count: number])[];
}

interface Series {
  readonly labels: Labels;
  value: number;
  count: number;
  readonly buckets: number[];
}

interface Metric {
  readonly name: string;
  readonly kind: Point['kind'];
  readonly unit: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
}

interface Described {
  readonly name: string;
  readonly help: string;
  /** '' for a number of something. */
  readonly unit?: string;
}

export class Registry {
  readonly #metrics = new Map<string, Metric>();

  /** Answers how to count; from 1 on, as counters are. */
  counter(described: Described): (labels?: Labels, by?: number) => void {
    const metric = this.#metric(described, 'counter', []);
    return (labels = {}, by = 1) => {
      // A counter never goes back, whoever counts.
      if (by > 0) seriesOf(metric, labels).value += by;
    };
  }

  gauge(described: Described): (value: number, labels?: Labels) => void {
    const metric = this.#metric(described, 'gauge', []);
    return (value, labels = {}) => {
      seriesOf(metric, labels).value = value;
    };
  }

  /** `bounds` rise; what is above the last is counted too. */
  histogram(described: Described, bounds: readonly number[]): (value: number, labels?: Labels) => void {
    const metric = this.#metric(described, 'histogram', bounds);
    return (value, labels = {}) => {
      const series = seriesOf(metric, labels);
      series.value += value;
      series.count += 1;
      for (const [i, bound] of bounds.entries()) if (value <= bound) series.buckets[i] = (series.buckets[i] ?? 0) + 1;
    };
  }

  points(): readonly Point[] {
    return [...this.#metrics.values()].flatMap(({ name, kind, unit, help, bounds, series }) =>
      [...series.values()].map(({ labels, value, count, buckets }): Point => {
        const point = { name, kind, unit, help, labels, value };
        return kind === 'histogram' ? { ...point, count, buckets: bounds.map((bound, i) => [bound, buckets[i] ?? 0]) } : point;
      }),
    );
  }

  #metric({ name, help, unit = '' }: Described, kind: Point['kind'], bounds: readonly number[]): Metric {
    const metric: Metric = { name, kind, unit, help, bounds, series: new Map() };
    this.#metrics.set(name, metric);
    return metric;
  }
}

function seriesOf({ series, bounds }: Metric, labels: Labels): Series {
  const key = JSON.stringify(Object.entries(labels).sort());
  const known = series.get(key);
  if (known !== undefined) return known;
  if (series.size >= SERIES_MAX && key !== '[]') return seriesOf({ series, bounds } as Metric, {});
  const made: Series = { labels, value: 0, count: 0, buckets: bounds.map(() => 0) };
  series.set(key, made);
  return made;
}

/** The text that Prometheus and its kin read: `application/openmetrics-text; version=1.0.0; charset=utf-8`. */
export function openMetrics(points: readonly Point[]): string {
  const lines: string[] = [];
  let last = '';
  for (const point of points) {
    const { name, kind, unit, help } = point;
    if (name !== last) {
      lines.push(`# TYPE ${name} ${kind}`);
      if (unit !== '') lines.push(`# UNIT ${name} ${unit}`);
      lines.push(`# HELP ${name} ${escaped(help)}`);
      last = name;
    }
    lines.push(...linesOf(point));
  }
  return `${[...lines, '# EOF'].join('\n')}\n`;
}

function linesOf({ name, kind, labels, value, count = 0, buckets = [] }: Point): readonly string[] {
  if (kind === 'counter') return [`${name}_total${inBraces(labels)} ${value}`];
  if (kind === 'gauge') return [`${name}${inBraces(labels)} ${value}`];
  return [
    ...buckets.map(([upTo, below]) => `${name}_bucket${inBraces({ ...labels, le: decimal(upTo) })} ${below}`),
    `${name}_bucket${inBraces({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_count${inBraces(labels)} ${count}`,
    `${name}_sum${inBraces(labels)} ${value}`,
  ];
}

/** OpenMetrics wants a bound to look like a float. */
function decimal(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function inBraces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
