/**
 * The guarantees that matter most, in real tabs: every command carries an id, and the state counts how often each was applied.
 * In a room of its own beside the demo's, through the library that the page gives to the console.
 */
import type { ClientNode, RaftNode } from '../../src/index.ts';
import { expect, FORMING_MS, type Profile, type Tab, test } from './cluster.ts';

/** How often each id was applied. */
type Counts = Record<string, number>;
interface Commands {
  readonly [name: string]: (state: Counts, input: { readonly id: string }) => number;
}
interface Asked {
  readonly [name: string]: (state: Readonly<Counts>) => Readonly<Counts>;
}
type CountingNode = RaftNode<Counts, Commands, Asked>;
type Counting = typeof globalThis & { counting: CountingNode; answered: Set<string> };

const WRITES = 1_000;

/** Opens the counting node in a tab, or opens it again after a reload. */
async function enter(tab: Tab, room: string): Promise<void> {
  await tab.page.waitForFunction(() => window.tabraft !== undefined, undefined, { timeout: FORMING_MS });
  await tab.page.evaluate(async (name) => {
    const library = window.tabraft?.raft;
    if (library === undefined) throw new Error('the page gives no library');
    const node = await library.enter(name, {
      initial: (): Counts => ({}),
      commands: {
        apply: (state: Counts, { id }: { readonly id: string }) => {
          state[id] = (state[id] ?? 0) + 1;
          return state[id];
        },
      },
      queries: { counts: (state: Readonly<Counts>) => state },
    });
    Object.assign(globalThis, { counting: node, answered: new Set<string>() });
    await node.ready;
  }, room);
}

async function cluster(profile: Profile, url: string, room: string): Promise<readonly Tab[]> {
  const tabs: Tab[] = [];
  for (let i = 0; i < 3; i++) {
    const tab = await profile.open(url);
    await enter(tab, room);
    tabs.push(tab);
  }
  for (const tab of tabs) {
    await tab.page.evaluate(async (timeoutMs) => {
      const { counting } = globalThis as Counting;
      await counting.until((status) => status.leaderId !== undefined && counting.config.voters.length === 3, { timeoutMs });
    }, FORMING_MS);
  }
  return tabs;
}

/** Starts writes with ids of the caller's own, and waits for none of them. */
function begin(tab: Tab, ids: readonly string[]): Promise<void> {
  return tab.page.evaluate((all) => {
    const { counting, answered } = globalThis as Counting;
    for (const id of all) {
      counting.propose({ type: 'apply', id }, { id, timeoutMs: 30_000 }).then(
        () => answered.add(id),
        () => {},
      );
    }
  }, ids);
}

function answeredIn(tab: Tab): Promise<number> {
  return tab.page.evaluate(() => (globalThis as Counting).answered.size);
}

/** What a linearizable read gives in this tab. */
function counts(tab: Tab): Promise<Counts> {
  return tab.page.evaluate(() => (globalThis as Counting).counting.read((state) => ({ ...state }), { timeoutMs: 20_000 }));
}

function isLeader(tab: Tab): Promise<boolean> {
  return tab.page.evaluate(() => (globalThis as Counting).counting.role === 'leader');
}

async function byRole(tabs: readonly Tab[]): Promise<{ readonly leader: Tab; readonly followers: readonly Tab[] }> {
  const roles = await Promise.all(tabs.map(isLeader));
  const leader = tabs[roles.indexOf(true)];
  if (leader === undefined) throw new Error('no tab leads');
  return { leader, followers: tabs.filter((tab) => tab !== leader) };
}

const idsOf = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
const once = (ids: readonly string[]): Counts => Object.fromEntries(ids.map((id) => [id, 1]));

test('a reload in the middle of 1,000 writes: each is applied exactly once', async ({ profile, url, room }) => {
  const tabs = await cluster(profile, url, `${room}-counting`);
  const { followers } = await byRole(tabs);
  const [writer, reader] = followers;
  if (writer === undefined || reader === undefined) throw new Error('no followers');
  const ids = idsOf('w', WRITES);
  await begin(writer, ids.slice(0, WRITES / 2));
  await expect.poll(() => answeredIn(writer), { intervals: [5] }).toBeGreaterThan(0);
  await begin(writer, ids.slice(WRITES / 2));
  await writer.page.reload();
  await enter(writer, `${room}-counting`);
  // Nobody knows in the new page which were answered: all are asked for again, under the same ids.
  await begin(writer, ids);
  await expect.poll(() => answeredIn(writer), { timeout: 40_000 }).toBe(WRITES);
  expect(await counts(reader)).toEqual(once(ids));
});

test('a read on a follower sees every write that another tab was told of', async ({ profile, url, room }) => {
  const tabs = await cluster(profile, url, `${room}-counting`);
  const { leader, followers } = await byRole(tabs);
  const [writer, reader] = followers;
  if (writer === undefined || reader === undefined) throw new Error('no followers');
  for (let i = 0; i < 20; i++) {
    const from = i % 2 === 0 ? writer : leader;
    const id = `seen${i}`;
    await from.page.evaluate((one) => (globalThis as Counting).counting.propose({ type: 'apply', id: one }), id);
    expect((await counts(reader))[id]).toBe(1);
  }
});

test('writes in flight while the leader’s tab crashes are applied once', async ({ profile, url, room }) => {
  const tabs = await cluster(profile, url, `${room}-counting`);
  const { leader, followers } = await byRole(tabs);
  const [writer, reader] = followers;
  if (writer === undefined || reader === undefined) throw new Error('no followers');
  const ids = idsOf('f', 200);
  await Promise.all([begin(writer, ids), leader.crash()]);
  await expect.poll(() => answeredIn(writer), { timeout: 40_000 }).toBe(ids.length);
  expect(await counts(reader)).toEqual(once(ids));
});

test('a client tab works through one member after another: the one that it uses dies, and each write is there once', async ({
  profile,
  url,
  room,
}) => {
  const tabs = await cluster(profile, url, `${room}-counting`);
  const guest = await profile.open(url);
  await guest.page.waitForFunction(() => window.tabraft !== undefined, undefined, { timeout: FORMING_MS });
  const through = await guest.page.evaluate(async (name) => {
    const open = window.tabraft?.openClient;
    if (open === undefined) throw new Error('the page gives no library');
    const client = await open(name, {
      initial: (): Counts => ({}),
      commands: { apply: (_state: Counts, _input: { readonly id: string }) => 0 },
      queries: { counts: (state: Readonly<Counts>) => state },
    });
    await client.ready;
    const watched = { size: 0 };
    client.watch('counts', (counts) => {
      watched.size = Object.keys(counts).length;
    });
    const ids = Array.from({ length: 300 }, (_, i) => `c${i}`);
    const writes = ids.slice(0, 100).map((id) => client.propose({ type: 'apply', id }));
    await Promise.all(writes);
    // These are on their way when its member dies.
    const rest = ids.slice(100).map((id) => client.propose({ type: 'apply', id }, { timeoutMs: 60_000 }));
    Object.assign(globalThis, { client, watched, rest: Promise.all(rest) });
    return client.member;
  }, `${room}-counting`);
  const ids = await Promise.all(tabs.map((tab) => tab.page.evaluate(() => (globalThis as Counting).counting.id)));
  const host = tabs[ids.indexOf(through ?? '')];
  if (host === undefined) throw new Error('the client works through none of the tabs');
  await host.crash();
  const told = await guest.page.evaluate(async () => {
    const { client, rest } = globalThis as typeof globalThis & {
      client: ClientNode<Counts, Commands, Asked>;
      rest: Promise<readonly number[]>;
    };
    const results = await rest;
    const counts = await client.query('counts', { timeoutMs: 30_000 });
    return { results, counts, member: client.member };
  });
  expect(told.results).toEqual(Array.from({ length: 200 }, () => 1));
  expect(Object.keys(told.counts)).toHaveLength(300);
  expect(Object.values(told.counts).every((times) => times === 1)).toBe(true);
  expect(told.member).not.toBe(through);
  await guest.page.waitForFunction(
    () => (globalThis as typeof globalThis & { watched: { size: number } }).watched.size === 300,
    undefined,
    { timeout: FORMING_MS },
  );
});
