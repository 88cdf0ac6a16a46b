/** Faults put into links on purpose: what vanishes, what comes late and in which order, and what is as before when they are healed. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaultyTransport } from '../../demo/break/faulty-transport.ts';
import type { Transport } from '../../src/index.ts';

type Handlers = Parameters<Transport['start']>[1];

interface Inner extends Transport {
  handlers: Handlers;
  readonly sent: string[];
  readonly dropped: string[];
}

function inner(): Inner {
  const made: Inner = {
    kind: 'test',
    sent: [],
    dropped: [],
    handlers: { onMessage: () => undefined, onLink: () => undefined, onFault: () => undefined },
    start: async (_self, handlers) => {
      made.handlers = handlers;
    },
    send: (peer, bytes) => {
      made.sent.push(`${peer}${bytes[0]}`);
      return true;
    },
    queuedBytes: () => 0,
    links: () =>
      ['b', 'c'].map((peer) => ({
        peer,
        state: 'open',
        kind: 'test',
        queuedBytes: 0,
        sentBytes: 0,
        receivedBytes: 0,
        error: undefined,
      })),
    disconnect: (peer) => void made.dropped.push(peer),
    stop: async () => undefined,
  };
  return made;
}

async function started(): Promise<{ under: Inner; faults: FaultyTransport; transport: Transport; heard: string[] }> {
  const under = inner();
  const { faults, transport } = FaultyTransport.around(under);
  const heard: string[] = [];
  const handlers: Handlers = {
    onMessage: (peer, [byte]) => heard.push(`${peer}${byte}`),
    onLink: () => undefined,
    onFault: () => undefined,
  };
  await transport.start('a', handlers, { listen: () => undefined, signal: () => true });
  return { under, faults, transport, heard };
}

const bytes = (value: number): Uint8Array => new Uint8Array([value]);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('without faults everything passes at once', async () => {
  const { under, faults, transport, heard } = await started();
  expect(transport.send('b', bytes(1), 'urgent')).toBe(true);
  under.handlers.onMessage('b', bytes(2));
  expect([under.sent, heard, faults.words]).toEqual([['b1'], ['b2'], '']);
});

test('a cut takes both directions, of those named or of all; healing dials cut links anew', async () => {
  const { under, faults, transport, heard } = await started();
  faults.cut(['b']);
  expect(faults.words).toBe('cut off from 1');
  transport.send('b', bytes(1), 'urgent');
  under.handlers.onMessage('b', bytes(1));
  transport.send('c', bytes(2), 'urgent');
  under.handlers.onMessage('c', bytes(2));
  expect([under.sent, heard]).toEqual([['c2'], ['c2']]);
  faults.heal();
  expect(under.dropped).toEqual(['b']);
  transport.send('b', bytes(3), 'urgent');
  expect(under.sent).toEqual(['c2', 'b3']);
  faults.cut();
  expect(faults.words).toBe('cut off');
  transport.send('c', bytes(4), 'urgent');
  expect(under.sent).toHaveLength(2);
});

test('late messages keep their order, also when the delay ends before they have come', async () => {
  const { under, faults, transport, heard } = await started();
  faults.delay(200);
  const buffer = bytes(1);
  transport.send('b', buffer, 'urgent');
  buffer[0] = 9;
  under.handlers.onMessage('b', bytes(5));
  faults.heal();
  transport.send('b', bytes(2), 'urgent');
  expect([under.sent, heard]).toEqual([[], []]);
  vi.advanceTimersByTime(300);
  expect([under.sent, heard]).toEqual([['b1', 'b2'], ['b5']]);
  transport.send('b', bytes(3), 'urgent');
  expect(under.sent).toEqual(['b1', 'b2', 'b3']);
});

test('what is held back is bounded, and a cut takes it too', async () => {
  const { under, faults, transport } = await started();
  faults.delay(100);
  for (let i = 0; i < 10_000; i++) transport.send('b', bytes(1), 'bulk');
  expect(vi.getTimerCount()).toBeLessThan(5_000);
  faults.cut();
  vi.advanceTimersByTime(1_000);
  expect(under.sent).toEqual([]);
});

test('a transport made of parts is wrapped beneath the faults', async () => {
  const under = inner();
  const part = inner();
  under.within = (wrap) => wrap(part);
  const { faults, transport } = FaultyTransport.around(under);
  const wrapped = transport.within?.((each) => each);
  expect(wrapped).toBe(transport);
  wrapped?.send('b', bytes(1), 'urgent');
  expect([part.sent, under.sent]).toEqual([['b1'], []]);
  faults.cut();
  wrapped?.send('b', bytes(2), 'urgent');
  expect(part.sent).toEqual(['b1']);
});

test('a link that is mended is dialled anew, and no other; the rest stays cut', async () => {
  const { under, faults, transport, heard } = await started();
  faults.cut();
  expect([...faults.cuts].sort()).toEqual(['b', 'c']);
  faults.mend(['b']);
  expect(faults.cuts).toEqual(['c']);
  expect(under.dropped).toEqual(['b']);
  transport.send('b', bytes(1), 'urgent');
  transport.send('c', bytes(2), 'urgent');
  under.handlers.onMessage('b', bytes(3));
  under.handlers.onMessage('c', bytes(4));
  expect(under.sent).toEqual(['b1']);
  expect(heard).toEqual(['b3']);
  faults.mend(['b']);
  expect(under.dropped).toEqual(['b']);
});

test('a rogue hears nobody, and says no more than noise and what it said before; healed, it begins anew', async () => {
  const { under, faults, transport, heard } = await started();
  transport.send('b', bytes(1), 'urgent');
  faults.disturb();
  expect(faults.words).toBe('a rogue');
  under.handlers.onMessage('b', bytes(9));
  expect(heard).toEqual([]);
  vi.advanceTimersByTime(1_000);
  // What was said before it became one is not known to it; what it says now, it says again.
  expect(under.sent).toEqual(['b1']);
  transport.send('b', bytes(7), 'urgent');
  vi.advanceTimersByTime(1_000);
  const again = under.sent.filter((one) => one === 'c7').length;
  expect(again).toBeGreaterThanOrEqual(10);
  expect(under.sent.length).toBeLessThanOrEqual(2 + 10 * 2 * 3);
  faults.heal();
  expect(under.dropped).toEqual(['b', 'c']);
  const before = under.sent.length;
  vi.advanceTimersByTime(1_000);
  expect(under.sent).toHaveLength(before);
  under.handlers.onMessage('b', bytes(9));
  expect(heard).toEqual(['b9']);
});
