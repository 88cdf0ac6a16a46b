/** Faults in a row: each with what to watch for, and what came of it. */
import type { NodeId } from '../../src/index.ts';
import { seconds } from '../narrator.ts';
import type { DemoNode } from '../open.ts';
import type { Fault } from './orders.ts';
import type { Saboteur } from './saboteur.ts';

export interface Script {
  readonly name: string;
  readonly watch: string;
  /** Resolves with what happened, in a sentence. Errors are for the page to tell. */
  run(node: DemoNode, saboteur: Saboteur): Promise<string>;
}

/** Nobody leads for longer than this: something else is wrong, ms. */
const ELECTION_MS = 15_000;
const STORM_MS = 10_000;
const STRIKE_MS = 2_000;

export const SCRIPTS: readonly Script[] = [
  {
    name: 'Kill the leader',
    watch: 'An arc closes, somebody asks for votes, a new crown appears. Nothing that was acknowledged is lost.',
    run: killLeader,
  },
  {
    name: 'Split',
    watch: 'The leader is cut off with too few. Its writes wait; the majority elects another and goes on.',
    run: split,
  },
  {
    name: 'Heal',
    watch: 'The old leader hears of the newer term, steps down and takes the log of the majority.',
    run: async (_node, saboteur) => {
      saboteur.healAll();
      return 'Every fault is taken back.';
    },
  },
  {
    name: 'Storm',
    watch: `For ${STORM_MS / 1_000} seconds tabs freeze, lag and are cut off by chance, while all of them write. Then check the history.`,
    run: storm,
  },
];

async function killLeader(node: DemoNode, saboteur: Saboteur): Promise<string> {
  const leader = node.leaderId;
  if (leader === undefined) return 'Nobody leads just now.';
  if (!saboteur.here.includes(leader)) return 'The leader is in another browser: it can only be broken there.';
  if (leader === node.id) {
    saboteur.order(leader, { kind: 'crash' });
    return 'This tab led, and has crashed: watch another one.';
  }
  const since = performance.now();
  const next = nextLeader(node, leader);
  saboteur.order(leader, { kind: 'crash' });
  const { term } = await next;
  return `Term ${term} has a leader, ${seconds(performance.now() - since)} after the crash.`;
}

async function split(node: DemoNode, saboteur: Saboteur): Promise<string> {
  const { voters } = node.config;
  const [minority, majority] = halves(voters, node.leaderId, saboteur.here);
  if (minority.length === 0) return 'This takes three voters, and a leader in this browser: open more tabs.';
  const others = node.status.peers
    .map(({ id }) => id)
    .concat(node.id)
    .filter((id) => !minority.includes(id));
  for (const id of minority) saboteur.order(id, { kind: 'cut', peers: others });
  if (minority.includes(node.id)) return 'This tab is on the smaller side: its writes wait until you heal.';
  const since = performance.now();
  const { term } = await nextLeader(node, node.leaderId);
  return `${majority.length} of ${voters.length} voters go on in term ${term}, ${seconds(performance.now() - since)} after the cut.`;
}

/** The smaller half, with the leader in it, and the larger; the first empty when there are no two. */
export function halves(
  voters: readonly NodeId[],
  leader: NodeId | undefined,
  here: readonly NodeId[],
): readonly [minority: readonly NodeId[], majority: readonly NodeId[]] {
  if (leader === undefined || voters.length < 3 || !here.includes(leader)) return [[], voters];
  const size = Math.ceil(voters.length / 2) - 1;
  const mates = voters.filter((id) => id !== leader && here.includes(id));
  const minority = [leader, ...mates.slice(0, size - 1)];
  return [minority, voters.filter((id) => !minority.includes(id))];
}

function nextLeader(node: DemoNode, than: NodeId | undefined): Promise<{ readonly term: number }> {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const late = setTimeout(() => {
      end.abort();
      reject(new Error('Nobody leads yet. Are the tabs that are left awake?'));
    }, ELECTION_MS);
    node.on(
      'leader',
      ({ leaderId, term }) => {
        if (leaderId === undefined || leaderId === than) return;
        clearTimeout(late);
        end.abort();
        resolve({ term });
      },
      { signal: end.signal },
    );
  });
}

async function storm(node: DemoNode, saboteur: Saboteur): Promise<string> {
  saboteur.load(STORM_MS);
  const strikes: readonly Fault[] = [{ kind: 'freeze' }, { kind: 'delay' }, { kind: 'cut' }, { kind: 'heal' }];
  const end = performance.now() + STORM_MS;
  let count = 0;
  while (performance.now() < end && node.role !== 'stopped') {
    // This tab keeps the time and the history; the others are struck, one at a time so that a majority stays.
    const targets = saboteur.here.filter((id) => id !== node.id);
    const target = targets[Math.floor(Math.random() * targets.length)];
    const strike = strikes[Math.floor(Math.random() * strikes.length)];
    if (target !== undefined && strike !== undefined) {
      saboteur.order(target, strike);
      count += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, STRIKE_MS));
    if (target !== undefined) saboteur.order(target, { kind: 'heal' });
  }
  saboteur.healAll();
  return count === 0 ? 'There was nobody to strike: open more tabs.' : `${count} strikes. Now check the history below.`;
}
