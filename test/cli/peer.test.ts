/** Processes at the edge, in this one: the real signaling server, frames over its relay, LMDB on disk, the admin server and its verbs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createSignalingServer, type SignalingServer } from '../../signaling/server.ts';
import { runLive } from '../../src/cli/live/verbs.ts';
import { LOCK_NAME } from '../../src/cli/peer/directory-lock.ts';
import { lineLogger } from '../../src/cli/peer/logger.ts';
import { type RunningPeer, startPeer } from '../../src/cli/peer/peer.ts';
import { peerSettings } from '../../src/cli/peer/settings.ts';
import { LmdbMedium } from '../../src/storage/lmdb/lmdb-medium.ts';

/** A machine with much to do. */
const BUSY = { timeoutMs: 30_000 };

let directory = '';
let signaling: (SignalingServer & { readonly url: string }) | undefined;
let running: RunningPeer[] = [];
let logged: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tabraft-peer-'));
  signaling = await createSignalingServer({ port: 0 });
  const machine = `
    export default {
      initial: () => ({ total: 0 }),
      commands: { add: (state, { amount }) => { state.total += amount; return state.total; } },
    };`;
  writeFileSync(join(directory, 'machine.mjs'), machine);
  writeFileSync(join(directory, 'none.mjs'), 'export const other = 1;');
  writeFileSync(join(directory, 'broken.mjs'), 'throw new Error("broken on purpose");');
});
afterEach(async () => {
  await Promise.all(running.map((peer) => peer.stop()));
  running = [];
  logged = [];
});
afterAll(async () => {
  await signaling?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(dir: string, ...args: string[]): Promise<RunningPeer> {
  const told = peerSettings(
    ['--signaling', signaling?.url ?? '', '--dir', dir, '--links', 'relay', '--admin', '0', '--open', 'on', ...args],
    directory,
  );
  if ('help' in told) throw new Error('help was not asked for');
  const peer = await startPeer(
    told,
    '1.2.3',
    lineLogger('json', (line) => logged.push(line)),
  );
  running.push(peer);
  return peer;
}

function nodeOf(peer: RunningPeer, room = 'one') {
  const found = peer.rooms.find(({ settings }) => settings.room === room);
  if (found === undefined) throw new Error(`no room ${room}`);
  return found.node;
}

async function said(peer: RunningPeer, ...[verb = '', ...args]: string[]): Promise<string[]> {
  const lines: string[] = [];
  expect(await runLive(verb, [...args, '--admin', peer.adminUrl ?? ''], (line) => lines.push(line))).toBe(0);
  return lines;
}

const events = (): readonly { readonly event: string; readonly [field: string]: unknown }[] =>
  logged.map((line) => JSON.parse(line));

test('a directory is one process’s: a second is refused while the first runs, and may have it afterwards, also of one that died', async () => {
  const dir = join(directory, 'shared');
  const first = await start(dir, '--room', 'shared', '--admin', 'off');
  const id = nodeOf(first, 'shared').id;
  await expect(start(dir, '--room', 'other', '--admin', 'off')).rejects.toMatchObject({ code: 'identity-in-use' });
  await nodeOf(first, 'shared').until(({ role }) => role === 'leader', BUSY);
  await first.stop();
  const second = await start(dir, '--room', 'shared', '--admin', 'off');
  expect(nodeOf(second, 'shared').id).toBe(id);
  await second.stop();
  const medium = await LmdbMedium.open(join(dir, LOCK_NAME));
  medium.hold({ pid: 2 ** 22 + 1, started: 'long ago', nonce: 'dead' }, () => false);
  await medium.close();
  expect(nodeOf(await start(dir, '--room', 'shared', '--admin', 'off'), 'shared').id).toBe(id);
});

test('a keeper and a member with the machine in two rooms: status, members, transfer, snapshot, backup, remove, add', async () => {
  const kept = await start('a', '--room', 'one', '--room', 'two', '--name', 'kept');
  await nodeOf(kept).until(({ role }) => role === 'leader', BUSY);
  const full = await start('b', '--room', 'one', '--machine', 'machine.mjs', '--name', 'full');
  const node = nodeOf(full) as unknown as { propose(command: unknown, options: object): Promise<number> };
  expect(await node.propose({ type: 'add', amount: 5 }, BUSY)).toBe(5);
  await nodeOf(full).until(({ suffrage }) => suffrage === 'voter', BUSY);

  const status = await said(kept, 'status');
  expect(status[0]).toMatch(/^room\s+node\s+role\s+suffrage\s+leader/);
  expect(status[1]).toMatch(/^one\s+\S+\s+(leader|follower) \(keeper\)\s+voter/);
  expect(status[2]).toMatch(/^two\s/);
  const json = JSON.parse((await said(kept, 'status', '--json', '--room', 'two'))[0] ?? '') as unknown;
  expect(json).toMatchObject({ version: '1.2.3', draining: false, rooms: [{ room: 'two', keeper: true }] });

  const members = JSON.parse((await said(full, 'members', '--json'))[0] ?? '') as { readonly voters: readonly string[] };
  expect(members.voters).toEqual([nodeOf(kept).id, nodeOf(full).id].sort());
  expect((await said(full, 'members')).join('\n')).toMatch(/voter\s+kept[\s\S]*as of entry \d+/);

  expect(await said(kept, 'transfer', nodeOf(full).id, '--room', 'one')).toEqual([`${nodeOf(full).id} leads room one`]);
  expect((await said(kept, 'snapshot', '--room', 'one'))[0]).toMatch(/^room one: snapshot of entry \d+, \d+ bytes$/);
  const dump = join(directory, 'one.dump');
  const [backup] = await said(full, 'backup', dump);
  expect(backup).toBe(`${readFileSync(dump).length} bytes written to ${dump}`);

  const gone = nodeOf(kept).id;
  expect((await said(full, 'remove', gone))[0]).toMatch(new RegExp(`^${gone} belongs to room one no more as of entry \\d+$`));
  await nodeOf(kept).until(({ role }) => role === 'removed', BUSY);
  expect(kept.rooms[0]?.trouble()?.code).toBe('removed');
  expect((await said(full, 'add', 'somebody', '--as', 'standby', '--priority', '7'))[0]).toMatch(/^somebody belongs to room one/);
  expect((await said(full, 'members')).join('\n')).toMatch(/somebody\s+learner\s+7/);
  expect(events().map(({ event }) => event)).toEqual(
    expect.arrayContaining(['opened', 'role', 'leader', 'config', 'snapshot', 'removed']),
  );
});

test('what the process ends with another goes on with; it comes back as the same node from its directory', async () => {
  const first = await start('c', '--room', 'one-more', '--machine', 'machine.mjs');
  await nodeOf(first, 'one-more').until(({ role }) => role === 'leader', BUSY);
  const second = await start('d', '--room', 'one-more', '--machine', 'machine.mjs');
  await nodeOf(second, 'one-more').until(({ suffrage }) => suffrage === 'voter', BUSY);
  const add = (peer: RunningPeer, amount: number): Promise<number> =>
    (nodeOf(peer, 'one-more') as unknown as { propose(command: unknown, options: object): Promise<number> }).propose(
      { type: 'add', amount },
      BUSY,
    );
  expect(await add(first, 2)).toBe(2);
  const id = nodeOf(first, 'one-more').id;
  await first.stop();
  await nodeOf(second, 'one-more').until(({ role }) => role === 'leader', BUSY);
  expect(await add(second, 3)).toBe(5);
  const back = await start('c', '--room', 'one-more', '--machine', 'machine.mjs');
  expect(nodeOf(back, 'one-more').id).toBe(id);
  expect(await add(back, 1)).toBe(6);
});

test('the admin server: health, metrics, watching; no page may ask, nothing unknown is done', async () => {
  const peer = await start('e', '--room', 'watched');
  await nodeOf(peer, 'watched').until(({ role }) => role === 'leader', BUSY);
  const ask = (path: string, how: RequestInit = {}): Promise<Response> => fetch(new URL(path, peer.adminUrl), how);
  expect([(await ask('/healthz')).status, await (await ask('/healthz')).text()]).toEqual([200, 'ok\n']);

  const metrics = await ask('/metrics');
  expect(metrics.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  const text = await metrics.text();
  expect(text).toMatch(/^# TYPE tabraft_healthy gauge\n/);
  expect(text).toMatch(/\ntabraft_leader\{room="watched"\} 1\n/);
  expect(text).toMatch(/\n# TYPE tabraft_leader_changes counter\n[\s\S]*tabraft_leader_changes_total\{room="watched"\} \d+\n/);
  expect(text.endsWith('\n# EOF\n')).toBe(true);

  const watching = (await ask('/rooms/watched/watch')).body?.getReader();
  const read = async (): Promise<string> => new TextDecoder().decode((await watching?.read())?.value);
  expect(JSON.parse(await read())).toMatchObject({ event: 'now', role: 'leader', room: 'watched' });
  await said(peer, 'snapshot');
  expect(JSON.parse(await read())).toMatchObject({ event: 'snapshot', kind: 'created' });
  await watching?.cancel();

  expect((await ask('/rooms/watched/status')).status).toBe(200);
  expect((await ask('/rooms/other/status')).status).toBe(404);
  expect((await ask('/rooms/watched/remove')).status).toBe(404);
  const post = (body: string): Promise<Response> => ask('/rooms/watched/members', { method: 'POST', body });
  expect(await (await post('{"id":"x","port":1}')).json()).toMatchObject({ code: 'invalid-argument', message: /port/ });
  expect((await post('{')).status).toBe(400);
  expect((await post('[]')).status).toBe(400);
  expect((await post(JSON.stringify({ id: 'x'.repeat(20_000) }))).status).toBe(413);
  expect(await statusWith(peer, { origin: 'http://evil.example' })).toBe(403);
  expect(await statusWith(peer, { 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await statusWith(peer, { host: 'evil.example:80' })).toBe(403);
  expect(await statusWith(peer, {})).toBe(200);
});

function statusWith(peer: RunningPeer, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${peer.adminUrl}/status`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('what cannot be is said, with a code, and nothing runs: a port in use, a module that is none, a directory that is a file', async () => {
  const peer = await start('f', '--room', 'busy');
  const port = new URL(peer.adminUrl ?? '').port;
  await expect(start('g', '--room', 'x', '--admin', port)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringMatching(`port ${port}`),
  });
  const module = (name: string): Promise<RunningPeer> => start('g', '--room', 'x', '--machine', name);
  await expect(module('missing.mjs')).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringMatching(/cannot be loaded/),
  });
  await expect(module('broken.mjs')).rejects.toMatchObject({ message: expect.stringMatching(/broken on purpose/) });
  await expect(module('none.mjs')).rejects.toMatchObject({ message: expect.stringMatching(/exports no state machine/) });
  await expect(start('none.mjs', '--room', 'x')).rejects.toMatchObject({ code: 'storage-unavailable' });
  await expect(runLive('status', ['--admin', 'http://127.0.0.1:1'], () => {})).rejects.toMatchObject({ code: 'not-open' });
  await expect(runLive('transfer', ['a', 'b'], () => {})).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(runLive('snapshot', ['--json'], () => {})).rejects.toMatchObject({ message: '--json means nothing here.' });
  await expect(runLive('status', ['--admin', 'nowhere'], () => {})).rejects.toMatchObject({ code: 'invalid-argument' });
  const two = await start('h', '--room', 'p', '--room', 'q');
  await expect(said(two, 'members')).rejects.toMatchObject({ message: 'Say which room with --room: p, q.' });
});
