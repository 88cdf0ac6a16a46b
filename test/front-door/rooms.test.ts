/** Rooms by their links and names: who gets in, who is told why not, and what the signaling server sees of it. */
import { expect, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { createRoomLink, type EdgeOptions, raft } from '../../src/node.ts';
import type { RaftNode } from '../../src/runtime/api/api.ts';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import type { RoomEntry, Signaling } from '../../src/signaling/signaling.ts';
import { MemoryDisk } from '../../src/storage/memory/memory-disk.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import { ID_CHARACTERS } from '../../src/trust/identity.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { type Bank, bank } from '../runtime/cluster.ts';

type BankNode = RaftNode<Bank, typeof bank.commands, NonNullable<typeof bank.queries>>;

/** What the others share: a network, a server, and what the server was told. */
class House implements AsyncDisposable {
  readonly hub = new MemoryHub();
  readonly signaling = new MemorySignalingHub();
  readonly seen: RoomEntry[] = [];
  readonly nodes: BankNode[] = [];

  options(disk: MemoryDisk = new MemoryDisk()): EdgeOptions {
    const inner = this.signaling.signaling();
    const signaling: Signaling = {
      enter: (entry, handlers) => {
        this.seen.push(entry);
        return inner.enter(entry, handlers);
      },
      signal: (to, data) => inner.signal(to, data),
      founded: (clusterId) => inner.founded(clusterId),
      joined: (clusterId) => inner.joined?.(clusterId),
      close: () => inner.close(),
    };
    return {
      signaling,
      storage: new MemoryStorage({ disk, durable: true }),
      link: this.hub.transport(),
      tuning: { electionTimeoutMs: [150, 300], heartbeatMs: 30 },
    };
  }

  async enter(room: string, options: Partial<EdgeOptions> = {}, disk?: MemoryDisk): Promise<BankNode> {
    const node = await raft.enter(room, bank, { ...this.options(disk), ...options });
    this.nodes.push(node);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop({ transfer: false })));
  }
}

test('a link opens a room; the server learns neither its name nor its secret, and ids are keys', async () => {
  await using house = new House();
  const link = await createRoomLink('kitchen');
  const first = await house.enter(link);
  await first.ready;
  const second = await house.enter(`https://example.test/app${link}`);
  await second.ready;
  await first.propose({ type: 'add', amount: 2 });
  expect(await second.read((state) => state.balance)).toBe(2);
  for (const node of [first, second]) {
    expect([node.room, node.status.room, node.status.access, node.roomLink]).toEqual(['kitchen', 'kitchen', 'secret', link]);
    expect(node.id).toHaveLength(ID_CHARACTERS);
  }
  expect(link.startsWith('#')).toBe(true);
  const told = JSON.stringify(house.seen);
  const secret = /secret=([^&]*)/.exec(link)?.[1] ?? '';
  expect(secret.length).toBeGreaterThan(20);
  expect(told).not.toContain('kitchen');
  expect(told).not.toContain(secret);
  expect(house.seen[0]?.room).toMatch(/^[0-9a-f]{32}$/);
});

test('an open room has to be asked for, and says that it is one', async () => {
  await using house = new House();
  await expect(house.enter('kitchen')).rejects.toMatchObject({ code: 'invalid-argument' });
  const node = await house.enter('kitchen', { openRoom: true });
  await node.ready;
  expect(node.status.access).toBe('open');
  expect(node.roomLink).toBe('#room=kitchen&open=1');
  const other = await house.enter(node.roomLink ?? '');
  await other.ready;
  expect(other.clusterId).toBe(node.clusterId);
});

test('rooms of one name and different secrets are different rooms, also to the device that is in both', async () => {
  await using house = new House();
  const disk = new MemoryDisk();
  const links = [await createRoomLink('kitchen'), await createRoomLink('kitchen')];
  const nodes = [await house.enter(links[0] ?? '', {}, disk), await house.enter(links[1] ?? '', {}, disk)];
  for (const node of nodes) await node.ready;
  expect(nodes[0]?.clusterId).not.toBe(nodes[1]?.clusterId);
  const ids = nodes.map(({ id }) => id);
  for (const node of nodes) await node.stop();
  const back = await house.enter(links[0] ?? '', {}, disk);
  expect(back.id).toBe(ids[0]);
});

test('a wrong secret ends a newcomer within five seconds, with its code; the room goes on', async () => {
  await using house = new House();
  const link = await createRoomLink('kitchen');
  const member = await house.enter(link);
  await member.ready;
  // Where the room is found is right, its secret is not: a link that was copied with a slip.
  const wrong = link.replace(/secret=./, (start) => `secret=${start.endsWith('A') ? 'B' : 'A'}`);
  const stranger = await house.enter(wrong);
  const fatal = new Promise<string>((resolve) => stranger.on('fatal', ({ error }) => resolve(error.code)));
  const before = performance.now();
  await expect(stranger.ready).rejects.toMatchObject({ code: 'stopped' });
  expect(await fatal).toBe('wrong-secret');
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await member.propose({ type: 'add', amount: 1 })).toBe(1);
  expect(member.config.members).toHaveLength(1);
});

test.each([
  ['a cut link', '#room=kitchen&secret=abc', {}, 'wrong-secret'],
  ['a link without anything to open it', '#room=kitchen', {}, 'room-invalid'],
  ['no name of a room', 'two words', { openRoom: true }, 'room-invalid'],
  ['a secret that is none', 'kitchen', { secret: 'a secret!' }, 'wrong-secret'],
  ['a secret and an open room', 'kitchen', { secret: 'AAAAAAAAAAAAAAAAAAAAAAAA', openRoom: true }, 'invalid-argument'],
  ['a link and a secret', '#room=kitchen&open=1', { secret: 'AAAAAAAAAAAAAAAAAAAAAAAA' }, 'invalid-argument'],
  ['a damaged invite', '#room=kitchen&invite=AAAA&at=00000000000000000000000000000000', {}, 'invite-invalid'],
])('%s is refused with a code', async (_what, room, options, code) => {
  await using house = new House();
  const error: unknown = await house.enter(room, options).catch((thrown: unknown) => thrown);
  expect(RaftError.is(error) ? error.code : error).toBe(code);
});

test('a secret as an option is the one of the link', async () => {
  await using house = new House();
  const link = await createRoomLink('kitchen');
  const parsed = parseRoomLink(link);
  const text = /secret=([^&]*)/.exec(link)?.[1] ?? '';
  const [byLink, bySecret] = [await house.enter(link), await house.enter('kitchen', { secret: text })];
  await Promise.all([byLink.ready, bySecret.ready]);
  expect(parsed.kind).toBe('secret');
  expect(bySecret.clusterId).toBe(byLink.clusterId);
  expect(bySecret.roomLink).toBe(link);
});

test('without WebCrypto nothing is opened, and it is said why', async () => {
  await using house = new House();
  const subtle = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(crypto), 'subtle');
  Object.defineProperty(crypto, 'subtle', { value: undefined, configurable: true });
  try {
    await expect(house.enter('kitchen', { openRoom: true })).rejects.toMatchObject({ code: 'insecure-context' });
  } finally {
    Reflect.deleteProperty(crypto, 'subtle');
    expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(crypto), 'subtle')).toEqual(subtle);
  }
});
