/** Tabs of one origin, in Node: its BroadcastChannel, and locks that behave as Web Locks do. The same suite runs in Chromium. */
import { afterEach, describe, expect, it, test } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { broadcastTransport } from '../../src/transport/broadcast.ts';
import type { LinkState, Transport } from '../../src/transport/transport.ts';
import { BrowserLocks } from './locks.ts';

let rooms = 0;
const transports: Transport[] = [];
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.stop()));
});

describe('the transport suite over BroadcastChannel', () => {
  const room = `suite-${rooms++}`;
  const browser = new BrowserLocks();
  for (const { name, run } of transportSuite({ create: () => broadcastTransport({ room, locks: browser.tab().locks }) }))
    test(name, run);
});

async function join(
  room: string,
  id: string,
  locks: Pick<LockManager, 'request'> | null,
): Promise<{ readonly transport: Transport; readonly told: string[]; hears(what: string): Promise<void> }> {
  const transport = broadcastTransport({ room, locks });
  transports.push(transport);
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const note = (what: string): void => {
    told.push(what);
    for (const look of waiting) look();
  };
  await transport.start(
    id,
    {
      onMessage: (peer, bytes) => note(`${peer}: ${bytes.length}`),
      onLink: (peer: string, state: LinkState) => note(`${peer} ${state}`),
      onEnded: (peer) => note(`${peer} has ended`),
      onFault: (error) => note(error.code),
    },
    { listen: () => undefined, signal: () => false },
  );
  const hears = async (what: string): Promise<void> => {
    while (!told.includes(what)) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { transport, told, hears };
}

describe('without any server', () => {
  it('tabs of one room find each other, and those of other rooms do not', async () => {
    const room = `room-${rooms++}`;
    const a = await join(room, 'a', null);
    const other = await join(`${room}-other`, 'x', null);
    const b = await join(room, 'b', null);
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    expect(a.transport.send('b', new Uint8Array(5), 'urgent')).toBe(true);
    await b.hears('a: 5');
    expect(other.told).toEqual([]);
    expect(a.transport.security?.('b')).toEqual({ protection: 'local', initiator: true, binding: undefined });
  });

  it('a tab that crashes is seen to be gone by its lock, without a word from it, and before its link closes', async () => {
    const room = `room-${rooms++}`;
    const browser = new BrowserLocks();
    const [mine, theirs] = [browser.tab(), browser.tab()];
    const a = await join(room, 'a', mine.locks);
    const b = await join(room, 'b', theirs.locks);
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    theirs.crash();
    await a.hears('b closed');
    expect(a.told.slice(-2)).toEqual(['b has ended', 'b closed']);
  });

  it('a frozen tab that was the first to watch keeps nobody from seeing it', async () => {
    const room = `room-${rooms++}`;
    const browser = new BrowserLocks();
    const [leader, frozen, third] = [browser.tab(), browser.tab(), browser.tab()];
    const a = await join(room, 'a', leader.locks);
    const b = await join(room, 'b', frozen.locks);
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    const c = await join(room, 'c', third.locks);
    await c.hears('a open');
    frozen.freeze();
    leader.crash();
    await c.hears('a closed');
    expect(c.told).toContain('a has ended');
    expect(b.told).not.toContain('a has ended');
  });

  it('what a tab said last is heard, also when its lock is free before it has arrived', async () => {
    const room = `room-${rooms++}`;
    const browser = new BrowserLocks();
    const [mine, theirs] = [browser.tab(), browser.tab()];
    const a = await join(room, 'a', mine.locks);
    const b = await join(room, 'b', theirs.locks);
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    theirs.crash();
    b.transport.send('a', new Uint8Array(3), 'urgent');
    await a.hears('b closed');
    expect(a.told.slice(-3)).toEqual(['b: 3', 'b has ended', 'b closed']);
  });

  it('what other scripts of the origin write is ignored', async () => {
    const room = `room-${rooms++}`;
    const a = await join(room, 'a', null);
    const b = await join(room, 'b', null);
    await a.hears('b open');
    const lobby = new BroadcastChannel(`tabraft/link/${room}`);
    const pair = new BroadcastChannel(`tabraft/link/${room}/a/b`);
    for (const data of [
      null,
      1,
      'x',
      {},
      { here: 5, instance: 'abcdefgh' },
      { here: '../x', instance: 'abcdefgh' },
      { bye: 'b', instance: 'abcdefgh' },
    ])
      lobby.postMessage(data);
    for (const data of [null, { to: 'x', frame: new Uint8Array(9) }, { frame: 'text' }]) pair.postMessage(data);
    a.transport.send('b', new Uint8Array(7), 'bulk');
    await b.hears('a: 7');
    expect(a.told.filter((one) => one.endsWith('closed'))).toEqual([]);
    lobby.close();
    pair.close();
  });
});
