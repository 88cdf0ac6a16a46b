/** Messages arrive whole, in order, in two lanes, and within limits. */
import { check, numbered, numberOf, type SuiteNode, type SuiteRoom, same, type TransportCaseBody } from './room.ts';

async function pair(room: SuiteRoom): Promise<readonly [SuiteNode, SuiteNode]> {
  const [a, b] = await room.linked(2);
  if (a === undefined || b === undefined) throw new Error('no nodes');
  return [a, b];
}

export const messageCases: readonly (readonly [string, TransportCaseBody])[] = [
  [
    'delivers messages of any size, whole, in both directions',
    async (room) => {
      const [a, b] = await pair(room);
      const sizes = [4, 100, 1_000, 16_383, 16_384, 16_385, 65_536, 300_000, 2_000_000];
      for (const [i, size] of sizes.entries()) {
        await room.send(a, b, numbered(i, size), 'urgent');
        await room.send(b, a, numbered(i, size), 'urgent');
      }
      for (const [node, peer] of [
        [a, b],
        [b, a],
      ] as const) {
        await room.until(`${node.id} has all`, () => node.received.length === sizes.length);
        for (const [i, size] of sizes.entries())
          check(same(node.from(peer.id)[i], numbered(i, size)), `message ${i} of ${size} bytes differs`);
      }
    },
  ],
  [
    'delivers an empty message',
    async (room) => {
      const [a, b] = await pair(room);
      check(a.transport.send(b.id, new Uint8Array(0), 'urgent'), 'send was refused');
      await room.until('it arrives', () => b.received.length === 1);
      check(b.received[0]?.bytes.length === 0, 'it is not empty');
    },
  ],
  [
    'keeps the order within each lane',
    async (room) => {
      const [a, b] = await pair(room);
      for (let i = 0; i < 2_000; i++) await room.send(a, b, numbered(i, 4 + (i % 700)), i % 3 === 0 ? 'bulk' : 'urgent');
      await room.until('all arrive', () => b.received.length === 2_000);
      for (const bulk of [true, false]) {
        const numbers = b.received.map(({ bytes }) => numberOf(bytes)).filter((n) => (n % 3 === 0) === bulk);
        check(
          numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? n)),
          `the ${bulk ? 'bulk' : 'urgent'} lane is out of order`,
        );
      }
    },
  ],
  [
    'lets what is urgent overtake bulk',
    async (room) => {
      const [a, b] = await pair(room);
      for (let i = 0; i < 12; i++)
        check(a.transport.send(b.id, numbered(i, 256 * 1024), 'bulk'), 'the bulk lane holds less than 3 MiB');
      check(a.transport.send(b.id, numbered(99, 10), 'urgent'), 'the urgent lane was kept full by bulk');
      await room.until('all arrive', () => b.received.length === 13);
      const place = b.received.findIndex(({ bytes }) => numberOf(bytes) === 99);
      check(place < 12, 'the urgent message came last');
    },
  ],
  [
    'refuses when a lane is full, and delivers all it has taken',
    async (room) => {
      const [a, b] = await pair(room);
      let taken = 0;
      while (taken < 1_000 && a.transport.send(b.id, numbered(taken, 256 * 1024), 'bulk')) taken++;
      check(taken > 0 && taken < 1_000, `it took ${taken} messages of 256 KiB at once`);
      check(a.transport.queuedBytes(b.id, 'bulk') > 0, 'queuedBytes does not show them');
      check(a.transport.send(b.id, numbered(5_000, 10), 'urgent'), 'a full bulk lane blocks the urgent one');
      await room.until('all arrive', () => b.received.length === taken + 1);
      check(a.transport.queuedBytes(b.id, 'bulk') === 0, 'queuedBytes does not go down');
      await room.send(a, b, numbered(6_000, 10), 'bulk');
      await room.until('the lane takes again', () => b.received.length === taken + 2);
    },
  ],
  [
    'counts bytes sent and received',
    async (room) => {
      const [a, b] = await pair(room);
      await room.send(a, b, numbered(1, 10_000), 'urgent');
      await room.until('it arrives', () => b.received.length === 1);
      const status = (node: SuiteNode, peer: SuiteNode): number[] => {
        const link = node.transport.links().find((one) => one.peer === peer.id);
        return [link?.sentBytes ?? -1, link?.receivedBytes ?? -1];
      };
      check((status(a, b)[0] ?? 0) >= 10_000, 'sentBytes');
      check((status(b, a)[1] ?? 0) >= 10_000, 'receivedBytes');
    },
  ],
  [
    'takes nothing for a peer it does not know',
    async (room) => {
      const [a] = await pair(room);
      check(!a.transport.send('nobody', numbered(1, 10), 'urgent'), 'it took a message for nobody');
      check(a.transport.queuedBytes('nobody', 'urgent') === 0, 'it queues for nobody');
    },
  ],
];
