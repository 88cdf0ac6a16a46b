/**
 * The whole public API in one process: three nodes, memory storage, memory links, 100-byte commands.
 * What is reported are ratios and CPU per operation, medians of several runs side by side.
 */

import { packValue, unpackValue } from '../../src/codec/pack.ts';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { openNode } from '../../src/front-door/open-node.ts';
import type { RaftNode } from '../../src/runtime/api/api.ts';
import { resolveTuning } from '../../src/runtime/api/options.ts';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import { defineStateMachine, type NoQueries } from '../../src/state/typed-machine.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { Cluster } from '../core/cluster.ts';

const PAYLOAD = 'x'.repeat(80);
const RUNS = Number(process.env['BENCH_RUNS'] ?? 3);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 1.5);

const store = defineStateMachine<Map<string, string>>()({
  initial: () => new Map<string, string>(),
  commands: {
    set: (state, { key, value }: { key: string; value: string }) => {
      state.set(key, value);
    },
  },
});
type StoreNode = RaftNode<Map<string, string>, typeof store.commands, NoQueries>;

async function cluster(count: number): Promise<StoreNode[]> {
  const hub = new MemoryHub();
  const signaling = new MemorySignalingHub();
  const nodes: StoreNode[] = [];
  for (let i = 0; i < count; i++) {
    const { node } = await openNode(store, {
      room: 'bench',
      mode: 'enter',
      storage: new MemoryStorage({ durable: true }),
      transport: hub.transport(),
      signaling: signaling.signaling(),
      clock: nodeClock(),
      name: `n${i}`,
      suffrage: 'voter',
      priority: 0,
      preferred: undefined,
      tuning: resolveTuning({ digestEveryEntries: 0 }),
    });
    nodes.push(node);
    await node.ready;
  }
  for (const node of nodes) await node.until(() => node.config.voters.length === count);
  return nodes;
}

interface Measure {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** Keeps `inFlight` operations going for a while. */
async function closedLoop(inFlight: number, operation: () => Promise<unknown>): Promise<Measure> {
  const end = performance.now() + SECONDS * 1000;
  const cpu = process.cpuUsage();
  const start = performance.now();
  let done = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      await operation();
      done++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const used = process.cpuUsage(cpu);
  return { perSecond: (done * 1000) / (performance.now() - start), cpuMicros: (used.user + used.system) / done };
}

async function median(measure: () => Promise<Measure>): Promise<Measure> {
  const all: Measure[] = [];
  for (let i = 0; i < RUNS; i++) all.push(await measure());
  all.sort((a, b) => a.cpuMicros - b.cpuMicros);
  return all[Math.floor(all.length / 2)] ?? { perSecond: 0, cpuMicros: 0 };
}

/** The same commands through three cores alone, messages as bytes, each command encoded once and decoded at each member. */
function coreCost(inFlight: number): Measure {
  const maps = [0, 1, 2].map(() => new Map<string, string>());
  let left = 0;
  let next = 0;
  let applied = 0;
  const propose = (): void => {
    if (applied < next || left === 0) return;
    left -= inFlight;
    const batch = Array.from({ length: inFlight }, () => packValue({ type: 'set', key: `k${next++ % 1000}`, value: PAYLOAD }));
    cores.nodes[0]?.propose(batch);
  };
  const cores: Cluster = new Cluster({
    voters: 3,
    wire: true,
    config: {},
    keep: 4096,
    apply: (node, entry) => {
      if (entry.data.length === 0) return;
      const { key, value } = unpackValue(entry.data) as { key: string; value: string };
      maps[node]?.set(key, value);
      if (node === 0) applied++;
    },
    done: () => propose(),
  });
  const run = (count: number): void => {
    left = count;
    propose();
    cores.settle();
  };
  const proposals = inFlight === 1 ? 20_000 : Math.ceil(60_000 / inFlight) * inFlight;
  run(proposals);
  const cpu = process.cpuUsage();
  const start = performance.now();
  run(proposals);
  const used = process.cpuUsage(cpu);
  return { perSecond: (proposals * 1000) / (performance.now() - start), cpuMicros: (used.user + used.system) / proposals };
}

function row(what: string, { perSecond, cpuMicros }: Measure, beside?: Measure): void {
  const ratio = beside === undefined ? '' : `  ${(cpuMicros / beside.cpuMicros).toFixed(2)} times the core`;
  console.log(`${what.padEnd(44)} ${perSecond.toFixed(0).padStart(9)}/s ${cpuMicros.toFixed(1).padStart(8)} µs CPU each${ratio}`);
}

async function main(): Promise<void> {
  // Before there are nodes: a core that runs alone blocks the process, and nodes that hear nothing for so long elect anew.
  const cores = new Map<number, Measure>();
  for (const inFlight of [1, 64, 1024]) {
    const core = await median(async () => coreCost(inFlight));
    cores.set(inFlight, core);
    row(`core alone with wire, ${inFlight} in flight`, core);
  }
  const nodes = await cluster(3);
  const leader = nodes.find((node) => node.role === 'leader');
  const follower = nodes.find((node) => node.role !== 'leader');
  if (leader === undefined || follower === undefined) throw new Error('no leader');
  let n = 0;
  const set = (node: StoreNode) => (): Promise<unknown> => node.propose({ type: 'set', key: `k${n++ % 1000}`, value: PAYLOAD });
  await closedLoop(64, set(leader));
  for (const inFlight of [1, 64, 1024])
    row(
      `propose on the leader, ${inFlight} in flight`,
      await median(() => closedLoop(inFlight, set(leader))),
      cores.get(inFlight),
    );
  if (leader.role !== 'leader') throw new Error('the leader changed: what was measured is not what is said');
  for (const inFlight of [1, 64, 1024])
    row(`propose on a follower, ${inFlight} in flight`, await median(() => closedLoop(inFlight, set(follower))));
  for (const inFlight of [1, 64, 1024]) {
    row(
      `linearizable read on a follower, ${inFlight} in flight`,
      await median(() => closedLoop(inFlight, () => follower.read((state) => state.get('k1')))),
    );
  }
  for (const subscribers of [1, 100, 10_000]) {
    const subscriptions = Array.from({ length: subscribers }, (_, i) =>
      leader.subscribe(
        (state) => state.get(`k${i % 1000}`),
        () => {},
      ),
    );
    row(`propose, 64 in flight, ${subscribers} subscribers`, await median(() => closedLoop(64, set(leader))));
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
  }
  await Promise.all(nodes.map((node) => node.stop({ transfer: false })));
}

await main();
