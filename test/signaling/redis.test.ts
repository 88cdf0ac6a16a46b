/** Two signaling processes behind one Redis are one server to their clients, whichever each of them came to. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSignalingServer, type SignalingServer } from '../../signaling/server.ts';
import { isRedisInstalled, RedisServer } from './redis-server.ts';
import { Tab } from './tab.ts';

type Running = SignalingServer & { readonly url: string };

describe.skipIf(!isRedisInstalled)('signaling over Redis', () => {
  const redis = new RedisServer();
  let servers: Running[] = [];
  let tabs: Tab[] = [];
  let room = '';
  let test_ = 0;

  beforeAll(() => redis.start());
  afterAll(() => redis.remove());
  beforeEach(() => {
    room = `room-${test_++}`;
  });
  afterEach(async () => {
    await Promise.all(tabs.map((tab) => tab.client.close()));
    await Promise.all(servers.map((server) => server.close()));
    servers = [];
    tabs = [];
  });

  async function serve(): Promise<Running> {
    const server = await createSignalingServer({ redis: { url: redis.url }, onProblem: () => {} });
    servers.push(server);
    return server;
  }
  function tab(nodeId: string, ...at: readonly Running[]): Promise<Tab> {
    const made = new Tab(...at.map(({ url }) => url));
    tabs.push(made);
    return made.enter(nodeId, { room });
  }

  test('members of one room at two processes see each other come and go, signal, and relay', async () => {
    const [one, two] = [await serve(), await serve()];
    const a = await tab('a', one);
    await a.hears('grant');
    const b = await tab('b', two);
    await b.hears('peers a');
    await a.hears('peers b');
    expect(a.client.signal('b', { offer: 1 })).toBe(true);
    await b.hears('signal a {"offer":1}');
    b.client.signal('a', { answer: 2 });
    await a.hears('signal b {"answer":2}');
    a.client.founded('c1');
    await b.hears('cluster c1');
    await a.hears('cluster c1');
    expect(a.client.relay('b', Uint8Array.of(7, 8, 9))).toBe(true);
    await b.hears('frame a 3 7');
    b.client.relay('a', new Uint8Array(16_000).fill(5));
    await a.hears('frame b 16000 5');
    await b.client.close();
    await a.hears('peers ', 4);
    a.client.relay('b', Uint8Array.of(1));
    await a.hears('lost b');
  });

  test('founding is granted once, though both processes are asked in the same moment', async () => {
    const [one, two] = [await serve(), await serve()];
    for (let round = 0; round < 10; round++) {
      room = `founded-${round}`;
      const racers = await Promise.all(Array.from({ length: 6 }, (_, i) => tab(`n${i}`, i % 2 === 0 ? one : two)));
      await Promise.all(racers.map((racer) => racer.hears(/^peers (?:n\d,){4}n\d$/)));
      const granted = racers.filter((racer) => racer.count('grant') > 0);
      expect(granted).toHaveLength(1);
      granted[0]?.client.founded(`cluster-${round}`);
      await Promise.all(racers.map((racer) => racer.hears(`cluster cluster-${round}`)));
      expect(racers.map((racer) => racer.count('grant')).reduce((sum, count) => sum + count)).toBe(1);
    }
  });

  test('whose connection breaks comes back to the other process, and nobody notices', async () => {
    const [one, two] = [await serve(), await serve()];
    const a = await tab('a', one);
    await a.hears('grant');
    const b = await tab('b', one, two);
    await b.hears('peers a');
    const before = await a.hears('peers b');
    b.cut();
    const again = await b.hears('open', await b.hears('connecting: signaling-unreachable'));
    a.client.signal('b', { still: true });
    await b.hears('signal a {"still":true}', again);
    expect(a.told.slice(before)).toEqual([]);
    expect(two.counts().members).toBe(1);
  });

  test('an id that is alive at one process is refused at the other; one that is dead there is not', async () => {
    const [one, two] = [await serve(), await serve()];
    const first = await tab('same', one);
    await first.hears('open');
    const second = await tab('same', two);
    await second.hears('closed: identity-in-use');
    await second.client.close();
    await first.client.close();
    const third = await tab('same', two);
    await third.hears('open');
  });

  test('Redis is restarted: who is here stays, what was founded is known, joins wait and then go on', async () => {
    const [one, two] = [await serve(), await serve()];
    const a = await tab('a', one);
    await a.hears('grant');
    a.client.founded('c3');
    await a.hears('cluster c3');
    const b = await tab('b', two);
    await b.hears('peers a');
    // Told over Redis: what is not through by then comes when Redis is back.
    await a.hears('peers b');
    await redis.kill();
    const c = await tab('c', two);
    const health = (await fetch(`${two.url.replace(/^ws/, 'http').replace('/signal', '')}/healthz`)).status;
    expect(health).toBe(503);
    expect(c.count('open')).toBe(0);
    const [atA, atB] = [a.told.length, b.told.length];
    await redis.start();
    await c.hears('cluster c3');
    await a.hears(/^peers b,c$/, atA);
    await b.hears(/^peers a,c$/, atB);
    expect([...a.told.slice(atA), ...b.told.slice(atB)].filter((one) => /closed|connecting|peers [abc]?$/.test(one))).toEqual([]);
    c.client.signal('a', 1);
    await a.hears('signal c 1', atA);
  });

  test('a Redis that has lost its memory is told again who is here', async () => {
    const [one, two] = [await serve(), await serve()];
    const a = await tab('a', one);
    await a.hears('grant');
    a.client.founded('c4');
    await a.hears('cluster c4');
    a.client.joined('c4');
    const b = await tab('b', two);
    await b.hears('cluster c4');
    await redis.kill();
    await redis.start();
    await redis.forgetAll();
    // Who has nothing to say is heard of all the same, when the processes next say that they live.
    const c = await tab('c', two);
    await c.hears(/^peers a,b$/);
    // Said again until it is heard: a signal to who is not known here yet is answered, not kept.
    const isHeard = (): boolean => {
      c.client.signal('a', 'hello');
      return a.told.includes('signal c "hello"');
    };
    await expect.poll(isHeard, { timeout: 20_000 }).toBe(true);
  });

  test('a Redis that is not there is said at once; so are a directory beside it, and a URL that is none', async () => {
    const away = createSignalingServer({ redis: { url: 'redis://127.0.0.1:1' } });
    await expect(away).rejects.toMatchObject({ code: 'storage', message: expect.stringMatching(/^Redis cannot be reached/) });
    const both = createSignalingServer({ redis: { url: redis.url }, directory: '/tmp' });
    await expect(both).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});
