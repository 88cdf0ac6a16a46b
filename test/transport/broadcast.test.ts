/** Tabs of one origin, in Node: its BroadcastChannel, and locks that behave as Web Locks do. The same suite runs in Chromium. */
import { afterEach, describe, expect, it, test } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { broadcastTransport } from '../../src/transport/broadcast.ts';
import type { LinkState, Transport } from '../../src/transport/transport.ts';

/** Exclusive locks by name, one after the other; `crash` frees what a tab holds, as a browser does. */
class Locks {
  readonly #queues: Map<string, Promise<void>>;
  readonly #crashes: (() => void)[] = [];

  constructor(queues = new Map<string, Promise<void>>()) {
    this.#queues = queues;
  }

  request(name: string, ...rest: readonly unknown[]): Promise<unknown> {
    const run = rest.at(-1) as () => unknown;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { readonly signal?: AbortSignal };
    const before = this.#queues.get(name) ?? Promise.resolve();
    const crashed = new Promise<void>((resolve) => this.#crashes.push(resolve));
    const held = before.then(async () => {
      if (signal?.aborted === true) throw new Error('aborted');
      await Promise.race([run(), crashed]);
    });
    this.#queues.set(
      name,
      held.catch(() => undefined),
    );
    return held;
  }

  crash(): void {
    for (const free of this.#crashes.splice(0)) free();
  }

  /** What one tab sees: the same locks, freed when that tab crashes. */
  tab(): { readonly locks: Pick<LockManager, 'request'>; crash(): void } {
    const own = new Locks(this.#queues);
    return { locks: own as unknown as Pick<LockManager, 'request'>, crash: () => own.crash() };
  }
}

let rooms = 0;
const transports: Transport[] = [];
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.stop()));
});

describe('the transport suite over BroadcastChannel', () => {
  const room = `suite-${rooms++}`;
  const browser = new Locks();
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

  it('a tab that crashes is seen to be gone by its lock, without a word from it', async () => {
    const room = `room-${rooms++}`;
    const browser = new Locks();
    const [mine, theirs] = [browser.tab(), browser.tab()];
    const a = await join(room, 'a', mine.locks);
    const b = await join(room, 'b', theirs.locks);
    await Promise.all([a.hears('b open'), b.hears('a open')]);
    theirs.crash();
    await a.hears('b closed');
    expect(a.transport.links().find(({ peer }) => peer === 'b')?.error?.code ?? 'gone').toMatch(/link-failed|gone/);
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
