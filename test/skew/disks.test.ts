/** What a cluster of an earlier build left on its disks: what becomes of it here. docs/STORAGE.md tells it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer } from '../../signaling/server.ts';
import {
  createRoomLink,
  defineStateMachine,
  type EdgeOptions,
  exportNode,
  importNode,
  LmdbStorage,
  raft,
  recoverNode,
} from '../../src/node.ts';
import { MemoryHub } from '../../src/transport/memory.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
const about = JSON.parse(fixture('about.json').toString()) as {
  readonly cluster: string;
  readonly nodes: readonly string[];
  readonly voters: readonly string[];
};
const NOTES = Array.from({ length: 20 }, (_, i) => `note ${i}`);

const machine = defineStateMachine<{ readonly log: string[] }>()({
  initial: () => ({ log: [] }),
  commands: { note: (state, { text }: { readonly text: string }) => state.log.push(text) },
});

const root = mkdtempSync(join(tmpdir(), 'tabraft-skew-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function room(run: (options: (directory: string) => EdgeOptions) => Promise<void>): Promise<void> {
  const server = await createSignalingServer({ port: 0 });
  const hub = new MemoryHub();
  try {
    await run((directory) => ({
      signaling: server.url,
      connect: (url) => new WebSocket(url),
      storage: { directory },
      link: hub.transport(),
      tuning: { electionTimeoutMs: [200, 400], heartbeatMs: 40 },
    }));
  } finally {
    await server.close();
  }
}

/** What a device of that time has: its environment, in a directory of its own. */
function deviceOf(i: number): string {
  const directory = mkdtempSync(join(root, 'device-'));
  const folder = join(directory, 'r-skew', about.nodes[i] ?? '');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'data.mdb'), gunzipSync(fixture(`${i}.mdb.gz`)));
  return directory;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test('a node that 138e393 wrote has no key: it is refused with a code, by whatever verb, and nothing of it changes', async () => {
  await room(async (options) => {
    for (const i of about.nodes.keys()) {
      const directory = deviceOf(i);
      const storage = new LmdbStorage({ path: directory });
      const before = await bytesOf(exportNode(storage, 'skew'));
      for (const verb of ['enter', 'open', 'join'] as const) {
        const opened = raft[verb]('skew', machine, { ...options(directory), openRoom: true });
        await expect(opened).rejects.toMatchObject({ code: 'node-mismatch', mayHaveApplied: false });
      }
      expect(await bytesOf(exportNode(storage, 'skew', about.nodes[i]))).toEqual(before);
    }
  });
});

test('one device takes the state over into a room with a secret; the others come in by its link', async () => {
  const [first, second] = [deviceOf(0), deviceOf(1)];
  const storage = new LmdbStorage({ path: first });
  const link = await createRoomLink('skew');
  const id = await importNode(storage, link, exportNode(storage, 'skew'));
  expect(about.nodes).not.toContain(id);
  expect(await recoverNode(storage, link, id)).toMatchObject({ epoch: 2, removed: [...about.nodes].sort() });
  await room(async (options) => {
    const one = await raft.enter(link, machine, options(first));
    expect([one.id, one.clusterId]).toEqual([id, about.cluster]);
    await one.ready;
    expect(await one.read((state) => [...state.log])).toEqual(NOTES);
    const other = await raft.enter(link, machine, options(second));
    await other.ready;
    expect(await other.propose({ type: 'note', text: 'by the later build' })).toBe(NOTES.length + 1);
    expect(await one.read((state) => state.log.at(-1))).toBe('by the later build');
    await Promise.all([one, other].map((node) => node.stop({ transfer: false })));
  });
  expect(await bytesOf(exportNode(storage, 'skew', about.nodes[0]))).not.toHaveLength(0);
});

test('an export that 138e393 made is brought in, recovered, and goes on', async () => {
  const directory = mkdtempSync(join(root, 'device-'));
  const storage = new LmdbStorage({ path: directory });
  const link = await createRoomLink('skew');
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const bytes = gunzipSync(fixture('export.bin.gz'));
    for (let at = 0; at < bytes.length; at += 500) yield bytes.subarray(at, at + 500);
  }
  const id = await importNode(storage, link, chunks());
  expect(await recoverNode(storage, link, id)).toMatchObject({ epoch: 2 });
  await room(async (options) => {
    const node = await raft.open(link, machine, options(directory));
    await node.ready;
    expect(await node.read((state) => [...state.log])).toEqual(NOTES);
    expect(await node.propose({ type: 'note', text: 'alone' })).toBe(NOTES.length + 1);
    await node.stop({ transfer: false });
  });
});

test('who has no node here exports nothing, and asking leaves nothing behind', async () => {
  const directory = mkdtempSync(join(root, 'device-'));
  const storage = new LmdbStorage({ path: directory });
  await expect(bytesOf(exportNode(storage, 'skew'))).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(bytesOf(exportNode(new LmdbStorage({ path: deviceOf(0) }), 'skew', 'nobody'))).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  expect(readdirSync(join(directory, 'r-skew'))).toEqual([]);
});
