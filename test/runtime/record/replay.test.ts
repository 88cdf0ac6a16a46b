/** Whatever a node lived through replays bit for bit; whatever is changed in what it was told, or in the core, is found and named. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import { type InitialState, RawNode } from '../../../src/core/raw-node.ts';
import type { LogReader, Ready } from '../../../src/core/types.ts';
import type { RecordOptions } from '../../../src/runtime/record/recording.ts';
import { replay } from '../../../src/runtime/record/replay.ts';
import { Cluster, type Opened } from '../cluster.ts';
import { SIDES_APART } from '../crossing/apart.ts';

const SECRET = 'the-secret-of-the-bank';
const open: Cluster[] = [];
afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster[Symbol.asyncDispose]();
});

function begin(): Cluster {
  const cluster = new Cluster();
  open.push(cluster);
  return cluster;
}

/** Elections, writes, a snapshot, a crash and a return by snapshot, a change of the membership. All traces of it. */
async function eventfulLife(record: RecordOptions): Promise<readonly Uint8Array[]> {
  const cluster = begin();
  const options = { record, tune: { snapshotEveryEntries: 20, keepEntries: 5 } };
  await cluster.of(3, options);
  const leader = cluster.leader();
  for (let i = 0; i < 10; i++) await leader.node.propose({ type: 'add', amount: i });
  await Promise.all(Array.from({ length: 60 }, () => cluster.followers()[0]?.node.propose({ type: 'note', text: SECRET })));
  await leader.node.read((state) => state.balance);
  const before = leader.node.record().stop();
  cluster.crash(leader);
  const next = await cluster.newLeader(leader.node.id);
  for (let i = 0; i < 40; i++) await next.node.propose({ type: 'note', text: `${i}` });
  const back = await cluster.open({ ...options, disk: leader.disk, preferred: leader.node.id });
  await back.node.waitFor(next.node.status.appliedIndex);
  const fourth = await cluster.open(options);
  await fourth.node.until((status) => status.suffrage === 'voter');
  // It came by snapshot: what that is made of is not in its log.
  expect(fourth.node.status.firstIndex).toBeGreaterThan(1);
  await next.node.membership.remove(back.node.id);
  await fourth.node.propose({ type: 'add', amount: 1 });
  const rest = cluster.opened.filter((opened) => opened !== leader);
  return [before, ...rest.map(({ node }) => node.record().stop())];
}

async function shortLife(record: RecordOptions = {}): Promise<Opened> {
  const opened = await begin().open({ record });
  await opened.node.ready;
  for (let i = 0; i < 50; i++) await opened.node.propose({ type: 'note', text: SECRET });
  return opened;
}

const contains = (trace: Uint8Array, text: string): boolean => Buffer.from(trace).includes(text);

// Over a line nothing is recorded: a trace is read where the core is.
describe.skipIf(SIDES_APART)('replay', () => {
  test('three nodes through elections, writes, a crash, a snapshot and a change of the membership, bit for bit', async () => {
    const traces = await eventfulLife({});
    expect(traces).toHaveLength(5);
    for (const trace of traces) {
      const report = replay(trace);
      expect(report).toMatchObject({ ok: true, ending: 'stopped', firstDifference: undefined });
      expect(report.readys).toBeGreaterThan(5);
    }
    expect(traces.some((trace) => contains(trace, SECRET))).toBe(true);
  });

  test('without the commands, when they are redacted', async () => {
    const traces = await eventfulLife({ payloads: 'redact' });
    for (const trace of traces) {
      expect(contains(trace, SECRET)).toBe(false);
      expect(replay(trace)).toMatchObject({ ok: true, redacted: true });
    }
  });

  test('a changed command is found in the first Ready that carries it', async () => {
    const { node } = await shortLife();
    const trace = node.record().stop();
    const at = Buffer.from(trace).indexOf(SECRET);
    trace[at] = (trace[at] ?? 0) ^ 1;
    const report = replay(trace);
    expect(report.ok).toBe(false);
    expect(report.firstDifference).toMatchObject({ call: 'ready', ready: report.readys });
    expect(report.firstDifference?.what).toContain('entries');
  });

  test('one input less is found', async () => {
    const { node } = await shortLife();
    const trace = node.record().stop();
    const whole = replay(trace);
    const tick = 16;
    let found = 0;
    for (let at = 200; at < trace.length - 1 && found === 0; at++) {
      if (trace[at] !== tick) continue;
      const shorter = new Uint8Array([...trace.subarray(0, at), ...trace.subarray(at + 1)]);
      const report = replay(shorter);
      if (!report.ok) found = report.inputs;
    }
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThanOrEqual(whole.inputs);
  });

  test('a core that does something else is found, and what it does is said', async () => {
    const { node } = await shortLife();
    const trace = node.record().stop();
    const makeCore = (config: Config, reader: LogReader, initial: InitialState): RawNode =>
      new ForgetfulCore(config, reader, initial);
    const report = replay(trace, { makeCore });
    expect(report.firstDifference).toMatchObject({ call: 'ready' });
    expect(report.firstDifference?.what).toContain('mustSync');
    expect(replay(trace).ok).toBe(true);
  });

  test('a core that draws its timeouts otherwise is found', async () => {
    const { node } = await shortLife();
    const makeCore = (config: Config, reader: LogReader, initial: InitialState): RawNode =>
      new RawNode({ ...config, electionTimeoutRange: { minTicks: config.electionTicks, maxTicks: 99 } }, reader, initial);
    const report = replay(node.record().stop(), { makeCore });
    expect(report.firstDifference).toMatchObject({ input: 1, call: 'open', ready: undefined });
  });
});

describe.skipIf(SIDES_APART)('a recording', () => {
  test('ends at its bound by itself, at a whole call, and replays that far; the node goes on', async () => {
    const { node } = await shortLife({ bytesMax: 4096 });
    const recording = node.record();
    expect(recording.ended).toBe(true);
    const trace = recording.stop();
    expect(trace.length).toBeLessThanOrEqual(4096 + 2);
    expect(replay(trace)).toMatchObject({ ok: true, ending: 'full' });
    expect(await node.propose({ type: 'add', amount: 1 })).toBe(1);
  });

  test('stops when it is stopped, and gives the same trace again', async () => {
    const { node } = await shortLife();
    const first = node.record().stop();
    await node.propose({ type: 'add', amount: 1 });
    expect(node.record().stop()).toEqual(first);
  });

  test('only of a node that was opened with it', async () => {
    const { node } = await begin().open();
    expect(() => node.record()).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
  });

  test('bytes that are no trace, or a newer one, are refused by name', async () => {
    expect(() => replay(new Uint8Array([1, 2, 3]))).toThrowError(expect.objectContaining({ code: 'corrupt' }));
    const { node } = await shortLife();
    const trace = node.record().stop();
    trace[5] = 99;
    expect(() => replay(trace)).toThrowError(expect.objectContaining({ code: 'version-mismatch' }));
    const { node: other } = await shortLife();
    const cut = other.record().stop().slice(0, -40);
    expect(replay(cut)).toMatchObject({ ok: false, ending: undefined });
  });
});

/** Says that a write need not be synced. */
class ForgetfulCore extends RawNode {
  override ready(): Ready {
    return { ...super.ready(), mustSync: false };
  }
}
