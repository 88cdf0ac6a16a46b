/**
 * The whole public API in one process: three nodes, memory storage, memory links, 100-byte commands.
 * What is reported are ratios and CPU per operation, medians of several runs side by side.
 */
import { nodeClock } from '../src/front-door/node-clock.ts';
import { openNode } from '../src/front-door/open-node.ts';
import type { RaftNode } from '../src/runtime/api.ts';
import { resolveTuning } from '../src/runtime/options.ts';
import { MemorySignalingHub } from '../src/signaling/memory.ts';
import { defineStateMachine } from '../src/state/typed-machine.ts';
import { MemoryStorage } from '../src/storage/memory/memory-storage.ts';
import { MemoryHub } from '../src/transport/memory.ts';

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
type StoreNode = RaftNode<Map<string, string>, typeof store.commands, Record<never, never>>;

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

function row(what: string, { perSecond, cpuMicros }: Measure): void {
  console.log(`${what.padEnd(44)} ${perSecond.toFixed(0).padStart(9)}/s ${cpuMicros.toFixed(1).padStart(8)} µs CPU each`);
}

async function main(): Promise<void> {
  const nodes = await cluster(3);
  const leader = nodes.find((node) => node.role === 'leader');
  const follower = nodes.find((node) => node.role !== 'leader');
  if (leader === undefined || follower === undefined) throw new Error('no leader');
  let n = 0;
  const set = (node: StoreNode) => (): Promise<unknown> => node.propose({ type: 'set', key: `k${n++ % 1000}`, value: PAYLOAD });
  await closedLoop(64, set(leader));
  for (const inFlight of [1, 64, 1024])
    row(`propose on the leader, ${inFlight} in flight`, await median(() => closedLoop(inFlight, set(leader))));
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
