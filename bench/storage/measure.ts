/** The measurements of storage, over any provider, each beside a bare probe of the same disk in the same run. */
import { type Entry, makeEntry } from '../../src/core/types.ts';
import type { NodeStore, StorageProvider } from '../../src/storage/storage.ts';

/** The least that a disk of this kind must do for the same bytes. */
export interface Probe {
  /** One durable transaction with one value. */
  write(value: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The values written last, so many of them. */
  readLast(count: number): Promise<number>;
  /** Opens the database, reads one value, closes it. */
  reopen(): Promise<void>;
}

export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly probe: number;
  readonly unit: 'ms' | 'MB/s' | 'entries/s';
  readonly aim: string;
}

export interface Bench {
  readonly provider: StorageProvider;
  readonly probe: Probe;
  readonly say: (line: string) => void;
  /** Log lengths to reopen. */
  readonly lengths: readonly number[];
  readonly snapshotBytes: number;
}

const SIZES = [
  [1, 100],
  [10, 100],
  [100, 100],
  [1000, 100],
  [1, 1024],
  [10, 1024],
  [100, 1024],
  [1000, 1024],
] as const;

let seed = 1;
/** Bytes that do not compress. */
function noise(bytes: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i += 1) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    words[i] = seed;
  }
  return new Uint8Array(words.buffer, 0, bytes).slice();
}

function batch(from: number, count: number, bytes: number): Entry[] {
  const data = noise(count * bytes);
  return Array.from({ length: count }, (_, i) =>
    makeEntry(from + i, 1, 'normal', 1_700_000_000_000 + i, data.subarray(i * bytes, (i + 1) * bytes), undefined),
  );
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const conf = { voters: ['a'], votersOutgoing: [], learners: [], learnersNext: [], witnesses: [], autoLeave: false, members: [] };
const metaAt = (index: number) => ({ index, term: 1, conf: { ...conf, context: new Uint8Array(0) }, data: undefined }) as const;

export async function measure(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [count, bytes] of SIZES) rows.push(...(await appends(bench, count, bytes)));
  rows.push(await folded(bench));
  for (const length of bench.lengths) rows.push(await reopening(bench, length));
  rows.push(await readingBack(bench, 100), await readingBack(bench, 1024));
  rows.push(await compacting(bench));
  rows.push(...(await snapshots(bench)));
  return rows;
}

async function opened({ provider }: Bench): Promise<NodeStore> {
  const store = await provider.acquire({ room: `bench ${performance.now()}`, fresh: true });
  await store.load();
  return store;
}

/** One append after the other, ours and the probe's in turn, so that both meet the same disk. */
async function appends(bench: Bench, count: number, bytes: number): Promise<Row[]> {
  const store = await opened(bench);
  const rounds = count * bytes > 500_000 ? 60 : count * bytes > 50_000 ? 150 : 300;
  const [ours, probe]: [number[], number[]] = [[], []];
  let next = 1;
  for (let round = -20; round < rounds; round += 1) {
    const entries = batch(next, count, bytes);
    const blob = noise(count * bytes);
    next += count;
    const hardState = { term: 1, vote: 'a', commit: next - 1 - count };
    const [a, b] = [() => timed(() => store.write({ entries, hardState })), () => timed(() => bench.probe.write(blob))];
    const [first, second] = round % 2 === 0 ? [await a(), await b()] : [await b(), await a()];
    if (round < 0) continue;
    ours.push(round % 2 === 0 ? first : second);
    probe.push(round % 2 === 0 ? second : first);
  }
  await store.wipe();
  const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
  const aim = count === 1000 ? '<= 1.5' : '<= 1.2';
  const what = `append ${count} x ${bytes} B`;
  const rate = (values: number[]): number => (count * rounds * 1000) / sum(values);
  bench.say(`${what}: ${quantile(ours, 0.5).toFixed(2)} ms against ${quantile(probe, 0.5).toFixed(2)} ms`);
  return [
    { what: `${what}, p50`, ours: quantile(ours, 0.5), probe: quantile(probe, 0.5), unit: 'ms', aim },
    { what: `${what}, rate`, ours: rate(ours), probe: rate(probe), unit: 'entries/s', aim },
  ];
}

/** Many writers of one entry each: group commit against a probe that writes each alone. */
async function folded(bench: Bench): Promise<Row> {
  const store = await opened(bench);
  let next = 1;
  const writer = async (): Promise<void> => {
    while (next <= 20_000) {
      const entries = batch(next, 1, 100);
      next += 1;
      await store.write({ entries });
    }
  };
  const ours = await timed(() => Promise.all(Array.from({ length: 256 }, writer)));
  let left = 200;
  const probe = await timed(async () => {
    for (; left > 0; left -= 1) await bench.probe.write(noise(100));
  });
  await store.wipe();
  bench.say(`256 writers: ${((20_000 / ours) * 1000).toFixed(0)} entries/s`);
  return { what: '256 writers of 1 x 100 B', ours: 2e7 / ours, probe: 2e5 / probe, unit: 'entries/s', aim: '' };
}

async function filled(bench: Bench, length: number, bytes: number): Promise<NodeStore> {
  const store = await opened(bench);
  const step = Math.min(length, 5_000);
  for (let at = 1; at <= length - 50; at += step) {
    await store.write({ entries: batch(at, Math.min(step, length - 49 - at), bytes) });
  }
  const { lastIndex } = await store.load();
  for (let at = lastIndex + 1; at <= length; at += 1) await store.write({ entries: batch(at, 1, bytes) });
  return store;
}

async function reopening(bench: Bench, length: number): Promise<Row> {
  let store = await filled(bench, length, 100);
  const { room, nodeId } = store.identity;
  const [ours, probe]: [number[], number[]] = [[], []];
  for (let round = 0; round < 9; round += 1) {
    await store.close();
    ours.push(
      await timed(async () => {
        store = await bench.provider.acquire({ room, preferred: nodeId });
        const { lastIndex } = await store.load();
        if (lastIndex !== length) throw new Error(`found ${lastIndex} of ${length} entries`);
      }),
    );
    probe.push(await timed(() => bench.probe.reopen()));
  }
  await store.wipe();
  bench.say(`reopen ${length}: ${quantile(ours, 0.5).toFixed(1)} ms`);
  const what = `reopen ${length} entries, p50`;
  return { what, ours: quantile(ours, 0.5), probe: quantile(probe, 0.5), unit: 'ms', aim: '< 50 ms' };
}

async function readingBack(bench: Bench, bytes: number): Promise<Row> {
  const store = await filled(bench, 20_000, bytes);
  const blobs = Math.ceil((10_000 * bytes) / 60_000);
  for (let i = 0; i < blobs; i += 1) await bench.probe.write(noise(60_000));
  const [ours, probe]: [number[], number[]] = [[], []];
  for (let round = 0; round < 7; round += 1) {
    ours.push(
      await timed(async () => {
        let at = 1;
        while (at <= 10_000) at += (await store.entries(at, 10_001, 1_000_000_000)).length;
      }),
    );
    probe.push(await timed(() => bench.probe.readLast(blobs)));
  }
  await store.wipe();
  bench.say(`read 10000 x ${bytes}: ${quantile(ours, 0.5).toFixed(1)} ms`);
  return {
    what: `read back 10000 x ${bytes} B, p50`,
    ours: quantile(ours, 0.5),
    probe: quantile(probe, 0.5),
    unit: 'ms',
    aim: '',
  };
}

/** Append latency while a long prefix is compacted, against the same store at rest. */
async function compacting(bench: Bench): Promise<Row> {
  const length = Math.max(...bench.lengths);
  const store = await filled(bench, length, 100);
  const writer = await store.stageSnapshot(metaAt(length - 100));
  const staged = await writer.finish();
  await store.write({ snapshot: { staged, keepLogAfter: true } });
  let next = length + 1;
  const append = async (): Promise<number> => {
    const entries = batch(next, 1, 100);
    next += 1;
    return timed(() => store.write({ entries }));
  };
  const idle: number[] = [];
  for (let i = 0; i < 600; i += 1) idle.push(await append());
  const busy: number[] = [];
  let done = false;
  const compacted = store.compact(length - 100).then(() => {
    done = true;
  });
  while (!done || busy.length < 300) busy.push(await append());
  await compacted;
  await store.wipe();
  bench.say(
    `compacting: ${busy.length} appends meanwhile, p99 ${quantile(busy, 0.99).toFixed(2)} against ${quantile(idle, 0.99).toFixed(2)} ms`,
  );
  const what = `append while ${length} entries are compacted, p99`;
  return { what, ours: quantile(busy, 0.99), probe: quantile(idle, 0.99), unit: 'ms', aim: '<= 3' };
}

async function snapshots(bench: Bench): Promise<Row[]> {
  const store = await opened(bench);
  const pieces = Math.floor(bench.snapshotBytes / 1_048_576);
  const piece = noise(1_048_576);
  const wrote = await timed(async () => {
    const writer = await store.stageSnapshot(metaAt(1));
    for (let i = 0; i < pieces; i += 1) await writer.write(piece);
    await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: false } });
  });
  const probeWrote = await timed(async () => {
    for (let i = 0; i < pieces; i += 1) await bench.probe.write(piece);
  });
  let bytes = 0;
  const read = await timed(async () => {
    for await (const chunk of (await store.snapshot())?.chunks() ?? []) bytes += chunk.length;
  });
  if (bytes !== pieces * 1_048_576) throw new Error(`read ${bytes} bytes of the snapshot`);
  const probeRead = await timed(() => bench.probe.readLast(pieces));
  await store.wipe();
  const rate = (ms: number): number => (pieces * 1.048576 * 1000) / ms;
  bench.say(`snapshot: ${rate(wrote).toFixed(0)} MB/s written, ${rate(read).toFixed(0)} MB/s read`);
  return [
    { what: `snapshot of ${pieces} MiB written`, ours: rate(wrote), probe: rate(probeWrote), unit: 'MB/s', aim: '' },
    { what: `snapshot of ${pieces} MiB read`, ours: rate(read), probe: rate(probeRead), unit: 'MB/s', aim: '' },
  ];
}
