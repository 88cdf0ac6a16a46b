/** What a run came to, for people: a page with a picture of the timeline, and the same as JSON. */
import type { FaultReport, Finding } from './judge.ts';
import type { Record } from './record.ts';

export interface Report {
  readonly seed: string;
  readonly commit: string;
  readonly from: number;
  readonly to: number;
  readonly places: readonly string[];
  readonly faults: readonly FaultReport[];
  readonly findings: readonly Finding[];
  readonly record: Record;
}

const LANE = 26;
const TOP = 40;
const LEFT = 70;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#a05a2c', '#7f7f7f'] as const;

export function summaryOf(report: Report): object {
  const { seed, commit, from, to, places, findings, record } = report;
  const history = record.history();
  const count = (outcome: string): number => history.filter((one) => one.outcome === outcome).length;
  return {
    seed,
    commit,
    seconds: Math.round((to - from) / 1000),
    places,
    calls: { ok: count('ok'), no: count('no'), unknown: count('unknown') },
    terms: new Set(record.leads.map(({ term }) => term)).size,
    faults: report.faults.map(({ kind, places: hit, from: began, to: ended, written, healthy, pauseMs }) => ({
      kind,
      places: hit,
      atMs: began - from,
      heldMs: ended - began,
      writtenAfterMs: written === undefined ? null : written - ended,
      healthyAfterMs: healthy === undefined ? null : healthy - ended,
      pauseMs,
    })),
    endings: record.endings.map(({ place, at, why }) => ({ place, atMs: at - from, why })),
    findings,
  };
}

/** A lane for each place: a dot for each acknowledged call, a bar while it led (one colour per node), faults as bands. */
export function pictureOf({ from, to, places, faults, record }: Report): string {
  const width = Math.max(900, Math.min(12_000, (to - from) / 40));
  const x = (at: number): string => (LEFT + ((at - from) / (to - from)) * width).toFixed(1);
  const lanes = [...new Set([...places, ...record.acknowledged.map(({ place }) => place)])];
  const y = (place: string): number => TOP + lanes.indexOf(place) * LANE;
  const height = TOP + lanes.length * LANE + 30;
  const parts: string[] = [];
  faults.forEach(({ kind, places: hit, from: began, to: ended, healthy }, i) => {
    const w = (Number(x(ended)) - Number(x(began))).toFixed(1);
    const title = `<title>${escaped(`${kind} ${hit.join(', ')}: held ${ended - began} ms`)}</title>`;
    for (const place of hit.length > 0 ? hit : lanes)
      if (lanes.includes(place))
        parts.push(
          `<rect x="${x(began)}" y="${y(place)}" width="${w}" height="${LANE - 4}" fill="#d55e00" opacity="0.35">${title}</rect>`,
        );
    parts.push(`<text x="${x(began)}" y="${12 + (i % 2) * 13}" class="f">${escaped(kind)}</text>`);
    if (healthy !== undefined)
      parts.push(
        `<line x1="${x(healthy)}" x2="${x(healthy)}" y1="${TOP - 6}" y2="${height - 30}" stroke="#009e73" stroke-dasharray="3 3"/>`,
      );
  });
  const leads = [...record.leads].sort((a, b) => a.at - b.at);
  leads.forEach(({ place, at, node, term }, i) => {
    const w = (Number(x(leads[i + 1]?.at ?? to)) - Number(x(at))).toFixed(1);
    const colour = COLOURS[hash(node) % COLOURS.length];
    parts.push(
      `<rect x="${x(at)}" y="${y(place) + LANE - 9}" width="${w}" height="5" fill="${colour}"><title>${escaped(`${node} leads term ${term}`)}</title></rect>`,
    );
  });
  for (const { place, end, write } of record.acknowledged)
    parts.push(`<circle cx="${x(end)}" cy="${y(place) + 7}" r="1.3" fill="${write ? '#000' : '#999'}"/>`);
  for (const { place, at, why } of record.endings)
    if (lanes.includes(place))
      parts.push(`<text x="${x(at)}" y="${y(place) + 11}" class="e">×<title>${escaped(why)}</title></text>`);
  for (const place of lanes) parts.push(`<text x="4" y="${y(place) + 13}">${escaped(place)}</text>`);
  for (let second = 0; second * 1000 < to - from; second += 10)
    parts.push(`<text x="${x(from + second * 1000)}" y="${height - 8}" class="f">${second} s</text>`);
  const style = 'text{font:12px sans-serif}.f{font-size:10px;fill:#555}.e{fill:#c00;font-weight:bold}';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width + LEFT + 20}" height="${height}"><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>${parts.join('')}</svg>`;
}

export function pageOf(report: Report): string {
  const { seed, commit, findings, faults } = report;
  const verdict = findings.length === 0 ? 'No promise was broken.' : `${findings.length} findings.`;
  const rows = faults.map(({ kind, places, from, to, written, healthy, pauseMs }) => {
    const cells = [
      kind,
      places.join(', '),
      (from - report.from) / 1000,
      to - from,
      after(written, to),
      after(healthy, to),
      pauseMs,
    ];
    return `<tr>${cells.map((cell) => `<td>${escaped(String(cell))}</td>`).join('')}</tr>`;
  });
  const heads = ['fault', 'where', 'at, s', 'held, ms', 'written after, ms', 'all well after, ms', 'longest pause, ms'];
  const list = findings.map(({ promise, text }) => `<li><b>${promise}</b><pre>${escaped(text)}</pre></li>`).join('');
  return `<!doctype html><meta charset="utf-8"><title>chaos ${escaped(seed)}</title><style>body{font:14px sans-serif;margin:2em}td,th{padding:2px 12px 2px 0;text-align:left}.p{overflow-x:auto}</style>
<h1>Chaos in real tabs, seed ${escaped(seed)}, commit ${escaped(commit)}</h1><p>${verdict} Dots are acknowledged calls (black: writes), bars say who leads, bands are faults, dashed lines: all well again.</p>
<div class="p">${pictureOf(report)}</div><ol>${list}</ol><table><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${rows.join('')}</table>
<pre>${escaped(JSON.stringify(summaryOf(report), undefined, 1))}</pre>`;
}

const after = (at: number | undefined, to: number): string => (at === undefined ? 'never' : String(at - to));

function hash(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) % 65_521;
  return sum;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
