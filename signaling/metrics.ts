/** Counts for operators, in the text form that Prometheus reads. No room names, ids or addresses. */

export class Metrics {
  readonly #counters = new Map<string, number>();

  count(name: string, label = '', by = 1): void {
    const key = label === '' ? name : `${name}{kind="${label}"}`;
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + by);
  }

  /** @param gauges what is so now */
  text(gauges: Readonly<Record<string, number>>): string {
    const lines = [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => line(key, value, 'total'));
    return `${[...Object.entries(gauges).map(([key, value]) => line(key, value, '')), ...lines].join('\n')}\n`;
  }
}

function line(key: string, value: number, suffix: string): string {
  const [name, ...labels] = key.split('{');
  return `tabraft_signaling_${name}${suffix === '' ? '' : `_${suffix}`}${labels.length > 0 ? `{${labels.join('{')}` : ''} ${value}`;
}
