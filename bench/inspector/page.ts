/** Runs in the tabs of bench/inspector/run.mjs: a node under load with and without an inspector, and an inspector with much to show. */
import { defineStateMachine, raft } from '../../src/index.ts';
import { TabraftInspector } from '../../src/inspector/index.ts';

type State = Record<string, string>;
const machine = defineStateMachine<State>()({
  initial: (): State => ({}),
  commands: {
    put: (state, { key, value }: { key: string; value: string }) => {
      state[key] = value;
    },
  },
});

/** Commands of about a hundred bytes. */
const VALUE = 'x'.repeat(80);
const KEYS = 1_000;
/** Entries that a log has, and members, when the inspector is made to show much. */
const ENTRIES = 100_000;
const MEMBERS = 40;

type Node = Awaited<ReturnType<typeof enter>>;
const enter = (room: string) => raft.enter(room, machine, { openRoom: true });

let node: Node | undefined;
let inspector: TabraftInspector | undefined;
let number = 0;

function entered(): Node {
  if (node === undefined) throw new Error('no node yet');
  return node;
}

/** A node with so many peers and entries, as far as an inspector asks: what is drawn is measured here, not the cluster. */
function crowd(): TabraftInspector['node'] {
  const real = entered();
  const { status, config, admin } = real;
  const peers = Array.from({ length: MEMBERS - 1 }, (_, i) => ({
    id: `member-${i}`,
    name: `Member ${i}`,
    suffrage: i < 4 ? ('voter' as const) : ('learner' as const),
    role: i < 4 ? ('follower' as const) : ('learner' as const),
    term: status.term,
    commitIndex: ENTRIES,
    appliedIndex: ENTRIES,
    lastIndex: ENTRIES,
    leaderId: status.id,
    matchIndex: ENTRIES,
    link: 'open' as const,
    linkKind: 'simple-peer',
    lastContactMs: (i * 37) % 400,
    rttMs: 2,
    slowedBy: [],
    sentBytes: 0,
    receivedBytes: 0,
  }));
  const grown = { ...status, peers, lastIndex: ENTRIES, commitIndex: ENTRIES, appliedIndex: ENTRIES, durableIndex: ENTRIES };
  const described: typeof admin.describeLog = async ({ from = 1, to = ENTRIES } = {}) =>
    Array.from({ length: Math.max(0, Math.min(to, ENTRIES) - from + 1) }, (_, i) => ({
      index: from + i,
      term: 1 + Math.floor((from + i) / 10_000),
      type: 'command' as const,
      text: `put ${from + i}`,
      bytes: 100,
      time: Date.now(),
      data: undefined,
    }));
  const shownAdmin = {
    explain: () => admin.explain(),
    autopilot: () => admin.autopilot(),
    describeLog: described,
  };
  return {
    id: real.id,
    room: real.room,
    status: grown,
    config,
    admin: shownAdmin,
    on: () => () => undefined,
    trace: () => () => undefined,
    record: () => real.record(),
    forecast: () => real.forecast(),
  } as unknown as TabraftInspector['node'];
}

const bench = {
  async open(room: string): Promise<void> {
    node = await enter(room);
    await node.ready;
  },
  voters: (): number => node?.config.voters.length ?? 0,
  leads: (): boolean => node?.role === 'leader',

  show(panels: string): void {
    inspector = new TabraftInspector();
    if (panels !== '') inspector.setAttribute('panels', panels);
    inspector.node = entered();
    document.body.replaceChildren(inspector);
  },
  hide(): void {
    inspector?.remove();
    inspector = undefined;
  },

  /** Writes of so many clients in so many ms. */
  async load(clients: number, ms: number): Promise<{ readonly count: number; readonly perSecond: number }> {
    const begin = performance.now();
    let count = 0;
    const client = async (): Promise<void> => {
      while (performance.now() - begin < ms) {
        await entered().propose({ type: 'put', key: `k${number++ % KEYS}`, value: VALUE });
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return { count, perSecond: (count * 1_000) / (performance.now() - begin) };
  },

  showCrowd(): void {
    inspector = new TabraftInspector();
    inspector.node = crowd();
    inspector.setAttribute('panels', 'log cluster charts');
    document.body.replaceChildren(inspector);
  },
  /** Scrolls through the log, so much in each frame; the time between frames, in ms. */
  async scroll(frames: number, pixels: number): Promise<readonly number[]> {
    const list = inspector?.shadowRoot?.querySelector('.entries');
    if (list === null || list === undefined) throw new Error('no log is shown');
    const gaps: number[] = [];
    let last = await frame();
    for (let i = 0; i < frames; i++) {
      list.scrollTop += pixels;
      const now = await frame();
      gaps.push(now - last);
      last = now;
    }
    return gaps;
  },
};

function frame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

declare global {
  var inspectorBench: typeof bench;
}
globalThis.inspectorBench = bench;
