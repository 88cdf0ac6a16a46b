/** WebRTC in a real Chromium: the transport suite in one page, and two pages over a real signaling server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, expect, type Page, test } from '@playwright/test';
import * as nodeRtc from 'node-datachannel/polyfill';
import { build } from 'vite';
import { WebSocket } from 'ws';
import { ensureBrowser, launchArguments } from '../../../scripts/browser.mjs';
import { leanSimplePeer } from '../../../scripts/lean-simple-peer.mjs';
import { site } from '../../../scripts/site.mjs';
import { attachSignaling, type SignalingServer } from '../../../signaling/server.ts';
import { SignalingClient } from '../../../src/signaling/client.ts';
import type { Discovery } from '../../../src/transport/transport.ts';
import { ANSWERS_MAX, DIALS_MAX } from '../../../src/transport/webrtc/limits.ts';
import { webrtcTransport } from '../../../src/transport/webrtc/transport.ts';
import type { Harness, Kind } from './harness.ts';

declare global {
  var harness: Harness;
}

const here = dirname(fileURLToPath(import.meta.url));
let folder: string;
let server: Server;
let signaling: SignalingServer;
let browser: Browser;
let url: string;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tabraft-webrtc-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    base: './',
    publicDir: false,
    // As the package has it.
    plugins: [leanSimplePeer],
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      lib: { entry: join(here, 'harness.ts'), formats: ['es'], fileName: 'harness' },
    },
  });
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>harness</title><script type="module" src="harness.js"></script>',
  );
  server = createServer(site(folder));
  signaling = await attachSignaling(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: [...launchArguments] });
});

test.afterAll(async () => {
  await browser?.close();
  await signaling?.close();
  server?.closeAllConnections();
  await new Promise<void>((resolve) => server?.close(() => resolve()));
  rmSync(folder, { recursive: true, force: true });
});

/** A page that says so when something in it goes wrong unnoticed. */
async function open(errors: string[] = []): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  await page.waitForFunction(() => globalThis.harness !== undefined);
  return page;
}

for (const kind of ['simple-peer', 'native', 'mixed', 'broadcast', 'multi'] satisfies Kind[]) {
  test(`the transport suite over ${kind} links`, async () => {
    const errors: string[] = [];
    const page = await open(errors);
    const names = await page.evaluate(() => globalThis.harness.cases());
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      await test.step(name, () => page.evaluate(([k, n]) => globalThis.harness.run(k, n), [kind, name] as const));
    }
    expect(errors).toEqual([]);
    await page.close();
  });
}

for (const kind of ['simple-peer', 'native'] as const) {
  test(`${kind}: no way to the network is told with a code`, async () => {
    const page = await open();
    const told = await page.evaluate((k) => globalThis.harness.isolated(k), kind);
    expect(told).toEqual(
      expect.arrayContaining([expect.stringMatching(/^node-\d fault link-failed: .*network interface/), 'link-failed']),
    );
    await page.close();
  });

  test(`${kind}: two pages find each other; a reload is linked again; a closed page says goodbye`, async () => {
    const errors: string[] = [];
    const [a, b] = [await open(errors), await open(errors)];
    const enter = (page: Page, id: string): Promise<void> =>
      page.evaluate(([i, k]) => globalThis.harness.open(i, k), [id, kind] as const);
    const hears = async (page: Page, what: string, times = 1): Promise<void> => {
      await page.waitForFunction(([w, n]) => globalThis.harness.told.filter((one) => one === w).length >= n, [
        what,
        times,
      ] as const);
    };
    await enter(a, 'a');
    await enter(b, 'b');
    await hears(a, 'b open');
    await hears(b, 'a open');
    expect(await a.evaluate(() => globalThis.harness.say('b', 'hello'))).toBe(true);
    await hears(b, 'a: hello');

    for (const [reloaded, other, id, otherId] of [
      [b, a, 'b', 'a'],
      [a, b, 'a', 'b'],
    ] as const) {
      const before = await other.evaluate((i) => globalThis.harness.told.filter((one) => one === `${i} open`).length, id);
      await reloaded.reload();
      await reloaded.waitForFunction(() => globalThis.harness !== undefined);
      await enter(reloaded, id);
      await hears(reloaded, `${otherId} open`);
      await hears(other, `${id} open`, before + 1);
      await reloaded.evaluate((to) => globalThis.harness.say(to, 'again'), otherId);
      await hears(other, `${id}: again`);
    }

    const goodbyes = await a.evaluate(() => globalThis.harness.told.filter((one) => one === 'b: goodbye').length);
    await b.close();
    await hears(a, 'b: goodbye', goodbyes + 1);
    await a.waitForFunction(
      () => globalThis.harness.told.at(-1)?.startsWith('b ') === true && !globalThis.harness.told.at(-1)?.endsWith('open'),
    );
    expect(errors).toEqual([]);
    await a.close();
  });
}

test('native: a broken connection is restarted, and its link stays open', async () => {
  const page = await open();
  const { told, fragments } = await page.evaluate(() => globalThis.harness.restart());
  expect(fragments).toBeGreaterThanOrEqual(4);
  expect(told.filter((one) => one.endsWith('closed'))).toEqual([]);
  await page.close();
});

test('T4: sixteen that come at once are all linked, by turns, and none is told that it has no network', async () => {
  const page = await open();
  const { tookMs, tryingMax, faults } = await page.evaluate(() => globalThis.harness.crowd(16));
  test.info().annotations.push({ type: 'measured', description: `16 nodes, 120 links: ${Math.round(tookMs)} ms` });
  console.log(`16 nodes of one page, 120 links: ${Math.round(tookMs)} ms, at most ${tryingMax} tries of one node at a time`);
  expect(faults).toEqual([]);
  expect(tryingMax).toBeLessThanOrEqual(DIALS_MAX + ANSWERS_MAX);
  await page.close();
});

test('B4: six hundred offers of a stranger cost a connection or two, and an honest node is linked meanwhile', async () => {
  const page = await open();
  const { made, linked } = await page.evaluate(() => globalThis.harness.flood());
  expect(linked).toBe(true);
  expect(made).toBeLessThanOrEqual(4);
  await page.close();
});

for (const link of ['simple-peer', 'native'] as const) {
  test(`${link}: both ends of a link see the same two fingerprints, and exactly one is the initiator`, async () => {
    const page = await open();
    const { texts, initiators } = await page.evaluate((l) => globalThis.harness.bindings(l), link);
    expect(texts[0]).toMatch(/^sha-256 [0-9A-F:]{95}\|sha-256 [0-9A-F:]{95}$/);
    expect(texts[1]).toBe(texts[0]);
    expect(initiators).toBe(1);
    await page.close();
  });
}

test('broadcast: tabs of one origin find each other without a server, and see at once that one has crashed', async () => {
  const context = await browser.newContext();
  const tabs: Page[] = [];
  for (const id of ['a', 'b']) {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.harness !== undefined);
    await page.evaluate((one) => globalThis.harness.broadcast(one), id);
    tabs.push(page);
  }
  const [a, b] = tabs;
  if (a === undefined || b === undefined) throw new Error('no tabs');
  await a.waitForFunction(() => globalThis.harness.told.includes('b open'));
  expect(await a.evaluate(() => globalThis.harness.say('b', 'hello'))).toBe(true);
  await b.waitForFunction(() => globalThis.harness.told.includes('a: hello'));
  const session = await context.newCDPSession(b);
  void session.send('Page.crash').catch(() => undefined);
  const before = Date.now();
  await a.waitForFunction(() => globalThis.harness.told.includes('b closed'));
  console.log(`a crashed tab was seen to be gone after ${Date.now() - before} ms`);
  await context.close();
});

test('a tab and a Node process are linked, natively, over a real signaling server', async () => {
  const page = await open();
  await page.evaluate(() => globalThis.harness.open('tab', 'native'));
  const client = new SignalingClient({ url, connect: (to) => new WebSocket(to) });
  const transport = webrtcTransport({
    link: 'native',
    RTCPeerConnection: nodeRtc.RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection,
  });
  let listener: Parameters<Discovery['listen']>[0] | undefined;
  const heard: string[] = [];
  await transport.start(
    'a-node',
    {
      onMessage: (peer, bytes) => void heard.push(`${peer}: ${new TextDecoder().decode(bytes)}`),
      onLink: (peer, state) => void heard.push(`${peer} ${state}`),
      onFault: (error) => void heard.push(error.message),
    },
    {
      listen: (one) => {
        listener = one;
      },
      signal: (to, data) => client.signal(to, data),
    },
  );
  const quiet = (): void => undefined;
  await client.enter(
    { room: 'browser-test', nodeId: 'a-node', clusterId: undefined, mayFound: false },
    {
      onPeers: (peers) => listener?.onPeers(peers),
      onSignal: (from, data) => listener?.onSignal(from, data),
      onGrant: quiet,
      onCluster: quiet,
      onState: quiet,
    },
  );
  await page.waitForFunction(() => globalThis.harness.told.includes('a-node open'));
  await expect.poll(() => heard).toContain('tab open');
  expect(await page.evaluate(() => globalThis.harness.say('a-node', 'from the tab'))).toBe(true);
  await expect.poll(() => heard).toContain('tab: from the tab');
  expect(transport.send('tab', new Uint8Array(300_000).fill(65), 'bulk')).toBe(true);
  await page.waitForFunction(() => globalThis.harness.told.some((one) => one.startsWith('a-node: ') && one.length === 300_008));
  await transport.stop();
  await page.waitForFunction(() => globalThis.harness.told.includes('a-node closed'));
  await client.close();
  await page.close();
});
