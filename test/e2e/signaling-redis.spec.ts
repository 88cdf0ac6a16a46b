/** Two real processes of the signaling server on one Redis, and one of them killed while many come and go. No browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from '@playwright/test';
import { isRedisInstalled, RedisServer } from '../signaling/redis-server.ts';
import { Tab } from '../signaling/tab.ts';

const ROOMS = 8;
const STAYING = 4;

async function start(redis: string): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, ['dist/signaling.js', '--port', '0'], {
    env: { ...process.env, REDIS: redis },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ws:\S+/.exec(line)?.[0];
    if (url !== undefined) return { url, child };
  }
  throw new Error('It did not start.');
}

/** Whom of those that stay it was ever told to be gone, once it had seen all three. */
function losses({ told }: Tab): readonly string[] {
  const seesAll = (line: string): boolean => line.startsWith('peers ') && (line.match(/n\d/g) ?? []).length === STAYING - 1;
  return told.slice(told.findIndex(seesAll)).filter((line) => line.startsWith('peers ') && !seesAll(line));
}

test('one process is killed: who was there goes on at the other, who does not come back leaves, and rooms are founded', async () => {
  test.skip(!isRedisInstalled, 'redis-server is not installed');
  const redis = new RedisServer();
  await redis.start();
  const [one, two] = [await start(redis.url), await start(redis.url)];
  const tabs: Tab[] = [];
  const tab = (room: string, nodeId: string, ...urls: string[]): Promise<Tab> => {
    const made = new Tab(...urls);
    tabs.push(made);
    return made.enter(nodeId, { room });
  };
  try {
    const rooms = await Promise.all(
      Array.from({ length: ROOMS }, async (_, i) => {
        const room = `room-${i}`;
        // The one that holds the grant is at the process that dies, and never comes back.
        const founder = await tab(room, 'founder', one.url, 'ws://127.0.0.1:1/');
        await founder.hears('grant');
        const others = Array.from({ length: STAYING }, (_, at) => tab(room, `n${at}`, at % 2 === 0 ? one.url : two.url, two.url));
        const staying = await Promise.all(others);
        await Promise.all(staying.map((other) => other.hears(/founder.*n\d.*n\d|founder,n0,n1/)));
        return { room, staying };
      }),
    );
    // Joins are under way while it dies.
    const late = rooms.map(({ room }) => tab(room, 'late', one.url, two.url));
    one.child.kill('SIGKILL');
    await Promise.all(late);
    for (const { staying } of rooms) {
      await Promise.all(staying.map((other) => other.hears(/^peers late(,n\d){3}$/)));
      // Nobody of them was taken for gone, by anybody, although half of them lost their connection.
      expect(staying.flatMap(losses)).toEqual([]);
      await expect.poll(() => staying.filter((other) => other.count('grant') > 0).length).toBe(1);
      staying.find((other) => other.count('grant') > 0)?.client.founded('c');
      await Promise.all(staying.map((other) => other.hears('cluster c')));
    }
  } finally {
    await Promise.all(tabs.map(({ client }) => client.close()));
    const ended = once(two.child, 'exit');
    two.child.kill('SIGTERM');
    one.child.kill('SIGKILL');
    const [code] = (await ended) as [number | null];
    await redis.remove();
    expect(code).toBe(0);
  }
});
