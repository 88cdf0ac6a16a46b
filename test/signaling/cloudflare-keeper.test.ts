/** The keeper in its room's object, in Cloudflare's own runtime (miniflare), with real members over the relay. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Miniflare } from 'miniflare';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { raft } from '../../src/front-door/edge.ts';
import { createRoomLink } from '../../src/front-door/room-access.ts';
import type { RaftNode } from '../../src/runtime/api/api.ts';
import { defineStateMachine } from '../../src/state/typed-machine.ts';
import { builtWorker, miniflareOf } from '../support/miniflare.ts';

const notes = defineStateMachine<string[]>()({
  initial: () => [],
  commands: { note: (state, { text }: { text: string }) => state.push(text) },
});
type Notes = RaftNode<string[], typeof notes.commands, Record<never, never>>;

const folder = mkdtempSync(join(tmpdir(), 'tabraft-kept-'));
let script = '';
let port = 0;
let link = '';
let miniflare: Miniflare | undefined;
let lines: Record<string, unknown>[] = [];
let nodes: Notes[] = [];

beforeAll(async () => {
  script = await builtWorker('signaling/cloudflare/worker.ts');
  port = await freePort();
  link = await createRoomLink('kept');
  await start();
}, 60_000);
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop({ transfer: false })));
  nodes = [];
});
afterAll(async () => {
  await miniflare?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** On the same port and the same disk; everything in memory is lost, as in an eviction. */
async function start(bindings: Readonly<Record<string, string>> = { KEEPER: `#room=other&open=1\n${link}` }): Promise<void> {
  await miniflare?.dispose();
  lines = [];
  const onLine = (text: string): void => {
    if (text.startsWith('{')) lines.push(JSON.parse(text) as Record<string, unknown>);
  };
  miniflare = miniflareOf({ script, folder, className: 'RoomObject', bindings, port, onLine });
  await miniflare.ready;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function enter(name: string, room = link): Promise<Notes> {
  const node = await raft.enter(room, notes, {
    signaling: `ws://127.0.0.1:${port}/signal?room=`,
    storage: { directory: join(folder, name) },
    link: { relay: true },
    name,
  });
  nodes.push(node);
  return node;
}

const votes = (node: Notes, count: number): Promise<void> =>
  node.until(({ leaderId, suffrage }) => leaderId !== undefined && suffrage === 'voter' && node.config.voters.length === count, {
    timeoutMs: 60_000,
  });
const keeperOf = (node: Notes): string => node.config.members.find(({ name }) => name === 'keeper')?.id ?? 'there is no keeper';

async function said(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> {
  return vi.waitUntil(
    () => lines.find((line) => line['event'] === event && Object.entries(fields).every(([key, value]) => line[key] === value)),
    { timeout: 150_000, interval: 100 },
  );
}

const leads = (node: Notes, id: string): Promise<void> => node.until(({ leaderId }) => leaderId === id, { timeoutMs: 60_000 });

test('a room whose members have all left lives on in its object, also when that is evicted', async () => {
  const first = await enter('first');
  await votes(first, 2);
  const keeper = keeperOf(first);
  // Of two it leads, because only a leader may go on alone.
  await leads(first, keeper);
  const second = await enter('second');
  await votes(second, 3);
  await first.until(({ leaderId }) => leaderId === first.id || leaderId === second.id, { timeoutMs: 60_000 });
  for (let i = 0; i < 20; i++) await second.propose({ type: 'note', text: `note ${i}` });
  await first.stop();
  await votes(second, 2);
  await leads(second, keeper);
  // The pair is settled: what was written after the change is committed.
  await second.propose({ type: 'note', text: 'the last' });
  await second.stop();
  expect(await said('keeper-asleep')).toMatchObject({ settled: true });
  await start();
  const third = await enter('third');
  await third.ready;
  expect(keeperOf(third)).toBe(keeper);
  expect(await third.read((state) => state)).toHaveLength(21);
  expect(await third.propose({ type: 'note', text: 'one more' })).toBe(22);
}, 240_000);

test('an object that is evicted in the middle comes back as the same member, with its votes and its log', async () => {
  const first = await enter('first-of-two');
  await first.ready;
  await votes(first, 2);
  const keeper = keeperOf(first);
  await first.propose({ type: 'note', text: 'before' });
  await start();
  expect(await first.propose({ type: 'note', text: 'after' }, { timeoutMs: 60_000 })).toBeGreaterThan(0);
  expect(keeperOf(first)).toBe(keeper);
  expect(await said('keeper-awake')).toMatchObject({ node: keeper });
}, 240_000);

test('what is wrong with KEEPER is told by its number, and harms no other room', async () => {
  const other = await createRoomLink('other');
  const damaged = link.replace('secret=', 'secret=!');
  await start({ KEEPER: `${damaged}, ${other}` });
  const health = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  expect(await health()).toMatch(/^503 KEEPER, link 1: wrong-secret: /);
  expect(await health()).not.toContain(damaged.slice(-10));
  const node = await enter('beside', other);
  await votes(node, 2);
  expect(await said('keeper-refused')).toMatchObject({ level: 'error' });
  await start({ KEEPER: link, RELAY: 'off' });
  expect(await health()).toMatch(/^503 invalid-argument: /);
  await start({});
  expect(await health()).toBe('200 ok');
}, 120_000);
