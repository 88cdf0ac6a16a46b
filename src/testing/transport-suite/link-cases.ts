/** Links come, go and come back. */
import { check, numbered, type TransportCaseBody } from './room.ts';

export const linkCases: readonly (readonly [string, TransportCaseBody])[] = [
  [
    'links every pair of nodes of a room, and says so once',
    async (room) => {
      const nodes = await room.linked(3);
      for (const node of nodes) {
        for (const peer of nodes) {
          if (peer !== node) check(node.opened(peer.id) === 1, `${node.id} was told ${node.opened(peer.id)} times of ${peer.id}`);
        }
        check(node.transport.links().filter((link) => link.state === 'open').length === 2, 'links() shows both links open');
      }
    },
  ],
  [
    'links a node that comes later',
    async (room) => {
      const [first] = await room.linked(2);
      const late = await room.join();
      if (first === undefined) throw new Error('no node');
      await room.open(late, first);
      await room.open(first, late);
    },
  ],
  [
    'keeps a link that signaling no longer knows of',
    async (room) => {
      const [a, b] = await room.linked(2);
      if (a === undefined || b === undefined) throw new Error('no nodes');
      room.hide(b);
      check(a.transport.send(b.id, numbered(1, 10), 'urgent'), 'send was refused');
      await room.until('the message arrives', () => b.received.length === 1);
      check(a.stateOf(b.id) === 'open', 'the link was closed');
    },
  ],
  [
    'disconnect closes the link at both ends, and it is dialled again',
    async (room) => {
      const [a, b] = await room.linked(2);
      if (a === undefined || b === undefined) throw new Error('no nodes');
      a.transport.disconnect(b.id, 'for the test');
      await room.until('both have seen it close', () =>
        [a, b].every((node) => node.changes.some(({ state }) => state === 'closed')),
      );
      await room.until('both have it open again', () => a.opened(b.id) === 2 && b.opened(a.id) === 2);
      await room.send(a, b, numbered(7, 100), 'urgent');
      await room.until('a message passes', () => b.received.length === 1);
    },
  ],
  [
    'stop hands out the last messages, then closes: the peer gets all of them and sees the end',
    async (room) => {
      const [a, b] = await room.linked(2);
      if (a === undefined || b === undefined) throw new Error('no nodes');
      for (let i = 0; i < 50; i++)
        check(a.transport.send(b.id, numbered(i, 2_000), i % 2 === 0 ? 'urgent' : 'bulk'), 'send was refused');
      await a.transport.stop();
      await room.until('all messages have arrived', () => b.received.length === 50);
      await room.until('the peer sees the end', () => b.stateOf(a.id) === 'closed');
      const told = a.changes.length + a.received.length;
      check(!a.transport.send(b.id, numbered(1, 10), 'urgent'), 'a stopped transport took a message');
      check(!b.transport.send(a.id, numbered(1, 10), 'urgent'), 'a closed link took a message');
      check(a.changes.length + a.received.length === told, 'a stopped transport still called back');
    },
  ],
  [
    'a node that stopped and came back under the same id is linked again',
    async (room) => {
      const [a, b] = await room.linked(2);
      if (a === undefined || b === undefined) throw new Error('no nodes');
      await b.transport.stop();
      await room.until('the end is seen', () => a.stateOf(b.id) === 'closed');
      const again = await room.rejoin(b);
      await room.open(a, again);
      await room.open(again, a);
      check(a.transport.send(b.id, numbered(3, 10), 'urgent'), 'send was refused');
      await room.until('a message passes', () => again.received.length === 1);
    },
  ],
  [
    'nonsense from signaling harms nothing: no throw, no lost link',
    async (room) => {
      const [a, b] = await room.linked(2);
      if (a === undefined || b === undefined) throw new Error('no nodes');
      const cyclic: Record<string, unknown> = {};
      cyclic['self'] = cyclic;
      const nonsense = [null, undefined, 1, 'x', [], {}, { type: 'offer' }, { type: 'offer', sdp: 'nonsense' }, cyclic];
      const more = [{ type: 'answer', sdp: 5 }, { candidate: { candidate: 'x' } }, { renegotiate: true }, { type: 'destroy' }];
      for (const data of [...nonsense, ...more]) {
        room.forge(b.id, a, data);
        room.forge('a-stranger', a, data);
      }
      check(a.transport.send(b.id, numbered(1, 10), 'urgent'), 'send was refused');
      await room.until('the link still carries', () => b.received.length === 1);
      await room.send(b, a, numbered(1, 10), 'bulk');
      await room.until('in both directions', () => a.received.length === 1);
      check(a.opened(b.id) === 1 && a.stateOf(b.id) === 'open', 'the link was lost');
    },
  ],
];
