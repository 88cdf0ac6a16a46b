import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RoomMemory } from '../../signaling/room-memory.ts';

let directory = '';
let file = '';
let problems: string[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tabraft-rooms-'));
  file = join(directory, 'rooms.jsonl');
  problems = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (roomsMax = 2_000): Promise<RoomMemory> =>
  RoomMemory.open(directory, roomsMax, (problem) => void problems.push(String(problem)));

describe('what is remembered', () => {
  it('is on the disk when it is said to be', async () => {
    const memory = await open();
    expect(await memory.remember('a', 'c1')).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('{"room":"a","clusterId":"c1"}\n');
    expect([...(await open()).clusters]).toEqual([['a', 'c1']]);
  });

  it('is written together, and one of several words about a room is the last one', async () => {
    const memory = await open();
    const many = Array.from({ length: 1_000 }, (_, i) => memory.remember(`r${i}`, 'c'));
    const twice = [memory.remember('x', 'c1'), memory.remember('x', 'c1'), memory.forget('x'), memory.remember('y', 'c')];
    expect(new Set(await Promise.all([...many, ...twice]))).toEqual(new Set([true]));
    const again = await open();
    expect([again.clusters.size, again.clusters.has('x')]).toEqual([1_001, false]);
  });

  it('stays forgotten over a restart', async () => {
    const memory = await open();
    await memory.remember('a', 'c1');
    expect(await memory.forget('a')).toBe(true);
    const again = await open();
    expect([...again.clusters]).toEqual([]);
    await again.remember('a', 'c2');
    expect([...(await open()).clusters]).toEqual([['a', 'c2']]);
  });

  it('is said not to be when the disk fails; when it is back, nothing that was cut off takes the next with it', async () => {
    const memory = await open();
    await memory.remember('a', 'c1');
    rmSync(file);
    mkdirSync(file); // no file can be appended to here
    expect(await memory.remember('b', 'c2')).toBe(false);
    expect([memory.isFailing, problems.length]).toEqual([true, 1]);
    rmSync(file, { recursive: true });
    writeFileSync(file, '{"room":"a","clusterId":"c1"}\n{"room":"b","clus');
    expect(await memory.remember('b', 'c2')).toBe(true);
    expect(memory.isFailing).toBe(false);
    await memory.close();
    expect([...(await open()).clusters]).toEqual([
      ['a', 'c1'],
      ['b', 'c2'],
    ]);
  });
});

describe('a file', () => {
  it('with damaged lines is read without them; they are reported and kept', async () => {
    writeFileSync(
      file,
      '{"room":"a","clusterId":"c1"}\nnonsense\n{"room":"../b","clusterId":"c"}\n\n{"room":"c","clusterId":"c3"}\n',
    );
    appendFileSync(file, '{"room":"d","clust');
    const memory = await open();
    expect([...memory.clusters.keys()]).toEqual(['a', 'c']);
    expect(problems).toEqual([
      expect.stringContaining('Line 2'),
      expect.stringContaining('Line 3'),
      expect.stringContaining('Line 6'),
    ]);
    expect(readFileSync(join(directory, 'rooms.damaged.jsonl'), 'utf8')).toContain('nonsense\n');
    await open();
    expect(problems.length).toBe(3);
  });

  it('with more rooms than allowed is read up to the limit, the newest ones; the others are kept aside', async () => {
    writeFileSync(file, Array.from({ length: 300 }, (_, i) => `{"room":"r${i}","clusterId":"c"}\n`).join(''));
    const memory = await open(100);
    expect([memory.clusters.size, memory.clusters.has('r299'), memory.clusters.has('r199')]).toEqual([100, true, false]);
    expect(problems).toEqual([expect.stringContaining('200 rooms more')]);
    expect(readFileSync(join(directory, 'rooms.damaged.jsonl'), 'utf8').split('\n').length).toBe(201);
  });

  it('that is damaged from end to end does not fill the memory', async () => {
    writeFileSync(file, `${'x'.repeat(5_000)}\n`.repeat(3_000));
    expect((await open()).clusters.size).toBe(0);
    expect(readFileSync(join(directory, 'rooms.damaged.jsonl'), 'utf8').length).toBeLessThan(1_100_000);
    expect(problems.length).toBe(11);
  });

  it('in a place that cannot be used is an error with a code', async () => {
    const path = join(directory, 'a-file');
    writeFileSync(path, '');
    chmodSync(path, 0o444);
    await expect(RoomMemory.open(path, 10, () => undefined)).rejects.toMatchObject({ code: 'storage' });
  });
});
