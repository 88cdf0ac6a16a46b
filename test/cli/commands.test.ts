import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/cli/commands.ts';
import { LmdbStorage } from '../../src/storage/lmdb/lmdb-storage.ts';
import { entriesOf, metaAt } from '../../src/testing/storage-suite/context.ts';

let path = '';
let nodeId = '';

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'tabraft-cli-'));
  const store = await new LmdbStorage({ path: join(path, 'data') }).acquire({ room: 'a room' });
  nodeId = store.identity.nodeId;
  const writer = await store.stageSnapshot(metaAt(2, 1));
  await writer.write(new Uint8Array(10));
  await store.write({
    cluster: { clusterId: 'c1', epoch: 1 },
    hardState: { term: 2, vote: nodeId, commit: 3 },
    snapshot: { staged: await writer.finish(), keepLogAfter: false },
    entries: entriesOf(3, 5, 2),
  });
  await store.close();
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

async function lines(...given: string[]): Promise<string[]> {
  const said: string[] = [];
  expect(await run(given, (line) => said.push(line))).toBe(0);
  return said;
}

test('describe, of a directory and of a dump, as a table and as JSON', async () => {
  const data = join(path, 'data');
  const dump = join(path, 'node.dump');
  await lines('export', data, dump);
  for (const source of [data, dump]) {
    const log = await lines('describe', 'logs', source, '--last', '2');
    expect(log[0]).toMatch(/^index\s+term\s+type\s+bytes\s+time\s+entry$/);
    expect(log).toHaveLength(3);
    const json = (await lines('describe', 'logs', source, '--json')).map((line) => JSON.parse(line) as { index: number });
    expect(json.map(({ index }) => index)).toEqual([3, 4, 5]);
    const metadata = JSON.parse((await lines('describe', 'metadata', source, '--json'))[0] ?? '') as unknown;
    expect(metadata).toMatchObject({
      identity: { nodeId, room: 'a room' },
      cluster: { clusterId: 'c1', epoch: 1 },
      hardState: { term: 2, vote: nodeId, commit: 3 },
      snapshot: { index: 2, bytes: 10 },
      lastIndex: 5,
    });
    expect((await lines('describe', 'metadata', source)).join('\n')).toMatch(/cluster\s+c1, epoch 1/);
    expect((await lines('describe', 'members', source)).join('\n')).toMatch(/^c\s+learner$/m);
    expect(await lines('check', source)).toEqual(['whole: 3 entries, 10 bytes of snapshot']);
  }
});

test('import makes a new node of a dump', async () => {
  const dump = join(path, 'node.dump');
  await lines('export', join(path, 'data'), dump);
  expect((await lines('import', dump, join(path, 'elsewhere')))[0]).toContain(`what ${nodeId} held, up to entry 5`);
  const [line] = await lines('describe', 'metadata', join(path, 'elsewhere'), '--json');
  const metadata = JSON.parse(line ?? '') as { identity: { nodeId: string }; lastIndex: number };
  expect(metadata.lastIndex).toBe(5);
  expect(metadata.identity.nodeId).not.toBe(nodeId);
});

test('recover asks first, refuses a running node, and then raises the epoch', async () => {
  const data = join(path, 'data');
  const said: string[] = [];
  expect(await run(['recover', data], (line) => said.push(line))).toBe(2);
  expect(said.join(' ')).toContain('--yes');
  const running = await new LmdbStorage({ path: data }).acquire({ room: 'a room', preferred: nodeId });
  await expect(run(['recover', data, '--yes'], () => undefined)).rejects.toMatchObject({ code: 'identity-in-use' });
  await running.close();
  expect((await lines('recover', data, '--yes'))[0]).toMatch(/^epoch 2: node \w+ is the only voter/);
  expect((await lines('describe', 'metadata', data)).join('\n')).toMatch(/cluster\s+c1, epoch 2/);
});

test('what cannot be understood, or is not there, is said', async () => {
  const said: string[] = [];
  expect(await run([], (line) => said.push(line))).toBe(2);
  expect(said.join('\n')).toContain('describe logs');
  expect(await run(['describe', 'nothing', join(path, 'data')], () => undefined)).toBe(2);
  await expect(run(['describe', 'logs', path, '--wrong'], () => undefined)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(run(['check', join(path, 'none')], () => undefined)).rejects.toMatchObject({ code: 'invalid-argument' });
  writeFileSync(join(path, 'bad.dump'), 'not a dump at all');
  await expect(run(['check', join(path, 'bad.dump')], () => undefined)).rejects.toMatchObject({ code: 'corrupt' });
});
