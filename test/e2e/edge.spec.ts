/** A process that stays keeps a room alive that it does not understand: real tabs, the real command, WebRTC between them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, Profile, test } from './cluster.ts';

type Line = Readonly<Record<string, unknown>>;

class Edge {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tabraft-edge-'));
  #child: ChildProcess | undefined;
  readonly lines: Line[] = [];
  admin = '';

  async start(signaling: string, room: string): Promise<void> {
    const args = ['dist/cli.js', 'peer', '--room', room, '--open', 'on', '--signaling', signaling, '--dir', this.#directory];
    const child = spawn(process.execPath, [...args, '--admin', '0', '--log', 'json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line;
      this.lines.push(line);
      if (line['event'] !== 'started') continue;
      this.admin = String(line['admin']);
      break;
    }
    child.stdout.resume();
  }

  async says(verb: string): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli.js', verb, '--admin', this.admin]);
    return stdout;
  }

  /** Its exit code. */
  async terminate(): Promise<number | null> {
    const ended = once(this.#child ?? this.#missing(), 'exit');
    this.#child?.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    this.#child = undefined;
    return code;
  }

  remove(): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #missing(): never {
    throw new Error('It does not run.');
  }
}

test('a keeper outlives all tabs: an empty profile finds the state, and goes on when the keeper ends', async ({
  server,
  profile,
  room,
  url,
}) => {
  const edge = new Edge();
  const elsewhere = new Profile();
  try {
    await edge.start(`${server.url.replace(/^http/, 'ws')}signal`, room);
    await (await profile.open(url)).ready();
    const two = await (await profile.open(url)).ready();
    await expect.poll(() => edge.says('members')).toMatch(/voter\s+edge/);
    expect(edge.lines).toContainEqual(expect.objectContaining({ event: 'opened', keeper: true }));
    await expect.poll(async () => (await two.voters()).length).toBeGreaterThan(1);
    for (const item of ['bread', 'salt', 'water']) await two.add(item);
    await profile.close();

    const tab = await (await elsewhere.open(url)).ready();
    expect(await tab.readItems()).toEqual(['bread', 'salt', 'water']);
    await expect.poll(() => tab.voters()).toContain(await tab.id());
    expect(await edge.terminate()).toBe(0);
    await expect.poll(async () => (await tab.status())?.role).toBe('leader');
    await tab.add('wine');
    expect(await tab.readItems()).toEqual(['bread', 'salt', 'water', 'wine']);
    expect(elsewhere.faults).toEqual([]);
  } finally {
    edge.remove();
    await elsewhere.remove();
  }
});
