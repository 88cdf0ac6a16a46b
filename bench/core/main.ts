/**
 * npm run bench:core: the core against the least that any replicated log has to do in JavaScript, in the same run.
 *
 * The floor, per proposal: encode it once, decode it at each follower, append it to every log, set it in every map.
 * The core does the same through RawNode, with every message packed and unpacked by the wire codec, or handed over as is.
 */
import { Packr } from 'msgpackr/pack';
import type { RawNode } from '../../src/core/raw-node.ts';
import { Cluster } from './cluster.ts';

interface Command {
  readonly key: number;
  readonly value: Uint8Array;
}

const packr = new Packr({ useRecords: false });
const KEYS = 1024;
let counted: Cluster | undefined;
const KEEP = 4096;

interface Shape {
  readonly voters: number;
  readonly inFlight: number;
  readonly bytes: number;
  readonly proposals: number;
  /** Entries each log keeps, the floor's too; a log that is never compacted mostly measures the garbage collector. */
  readonly keep: number;
}

interface Cost {
  readonly microseconds: number;
  readonly heapBytes: number;
}

function commandOf(i: number, value: Uint8Array): Command {
  return { key: i % KEYS, value };
}

/** Runs so many proposals; can be run again, on the same logs. */
type Run = (proposals: number) => void;

/**
 * msgpackr hangs a DataView on what it reads. On the floor, and among objects, one per command is shared by all. Over the
 * wire each follower has views of its own on the messages it got: read in place, with one DataView per buffer, as
 * codec/pack.ts does.
 */
let read: Uint8Array = new Uint8Array(0);
let readBuffer: ArrayBufferLike = read.buffer;
const place = { start: 0, end: 0 };
function unpackInPlace({ buffer, byteOffset, length }: Uint8Array): Command {
  if (readBuffer !== buffer) {
    read = new Uint8Array(buffer);
    readBuffer = buffer;
  }
  place.start = byteOffset;
  place.end = byteOffset + length;
  return packr.unpack(read, place) as Command;
}

function floor({ voters, inFlight, bytes, keep }: Shape): Run {
  const value = new Uint8Array(bytes).fill(7);
  let logs: Uint8Array[][] = Array.from({ length: voters }, () => []);
  const maps = Array.from({ length: voters }, () => new Map<number, Uint8Array>());
  return (proposals) => {
    for (let done = 0; done < proposals; done += inFlight) {
      if ((logs[0] as Uint8Array[]).length > 2 * keep) logs = logs.map((log) => log.slice(-keep));
      for (let i = done; i < done + inFlight; i++) {
        const command = commandOf(i, value);
        const encoded = packr.pack(command);
        (logs[0] as Uint8Array[]).push(encoded);
        (maps[0] as Map<number, Uint8Array>).set(command.key, command.value);
        for (let node = 1; node < voters; node++) {
          const decoded = packr.unpack(encoded) as Command;
          (logs[node] as Uint8Array[]).push(encoded);
          (maps[node] as Map<number, Uint8Array>).set(decoded.key, decoded.value);
        }
      }
    }
  };
}

function core({ voters, inFlight, bytes, keep }: Shape, wire: boolean, broadcastCommit: boolean): Run {
  const value = new Uint8Array(bytes).fill(7);
  const maps = Array.from({ length: voters }, () => new Map<number, Uint8Array>());
  /** What the leader proposed and has not applied yet, in order: it need not decode its own. */
  let waiting: Command[] = [];
  let applied = 0;
  let left = 0;
  let next = 0;
  const unpack = wire ? unpackInPlace : (data: Uint8Array): Command => packr.unpack(data) as Command;
  const propose = (): void => {
    if (applied < waiting.length || left === 0) return;
    left -= inFlight;
    applied = 0;
    waiting = new Array(inFlight);
    const batch: Uint8Array[] = new Array(inFlight);
    for (let i = 0; i < inFlight; i++) {
      const command = commandOf(next++, value);
      waiting[i] = command;
      batch[i] = packr.pack(command);
    }
    if (!leader.propose(batch).ok) throw new Error('refused');
  };
  const cluster = new Cluster({
    voters,
    wire,
    config: { broadcastCommit },
    keep,
    apply: (node, entry) => {
      if (entry.data.length === 0) return;
      const command = node === 0 ? (waiting[applied++] as Command) : unpack(entry.data);
      (maps[node] as Map<number, Uint8Array>).set(command.key, command.value);
    },
    done: () => propose(),
  });
  const leader = cluster.nodes[0] as RawNode;
  counted = cluster;
  if (leader.status().role !== 'leader') throw new Error('no leader');
  return (proposals) => {
    left = proposals;
    propose();
    cluster.settle();
    if (left > 0 || applied < waiting.length) throw new Error('not committed');
  };
}

function measure(proposals: number, run: Run): Cost {
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const before = process.cpuUsage();
  run(proposals);
  const { user, system } = process.cpuUsage(before);
  const heapAfter = process.memoryUsage().heapUsed;
  return { microseconds: (user + system) / proposals, heapBytes: Math.max(0, heapAfter - heapBefore) / proposals };
}

/** The median of several rounds, floor and core taking turns, so that a busy machine hurts both; the first round warms up. */
function compare(shape: Shape, wire: boolean, broadcastCommit: boolean, rounds: number): string {
  const { proposals } = shape;
  const runs = [floor(shape), core(shape, wire, broadcastCommit)] as const;
  for (const run of runs) run(proposals);
  const pairs = Array.from({ length: rounds }, () => [measure(proposals, runs[0]), measure(proposals, runs[1])] as const);
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;
  const low = median(pairs.map(([a]) => a.microseconds));
  const high = median(pairs.map(([, b]) => b.microseconds));
  const ratio = median(pairs.map(([a, b]) => b.microseconds / a.microseconds));
  const heap = median(pairs.map(([, b]) => b.heapBytes));
  const columns = [
    String(shape.voters).padStart(6),
    String(shape.inFlight).padStart(8),
    String(shape.bytes).padStart(7),
    (wire ? 'wire' : 'objects').padStart(8),
    (broadcastCommit ? 'eager' : 'lazy').padStart(6),
    low.toFixed(2).padStart(9),
    high.toFixed(2).padStart(9),
    ratio.toFixed(2).padStart(6),
    Math.round(1e6 / high)
      .toLocaleString('en')
      .padStart(10),
    String(Math.round(heap)).padStart(8),
  ];
  return columns.join(' ');
}

const only = process.argv.indexOf('--only');
if (only > 0) {
  // For a profiler: one shape, so many rounds.
  const [voters, inFlight, bytes, wire, count] = (process.argv[only + 1] ?? '').split(',').map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const shape = { voters, inFlight, bytes, proposals: inFlight === 1 ? 30_000 : 192_000, keep: KEEP };
  const run = core(shape, wire === 1, true);
  for (let i = 0; i < count; i++) console.log(measure(shape.proposals, run), (counted?.messages ?? 0) / shape.proposals);
  process.exit(0);
}

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 7;
console.log('voters inflight   bytes messages commit  floor us   core us  ratio      ops/s   heap B');
const chosen = process.argv.indexOf('--shape');
if (chosen > 0) {
  // One row: voters,inflight,bytes,wire.
  const [voters, inFlight, bytes, wire] = (process.argv[chosen + 1] ?? '').split(',').map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const proposals = bytes >= 10_000 ? 12_800 : inFlight === 1 ? 30_000 : 192_000;
  console.log(compare({ voters, inFlight, bytes, proposals, keep: bytes >= 10_000 ? 256 : KEEP }, wire === 1, true, rounds));
  process.exit(0);
}
for (const voters of quick ? [3] : [3, 5, 7]) {
  for (const inFlight of [1, 64]) {
    for (const wire of [true, false]) {
      const proposals = inFlight === 1 ? 30_000 : 192_000;
      for (const eager of inFlight === 1 ? [true, false] : [true]) {
        console.log(compare({ voters, inFlight, bytes: 100, proposals, keep: KEEP }, wire, eager, rounds));
      }
    }
  }
}
for (const inFlight of [1, 64])
  console.log(compare({ voters: 3, inFlight, bytes: 10_000, proposals: 12_800, keep: 256 }, true, true, rounds));
if (!quick) {
  // As objects: what follows is about the core's own work, and a million entries decoded three times do not fit everywhere.
  for (const proposals of [10_240, 102_400, 1_024_000]) {
    console.log(`logs that keep ${proposals / 2} to ${proposals} entries`);
    console.log(compare({ voters: 3, inFlight: 64, bytes: 100, proposals, keep: proposals / 2 }, false, true, 2));
  }
}
