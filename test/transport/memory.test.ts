import { describe, expect, it, test } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite.ts';
import { MemoryHub } from '../../src/transport/memory.ts';
import type { LinkState, Transport } from '../../src/transport/transport.ts';

const suiteHub = new MemoryHub();
describe('suite', () => {
  for (const { name, run } of transportSuite({ create: () => suiteHub.transport() })) test(name, run);
});

interface Seen {
  readonly transport: Transport;
  readonly messages: string[];
  readonly links: string[];
}

/** Nodes on one hub that all know of each other. */
async function nodes(hub: MemoryHub, ...ids: readonly string[]): Promise<Seen[]> {
  const all: Seen[] = [];
  for (const id of ids) {
    const seen: Seen = { transport: hub.transport(), messages: [], links: [] };
    const handlers = {
      onMessage: (peer: string, bytes: Uint8Array) => void seen.messages.push(`${peer}:${String.fromCharCode(...bytes)}`),
      onLink: (peer: string, state: LinkState) => void seen.links.push(`${peer} ${state}`),
      onFault: () => undefined,
    };
    const peers = ids.filter((other) => other !== id);
    await seen.transport.start(id, handlers, { listen: ({ onPeers }) => onPeers(peers), signal: () => false });
    all.push(seen);
  }
  return all;
}
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** A timer that runs when told. */
function later(): { readonly after: (ms: number, run: () => void) => void; run(): void } {
  const waiting: (() => void)[] = [];
  return {
    after: (_ms, run) => void waiting.push(run),
    run: () => {
      for (const one of waiting.splice(0)) one();
    },
  };
}

describe('by hand', () => {
  it('nothing moves until it is delivered, then in order, urgent first', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b] = await nodes(hub, 'a', 'b');
    a?.transport.send('b', bytes('1'), 'bulk');
    a?.transport.send('b', bytes('2'), 'urgent');
    a?.transport.send('b', bytes('3'), 'urgent');
    expect(hub.pending().map(({ lane }) => lane)).toEqual(['bulk', 'urgent', 'urgent']);
    expect(b?.messages).toEqual([]);
    expect(hub.deliver(1)).toBe(1);
    expect(b?.messages).toEqual(['a:2']);
    expect(hub.deliver()).toBe(2);
    expect(b?.messages).toEqual(['a:2', 'a:3', 'a:1']);
  });

  it('a dropped message is lost, and no longer counts as queued', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b] = await nodes(hub, 'a', 'b');
    a?.transport.send('b', bytes('lost'), 'urgent');
    a?.transport.send('b', bytes('kept'), 'urgent');
    expect(hub.drop((message) => message.bytes[0] === bytes('l')[0])).toBe(1);
    expect(a?.transport.queuedBytes('b', 'urgent')).toBe(4);
    hub.deliver();
    expect(b?.messages).toEqual(['a:kept']);
  });

  it('a partition swallows both ways and leaves links open; healing lets new messages through', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b, c] = await nodes(hub, 'a', 'b', 'c');
    hub.partition(['a'], ['b', 'c']);
    for (const [from, to] of [
      [a, 'b'],
      [b, 'a'],
      [b, 'c'],
    ] as const)
      expect(from?.transport.send(to, bytes('x'), 'urgent')).toBe(true);
    expect(hub.deliver()).toBe(1);
    expect([a?.messages, b?.messages, c?.messages]).toEqual([[], [], ['b:x']]);
    hub.heal();
    a?.transport.send('b', bytes('y'), 'urgent');
    hub.deliver();
    expect(b?.messages).toEqual(['a:y']);
    expect(a?.links).toEqual(['b open', 'c open']);
  });

  it('a one-way block blocks one way', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b] = await nodes(hub, 'a', 'b');
    hub.block('a', 'b');
    a?.transport.send('b', bytes('x'), 'urgent');
    b?.transport.send('a', bytes('y'), 'urgent');
    hub.deliver();
    expect([a?.messages, b?.messages]).toEqual([['b:y'], []]);
  });

  it('a cut link loses what was on it and is dialled again, unless refused', async () => {
    const timer = later();
    const hub = new MemoryHub({ delivery: 'manual', after: timer.after });
    const [a, b] = await nodes(hub, 'a', 'b');
    a?.transport.send('b', bytes('lost'), 'urgent');
    hub.cut('a', 'b');
    expect(hub.deliver()).toBe(0);
    expect(a?.transport.send('b', bytes('x'), 'urgent')).toBe(false);
    timer.run();
    expect(b?.links).toEqual(['a open', 'a closed', 'a open']);
    hub.cut('a', 'b', { refuse: true });
    timer.run();
    expect(b?.links).toEqual(['a open', 'a closed', 'a open', 'a closed']);
    hub.heal();
    expect(b?.links.at(-1)).toBe('a open');
    expect(b?.transport.links()).toMatchObject([{ peer: 'a', state: 'open', error: undefined }]);
  });

  it('a crashed node says nothing: its links stay open at the others, and what is sent to it vanishes', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b] = await nodes(hub, 'a', 'b');
    hub.crash('b');
    expect(a?.transport.send('b', bytes('x'), 'urgent')).toBe(true);
    expect(hub.deliver()).toBe(0);
    expect(a?.links).toEqual(['b open']);
    expect(b?.links).toEqual(['a open']);
  });

  it('what a sender changes after sending does not arrive', async () => {
    const hub = new MemoryHub({ delivery: 'manual' });
    const [a, b] = await nodes(hub, 'a', 'b');
    const buffer = bytes('ok');
    a?.transport.send('b', buffer, 'urgent');
    buffer.fill(0);
    hub.deliver();
    expect(b?.messages).toEqual(['a:ok']);
  });
});
