/** Links that can be cut, over real connections: what waits, what is lost, what breaks. */
import nodeDataChannel from 'node-datachannel';
import { RTCPeerConnection } from 'node-datachannel/polyfill';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { CutLink } from '../../src/testing/playwright/cut-link.ts';
import { nodeCuts, type PageCuts } from '../../src/testing/playwright/page-cuts.ts';

// Its threads keep the process alive otherwise.
afterAll(() => nodeDataChannel.cleanup());
afterEach(() => vi.restoreAllMocks());

const Native = RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection;

interface End {
  readonly cuts: PageCuts;
  readonly connection: RTCPeerConnection;
  readonly got: unknown[];
  channel: RTCDataChannel | undefined;
  isClosed: boolean;
}

function end(name: string): End {
  const cuts = nodeCuts(name);
  return {
    cuts,
    connection: new (cuts.connections(Native))() as RTCPeerConnection,
    got: [],
    channel: undefined,
    isClosed: false,
  };
}

function adopt(at: End, channel: RTCDataChannel): void {
  at.channel = channel;
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({ data }) => at.got.push(typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)]);
  channel.onclose = () => {
    at.isClosed = true;
  };
}

const until = (met: () => boolean): Promise<void> => vi.waitUntil(met, { timeout: 10_000, interval: 5 }).then(() => undefined);

/** Exchanges offer, answer and candidates; `cut` may stand in the way. */
async function dial(one: End, other: End): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    from.connection.onicecandidate = ({ candidate }) =>
      void (candidate && to.connection.addIceCandidate(candidate).catch(() => {}));
  other.connection.ondatachannel = ({ channel }) => adopt(other, channel);
  adopt(one, one.connection.createDataChannel('test'));
  await one.connection.setLocalDescription(await one.connection.createOffer());
  await other.connection.setRemoteDescription(JSON.parse(JSON.stringify(one.connection.localDescription)));
  await other.connection.setLocalDescription(await other.connection.createAnswer());
  await one.connection.setRemoteDescription(JSON.parse(JSON.stringify(other.connection.localDescription)));
}

async function linked(): Promise<readonly [End, End]> {
  const [a, b] = [end('a'), end('b')];
  await dial(a, b);
  await until(() => a.channel?.readyState === 'open' && b.channel?.readyState === 'open');
  return [a, b];
}

function cut(...ends: readonly End[]): void {
  for (const { cuts } of ends) cuts.cut(['a', 'b']);
}
function heal(...ends: readonly End[]): void {
  for (const { cuts } of ends) cuts.cut([]);
}
const close = (...ends: readonly End[]): void => ends.forEach(({ connection }) => void connection.close());

test('what is sent while it is cut arrives when it is healed, in order, and once', async () => {
  const [a, b] = await linked();
  a.channel?.send('before');
  await until(() => b.got.length === 1);
  cut(a, b);
  const bytes = new Uint8Array([1, 2, 3]);
  a.channel?.send(bytes);
  bytes.fill(9);
  a.channel?.send('second');
  b.channel?.send('back');
  expect(a.channel?.bufferedAmount).toBe(3 + 'second'.length);
  heal(b);
  // A link that is not cut shows that the other has had time enough.
  const [c, d] = await linked();
  c.channel?.send('time');
  await until(() => d.got.length === 1);
  expect([a.got, b.got]).toEqual([[], ['before']]);
  heal(a);
  await until(() => a.got.length === 1 && b.got.length === 3);
  expect([a.got, b.got]).toEqual([['back'], ['before', [1, 2, 3], 'second']]);
  close(a, b, c, d);
});

test('what arrives at an end that alone is cut off waits there', async () => {
  const [a, b] = await linked();
  b.cuts.cut('all');
  a.channel?.send('to one without a network');
  const [c, d] = await linked();
  c.channel?.send('time');
  await until(() => d.got.length === 1);
  expect(b.got).toEqual([]);
  b.cuts.cut([]);
  await until(() => b.got.length === 1);
  close(a, b, c, d);
});

test('an end that closes is not noticed by the other before it is healed', async () => {
  const [a, b] = await linked();
  cut(a, b);
  a.connection.close();
  const [c, d] = await linked();
  close(c);
  await until(() => d.isClosed);
  expect([b.isClosed, b.channel?.readyState]).toEqual([false, 'open']);
  heal(b);
  await until(() => b.isClosed);
  close(b, d);
});

test('cut for longer than ICE bears it, or with more than a channel holds, it is broken when it heals', async () => {
  for (const breaks of ['time', 'bytes'] as const) {
    const [a, b] = await linked();
    cut(a, b);
    a.channel?.send('lost');
    if (breaks === 'bytes') a.channel?.send(new Uint8Array(CutLink.HELD_BYTES_MAX));
    const now = performance.now();
    if (breaks === 'time') vi.spyOn(performance, 'now').mockReturnValue(now + CutLink.PATIENCE_MS + 1);
    heal(a, b);
    vi.restoreAllMocks();
    await until(() => a.isClosed && b.isClosed);
    expect(b.got).toEqual([]);
    close(a, b);
  }
});

test('tabs that are cut off from each other do not connect, and do when they are healed; others do at once', async () => {
  const [a, b, c] = [end('a'), end('b'), end('c')];
  cut(a, b);
  await dial(a, b);
  const d = end('a');
  cut(d);
  await dial(d, c);
  await until(() => d.channel?.readyState === 'open');
  expect([a.channel?.readyState, b.channel]).toEqual(['connecting', undefined]);
  heal(a, b);
  await until(() => a.channel?.readyState === 'open');
  close(a, b, c, d);
});

test('BroadcastChannels of tabraft wait while they are cut; those of others say what they are given', async () => {
  const [a, b] = [nodeCuts('a'), nodeCuts('b')];
  const got: unknown[] = [];
  const [from, to] = [a, b].map((cuts) => new (cuts.channels(BroadcastChannel))('tabraft/x')) as [
    BroadcastChannel,
    BroadcastChannel,
  ];
  const plain = new BroadcastChannel('other');
  const other = new (a.channels(BroadcastChannel))('other');
  to.onmessage = ({ data }) => got.push(data);
  plain.onmessage = ({ data }) => got.push(data);
  from.postMessage(1);
  await until(() => got.length === 1);
  b.cut(['a']);
  from.postMessage(2);
  other.postMessage('plain');
  await until(() => got.length === 2);
  expect(got).toEqual([1, 'plain']);
  b.cut([]);
  await until(() => got.length === 3);
  expect(got).toEqual([1, 'plain', 2]);
  // Who has no network neither says nor hears anything.
  const back = new BroadcastChannel('back');
  back.onmessage = ({ data }) => got.push(data);
  a.cut('all');
  from.postMessage(3);
  to.postMessage('unheard');
  from.onmessage = ({ data }) => got.push(data);
  const clock = new BroadcastChannel('back');
  clock.postMessage('time went by');
  await until(() => got.length === 4);
  expect(got.at(-1)).toBe('time went by');
  a.cut([]);
  await until(() => got.length === 6);
  expect(got.slice(4).sort()).toEqual([3, 'unheard']);
  for (const channel of [from, to, plain, other, back, clock]) channel.close();
});
