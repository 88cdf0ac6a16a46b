/** `<tabraft-inspector>`: give it a node, and it shows what that node knows of its cluster. */
import { chartsView } from './charts.ts';
import { h, setAttribute, setText } from './dom.ts';
import { amount, factsOf } from './facts.ts';
import { type Facts, type HistorySource, type Inspected, type Knife, type Look, type Panel, PLAIN_LOOK } from './inspected.ts';
import { logView } from './log.ts';
import { MESSAGE_KINDS } from './messages.ts';
import { picture } from './picture.ts';
import { STYLE } from './style.ts';
import { tableView } from './table.ts';
import { Watch, type Watched } from './watch.ts';
import { wordsView } from './words.ts';

/** The parts, by the names that the attribute `panels` takes, in the order in which they are shown. */
export const PANELS = ['cluster', 'charts', 'log', 'verdict', 'travel'] as const;
export type PanelName = (typeof PANELS)[number];

/** Loading this file where there is no page (a server) must not fail: the class is of use only in one. */
const PageElement: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

interface Part {
  readonly element: HTMLElement;
  update(facts: Facts, watched: Watched): void;
}

export class TabraftInspector extends PageElement {
  static readonly observedAttributes: readonly string[] = ['panels'];
  #node: Inspected | undefined;
  #look: Look = PLAIN_LOOK;
  #parts: readonly Part[] = [];
  #watch: Watch | undefined;
  #sight: IntersectionObserver | undefined;
  #isOnScreen = false;
  readonly #onVisibility = (): void => this.#lookAround();

  /** The node that is shown; undefined for none. */
  get node(): Inspected | undefined {
    return this.#node;
  }
  set node(node: Inspected | undefined) {
    if (node === this.#node) return;
    this.#node = node;
    if (this.isConnected) this.#begin();
  }

  /** Names and colours of the members. Default: the names the cluster knows, a colour by id. */
  get look(): Look {
    return this.#look;
  }
  set look(look: Look) {
    this.#look = look;
    this.#show();
  }

  /** What this page did and saw; undefined for a page that keeps no such history. */
  history: HistorySource | undefined;

  /** Makes links something to cut; undefined for a page where they are only looked at. */
  knife: Knife | undefined;

  connectedCallback(): void {
    this.#sight = new IntersectionObserver((entries) => {
      this.#isOnScreen = entries.at(-1)?.isIntersecting ?? false;
      this.#lookAround();
    });
    this.#sight.observe(this);
    this.ownerDocument.addEventListener('visibilitychange', this.#onVisibility);
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#sight?.disconnect();
    this.ownerDocument.removeEventListener('visibilitychange', this.#onVisibility);
    this.#isOnScreen = false;
    this.#watch?.stop();
    this.#watch = undefined;
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#begin();
  }

  /** Builds what is to be seen anew, for the node that is set. */
  #begin(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    const root = this.shadowRoot ?? this.#open();
    const node = this.#node;
    const names = panelNames(this.getAttribute('panels'));
    this.#parts = node === undefined ? [] : names.map((name) => this.#builders[name]());
    const nothing = h('p', { class: 'panel empty' }, 'There is no node to look at yet.');
    root.replaceChildren(
      h('div', { class: 'panels' }, ...(node === undefined ? [nothing] : this.#parts.map(({ element }) => element))),
    );
    if (node === undefined) return;
    this.#watch = new Watch(node, () => this.#show());
    this.#lookAround();
  }

  readonly #builders: Readonly<Record<PanelName, () => Part>> = {
    cluster: () => clusterPart(() => this.knife),
    charts: chartsPart,
    log: logPart,
    verdict: () => lazyPart('One order?', async () => (await import('./verdict.ts')).verdictView(() => this.history)),
    travel: travelPart,
  };

  #open(): ShadowRoot {
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    return root;
  }

  #lookAround(): void {
    if (this.#watch !== undefined) this.#watch.isSeen = this.#isOnScreen && !this.ownerDocument.hidden;
  }

  #show(): void {
    const [node, watched] = [this.#node, this.#watch];
    if (node === undefined || watched === undefined) return;
    const facts = factsOf(node, this.#look);
    for (const part of this.#parts) part.update(facts, watched);
  }
}

/** What the attribute names, without what it names wrongly; all when it is not there. */
export function panelNames(attribute: string | null): readonly PanelName[] {
  if (attribute === null) return PANELS;
  const asked = new Set(attribute.split(/\s+/));
  return PANELS.filter((name) => asked.has(name));
}

function part(title: string, count: Element | undefined, ...children: readonly Element[]): HTMLElement {
  return h('section', { class: 'panel', 'aria-label': title }, h('header', {}, h('h3', {}, title), count), ...children);
}

function clusterPart(knife: () => Knife | undefined): Part {
  const drawing = picture(knife);
  const words = wordsView();
  const table = tableView();
  const count = h('span', { class: 'count' });
  const kinds = MESSAGE_KINDS.filter((kind) => kind !== 'other').map((kind) =>
    h('span', {}, h('i', { class: 'dot', 'data-kind': kind }), kind),
  );
  const cutHint = h('span', { class: 'hint', hidden: true }, 'draw across a link to cut it, or press it');
  const busyHint = h('span', { class: 'hint', hidden: true }, 'too many messages to be drawn one by one');
  const legend = h(
    'p',
    { class: 'legend', 'aria-label': 'Colours of the messages' },
    ...kinds,
    h('span', {}, 'dotted: between others'),
    h('span', {}, 'arc: silence, until an election'),
    cutHint,
    busyHint,
  );
  return {
    element: part('Cluster', count, drawing.element, legend, words.element, table.element),
    update: (facts, { sampler, isBusy }) => {
      setText(count, `${amount(facts.voters)} ${facts.voters === 1 ? 'voter' : 'voters'} · term ${amount(facts.term)}`);
      drawing.show(facts);
      setAttribute(cutHint, 'hidden', knife() === undefined);
      const marks = sampler.take();
      drawing.play(isBusy ? [] : marks);
      setAttribute(busyHint, 'hidden', !isBusy);
      words.update(facts);
      table.update(facts);
    },
  };
}

function chartsPart(): Part {
  const charts = chartsView();
  return {
    element: part('The last minute', undefined, charts.element),
    update: (_facts, { metrics }) => charts.update(metrics),
  };
}

function logPart(): Part {
  const log = logView();
  return { element: part('Log', undefined, log.element), update: (facts) => log.update(facts) };
}

/** Loaded when it is opened for the first time: it brings a core to play with. */
function travelPart(): Part {
  return lazyPart('Time travel', async () => (await import('./travel/panel.ts')).travelView());
}

function lazyPart(title: string, load: () => Promise<Panel>): Part {
  const body = h('div', {});
  const details = h('details', {}, h('summary', {}, h('h3', {}, title)), body);
  const element = h('section', { class: 'panel lazy', 'aria-label': title }, details);
  let panel: Panel | undefined;
  let latest: Facts | undefined;
  let asked = false;
  const begin = async (): Promise<void> => {
    asked = true;
    try {
      panel = await load();
      // It can be used as soon as it is there, also when nothing is new for a while.
      if (latest !== undefined) panel.update(latest);
      body.replaceChildren(panel.element);
    } catch {
      // The next opening asks again: the page may have been offline.
      asked = false;
      body.replaceChildren(h('p', { class: 'hint' }, 'This part could not be loaded. Close and open it to try again.'));
    }
  };
  details.addEventListener('toggle', () => {
    if (details.open && !asked) void begin();
  });
  const update = (facts: Facts): void => {
    latest = facts;
    panel?.update(facts);
  };
  return { element, update };
}
