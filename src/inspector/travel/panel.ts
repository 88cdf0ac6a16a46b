/** Time travel: a recording of this node, or somebody else's, walked through call by call. */
import { h, type Keyed, keyed, setAttribute, setText } from '../dom.ts';
import { amount } from '../facts.ts';
import type { Facts, Panel } from '../inspected.ts';
import { type StateRow, stateRows } from './state-rows.ts';
import { MOMENT_KINDS, type MomentKind, momentFrom, Timeline } from './timeline.ts';

/** A file that is larger is no recording of this library's default bound, or of sixteen of them, in bytes. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** After that many ms a saved file's address is given back: the browser has read it by then. */
const SAVED_MS = 60_000;

export function travelView(): Panel {
  const walk = walkView();
  const said = h(
    'p',
    { class: 'hint', role: 'status' },
    'Walk through what this node did, call by call, or open the recording of another.',
  );
  let facts: Facts | undefined;
  let shown: Uint8Array | undefined;
  let loading: AbortController | undefined;
  const open = async (name: string, trace: () => Promise<Uint8Array> | Uint8Array): Promise<void> => {
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    setText(said, 'Playing it …');
    try {
      const bytes = await trace();
      const timeline = await Timeline.of(bytes, signal);
      shown = bytes;
      setAttribute(save, 'disabled', false);
      setText(said, `${name}: ${resultOf(timeline)}`);
      walk.show(timeline, facts);
    } catch (error) {
      if (!signal.aborted) setText(said, `${name} cannot be played: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const own = h(
    'button',
    { type: 'button', onclick: () => void open('This node', () => recordingOf(facts)) },
    "This node's recording",
  );
  const file = h('input', { type: 'file', class: 'unseen', 'aria-label': 'Open a recording' });
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) void open(chosen.name, () => bytesOf(chosen));
    file.value = '';
  });
  const save = h('button', { type: 'button', disabled: true, onclick: () => shown !== undefined && saveAs(shown) }, 'Save it');
  const choose = h('button', { type: 'button', onclick: () => file.click() }, 'Open a file …');
  const element = h('div', { class: 'travel' }, h('div', { class: 'bar' }, own, choose, save, file), said, walk.element);
  acceptDrops(element, (dropped) => void open(dropped.name, () => bytesOf(dropped)));
  return {
    element,
    update: (next) => {
      facts = next;
    },
  };
}

function recordingOf(facts: Facts | undefined): Uint8Array {
  if (facts === undefined) throw new Error('there is no node to look at yet.');
  return facts.node.record().copy();
}

async function bytesOf(file: File): Promise<Uint8Array> {
  if (file.size > FILE_BYTES_MAX)
    throw new Error(`it has ${amount(file.size)} bytes, at most ${amount(FILE_BYTES_MAX)} are read.`);
  return new Uint8Array(await file.arrayBuffer());
}

function saveAs(bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  h('a', { href: url, download: 'node.tabraft-trace' }).click();
  setTimeout(() => URL.revokeObjectURL(url), SAVED_MS);
}

function acceptDrops(element: HTMLElement, take: (file: File) => void): void {
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    setAttribute(element, 'data-over', true);
  });
  element.addEventListener('dragleave', () => setAttribute(element, 'data-over', false));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    setAttribute(element, 'data-over', false);
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped !== undefined) take(dropped);
  });
}

function resultOf({ length, report }: Timeline): string {
  const calls = `${amount(length)} calls`;
  if (report.firstDifference !== undefined)
    return `${calls}, then this version goes another way: ${report.firstDifference.call}, ${report.firstDifference.what}`;
  const ended = report.ending === 'full' ? ' The recording was full then.' : '';
  return `${calls}, each as it was.${ended}${report.redacted ? ' Commands are blanked.' : ''}`;
}

interface Walk {
  readonly element: HTMLElement;
  show(timeline: Timeline, facts: Facts | undefined): void;
}

function walkView(): Walk {
  const slider = h('input', { type: 'range', min: 1, max: 1, value: 1, 'aria-label': 'Call' });
  const place = h('p', { class: 'count' });
  const call = h('p', { class: 'call' });
  const ready = h('pre', { tabindex: '0', 'aria-label': 'What the core handed out' });
  const kinds = h('select', { 'aria-label': 'Jump to' });
  const found = h('p', { class: 'hint', role: 'status' });
  const body = h('tbody');
  const head = h('thead', {}, h('tr', {}, ...['The core', 'before', 'after'].map((text) => h('th', { scope: 'col' }, text))));
  const table = h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'State before and after' },
    h('table', {}, head, body),
  );
  const rows = keyed<StateRow, HTMLTableRowElement, Keyed<HTMLTableRowElement> & { readonly cells: readonly HTMLElement[] }>(
    body,
    () => {
      const cells = [h('th', { scope: 'row' }), h('td'), h('td')];
      return { element: h('tr', {}, ...cells), cells };
    },
  );
  let timeline: Timeline | undefined;
  let named = (text: string): string => text;
  let at = 1;
  const go = (step: number): void => {
    if (timeline === undefined) return;
    const look = timeline.look(step);
    at = look.step;
    slider.value = String(at);
    const when = look.atMs > 0 ? `, ${new Date(look.atMs).toLocaleTimeString()}` : '';
    setText(place, `Call ${amount(at)} of ${amount(timeline.length)}${when}`);
    setText(call, named(look.call));
    setText(ready, named(look.ready));
    setAttribute(ready, 'hidden', look.ready === '');
    rows(
      stateRows(look.before, look.after),
      ({ field }) => field,
      ({ element, cells }, { field, before, after }) => {
        setAttribute(element, 'data-changed', before !== after);
        for (const [i, text] of [field, before, after].entries()) setText(cells[i] ?? element, named(text));
      },
    );
  };
  const jump = (forward: boolean): void => {
    const kind = kinds.value as MomentKind;
    const moment = momentFrom(timeline?.moments ?? [], kind, at, forward);
    setText(found, moment === undefined ? `No ${kind} ${forward ? 'after' : 'before'} this.` : named(moment.text));
    if (moment !== undefined) go(moment.step);
  };
  slider.addEventListener('input', () => go(Number(slider.value)));
  const button = (text: string, label: string, run: () => void): HTMLElement =>
    h('button', { type: 'button', 'aria-label': label, onclick: run }, text);
  const bar = h(
    'div',
    { class: 'bar' },
    button('‹', 'One call back', () => go(at - 1)),
    button('›', 'One call on', () => go(at + 1)),
    kinds,
    button('Previous', 'Previous of these', () => jump(false)),
    button('Next', 'Next of these', () => jump(true)),
  );
  const element = h('div', { class: 'walk', hidden: true }, slider, place, bar, found, call, ready, table);
  return {
    element,
    show: (next, facts) => {
      timeline = next;
      named = facts?.named ?? named;
      setAttribute(element, 'hidden', next.length === 0);
      setAttribute(slider, 'max', next.length);
      setText(found, '');
      kinds.replaceChildren(
        ...MOMENT_KINDS.map((kind) => {
          const count = next.moments.filter((moment) => moment.kind === kind).length;
          return h('option', { value: kind }, `${kind} (${amount(count)})`);
        }),
      );
      go(next.length);
    },
  };
}
