/** Everything the views show, gathered in one place; views ask for nothing else. */
import type { ClusterConfig, NodeStatus } from '../src/index.ts';
import type { Saboteur } from './break/saboteur.ts';
import type { AccountHistory } from './history.ts';
import type { Shared } from './machine.ts';
import { narrate, type Tone } from './narrator.ts';
import type { DemoNode } from './open.ts';
import { type People, peopleOf } from './people.ts';

/** Lines kept of what happened. */
const FEED_MAX = 60;
/** Shorter than this without a majority is an election or a newcomer's first moment, not news: ms. */
const NO_MAJORITY_MS = 1_500;
/** Ages and round-trip times change without an event: ms. */
const REFRESH_MS = 500;

export interface FeedLine {
  readonly key: string;
  readonly at: Date;
  readonly text: string;
  readonly tone: Tone;
}

/** What a view sees. */
export interface Page {
  readonly room: string;
  readonly ownName: string;
  readonly node: DemoNode | undefined;
  readonly status: NodeStatus | undefined;
  readonly config: ClusterConfig | undefined;
  readonly shared: Readonly<Shared> | undefined;
  readonly people: People;
  readonly feed: readonly FeedLine[];
  /** What breaks tabs on purpose; undefined before there is a node. */
  readonly saboteur: Saboteur | undefined;
  readonly history: AccountHistory | undefined;
  /** Why this tab is away on purpose; undefined while it is not. */
  readonly away: string | undefined;
  /** Why opening failed, or why the node stopped. */
  readonly failure: unknown;
  /** The last fault that did not stop the node. */
  readonly fault: unknown;
  readonly caughtUp: boolean;
  /** No majority of the voters could be reached for a while. */
  readonly noMajority: boolean;
  /** How it stands with the majority, who is missing and what would help, as the node says. */
  readonly outlook: string;
  /** Why there is no signaling server; stays while the node tries again, until it is back. */
  readonly signalingError: unknown;
}

export interface View {
  readonly element: Element;
  update(page: Page): void;
}

export class PageModel {
  readonly #room: string;
  readonly #ownName: string;
  readonly #show: (page: Page) => void;
  readonly #closing: AbortController = new AbortController();
  #node: DemoNode | undefined;
  #feed: readonly FeedLine[] = [];
  #extras: Pick<Page, 'saboteur' | 'history' | 'away'> = { saboteur: undefined, history: undefined, away: undefined };
  #failure: unknown;
  #fault: unknown;
  #caughtUp = false;
  #signalingError: unknown;
  #majoritySeenAt: number = performance.now();
  #lines = 0;
  #scheduled = false;

  constructor(room: string, ownName: string, show: (page: Page) => void) {
    this.#room = room;
    this.#ownName = ownName;
    this.#show = show;
  }

  attach(node: DemoNode): void {
    this.#node = node;
    const on = { signal: this.#closing.signal };
    narrate(node, this.#ownName, (text, tone) => this.say(text, tone), this.#closing.signal);
    for (const type of ['role', 'leader', 'config', 'commit', 'apply', 'peer', 'signaling'] as const) {
      node.on(type, () => this.refresh(), on);
    }
    node.on('fault', ({ error }) => this.fault(error), on);
    node.on(
      'signaling',
      ({ state, error }) => {
        if (state === 'open' || error !== undefined) this.#signalingError = error;
      },
      on,
    );
    node.on('fatal', ({ error }) => this.fail(error), on);
    node.whenReady().then(
      () =>
        this.#note(() => {
          this.#caughtUp = true;
        }),
      (error: unknown) => this.fail(error),
    );
    const timer = setInterval(() => this.refresh(), REFRESH_MS);
    this.#closing.signal.addEventListener('abort', () => clearInterval(timer));
    this.refresh();
  }

  /** What the demo adds to the node. */
  add(extras: Partial<Pick<Page, 'saboteur' | 'history' | 'away'>>): void {
    this.#note(() => {
      this.#extras = { ...this.#extras, ...extras };
    });
  }

  say(text: string, tone: Tone = 'plain'): void {
    this.#lines++;
    const line: FeedLine = { key: String(this.#lines), at: new Date(), text, tone };
    this.#note(() => {
      this.#feed = [line, ...this.#feed].slice(0, FEED_MAX);
    });
  }

  /** Something that does not end the node but that somebody should see. */
  fault(error: unknown): void {
    this.#note(() => {
      this.#fault = error;
    });
  }

  /** The first reason stays: what follows from it says less. */
  fail(error: unknown): void {
    this.#note(() => {
      this.#failure ??= error;
    });
  }

  /** Shows the present state soon, at most once per frame; a hidden tab has no frames and needs none. */
  refresh(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#show(this.#page());
    });
  }

  #note(change: () => void): void {
    change();
    this.refresh();
  }

  #page(): Page {
    const status = this.#node?.status;
    const config = this.#node?.config;
    const now = performance.now();
    if (!status || status.quorumAlive || config?.voters.length === 0) this.#majoritySeenAt = now;
    return {
      room: this.#room,
      ownName: this.#ownName,
      node: this.#node,
      status,
      config,
      shared: this.#node?.peek((state) => state),
      people: peopleOf(status, config, this.#ownName),
      feed: this.#feed,
      ...this.#extras,
      failure: this.#failure,
      fault: this.#fault,
      caughtUp: this.#caughtUp,
      noMajority: now - this.#majoritySeenAt > NO_MAJORITY_MS,
      outlook: this.#node?.forecast().text ?? '',
      signalingError: this.#signalingError,
    };
  }
}
