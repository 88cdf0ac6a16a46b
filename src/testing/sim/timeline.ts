/** A run as a picture: one row per node, its roles as bars, faults, commits and the moment that went wrong. */
import type { NodeId } from '../../core/types.ts';
import type { SimCluster } from './cluster.ts';
import type { Violation } from './evidence.ts';
import type { NoteKind } from './ghost.ts';

export interface Note {
  readonly timeMs: number;
  readonly node: NodeId;
  readonly kind: NoteKind;
  readonly text: string;
}

/** Notes kept: a longer run loses its beginning. */
const NOTES_MAX = 20_000;

/** Takes notes of a run that is about to start. */
export function recordNotes(cluster: SimCluster): Note[] {
  const notes: Note[] = [];
  cluster.ghost.onNote = (node, kind, text) => {
    notes.push({ timeMs: cluster.scheduler.nowMs, node, kind, text });
    if (notes.length > NOTES_MAX) notes.splice(0, NOTES_MAX / 2);
  };
  return notes;
}

/** The notes as lines of text, the last `count` of them. */
export function describeNotes(notes: readonly Note[], count: number): string {
  return notes
    .slice(-count)
    .map(({ timeMs, node, kind, text }) => `${timeMs.toFixed(1).padStart(9)} ${node.padEnd(4)} ${kind.padEnd(8)} ${text}`)
    .join('\n');
}

const WIDTH = 1200;
const ROW = 44;
const LEFT = 60;
const COLORS: Readonly<Record<string, string>> = {
  leader: '#2e7d32',
  candidate: '#ef6c00',
  'pre-candidate': '#f9a825',
  follower: '#90a4ae',
  down: '#eceff1',
};

interface Frame {
  readonly x: (timeMs: number) => number;
  readonly y: (node: NodeId) => number;
  readonly height: number;
}

/** An SVG of its own, to be opened in any browser. */
export function timelineSvg(notes: readonly Note[], violations: readonly Violation[], title: string): string {
  const nodes = [...new Set(notes.map((note) => note.node).filter((node) => node !== ''))].sort();
  const endMs = Math.max(1, ...notes.map((note) => note.timeMs), ...violations.map((violation) => violation.timeMs));
  const height = 60 + nodes.length * ROW;
  const frame: Frame = {
    x: (timeMs) => LEFT + (timeMs / endMs) * (WIDTH - LEFT - 10),
    y: (node) => (node === '' ? 30 : 50 + nodes.indexOf(node) * ROW),
    height,
  };
  const bars = nodes.flatMap((node) => roleBars(notes, node, endMs, frame));
  const labels = nodes.map((node) => `<text x="6" y="${frame.y(node) + 14}">${escapeXml(node)}</text>`);
  const marks = notes.filter((note) => note.kind !== 'role').map((note) => momentMark(note, frame));
  const wrong = violations.slice(0, 3).map((violation, i) => violationMark(violation, i, frame));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/><text x="6" y="16">${escapeXml(title)} — ${(endMs / 1000).toFixed(1)} s</text>`,
    ...bars,
    ...labels,
    ...marks,
    ...wrong,
    '</svg>',
    '',
  ].join('\n');
}

function roleBars(notes: readonly Note[], node: NodeId, endMs: number, { x, y }: Frame): string[] {
  const changes = notes.filter((note) => note.node === node && note.kind === 'role');
  return changes.map((change, i) => {
    const until = changes[i + 1]?.timeMs ?? endMs;
    const [role = 'down'] = change.text.split(' ');
    const width = Math.max(1, x(until) - x(change.timeMs));
    const label = `${node} ${change.text}, ${change.timeMs.toFixed(1)} ms`;
    return `<rect x="${x(change.timeMs).toFixed(1)}" y="${y(node)}" width="${width.toFixed(1)}" height="18" fill="${COLORS[role] ?? '#ccc'}"><title>${escapeXml(label)}</title></rect>`;
  });
}

function momentMark({ timeMs, node, kind, text }: Note, { x, y, height }: Frame): string {
  const at = x(timeMs).toFixed(1);
  const title = `<title>${escapeXml(`${timeMs.toFixed(1)} ms ${node} ${kind} ${text}`)}</title>`;
  if (kind === 'commit') return `<rect x="${at}" y="${y(node) + 20}" width="1" height="6" fill="#1565c0">${title}</rect>`;
  if (kind === 'heal')
    return `<line x1="${at}" x2="${at}" y1="24" y2="${height}" stroke="#2e7d32" stroke-dasharray="4">${title}</line>`;
  if (kind === 'fault') return `<path d="M${at} ${y(node) - 2} l-4 -8 l8 0 z" fill="#c62828">${title}</path>`;
  const color = kind === 'conf' ? '#6a1b9a' : '#00838f';
  return `<circle cx="${at}" cy="${y(node) + 32}" r="3" fill="${color}">${title}</circle>`;
}

function violationMark({ timeMs, id, text }: Violation, row: number, { x, height }: Frame): string {
  const at = x(timeMs).toFixed(1);
  const label = escapeXml(`${id}: ${text.slice(0, 140)}`);
  return `<line x1="${at}" x2="${at}" y1="20" y2="${height}" stroke="#c62828" stroke-width="2"/><text x="${LEFT}" y="${height - 4 - 12 * row}" fill="#c62828">${label}</text>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
