/** Strangers, former members and a signaling server in the middle, in real tabs: what they say is heard by nobody. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, expect, type Page, test } from '@playwright/test';
import { build } from 'vite';
import { ensureBrowser, launchArguments } from '../../../scripts/browser.mjs';
import { site } from '../../../scripts/site.mjs';
import { attachSignaling, type SignalingServer } from '../../../signaling/server.ts';
import { createRoomLink } from '../../../src/node.ts';
import { accessBy } from '../../../src/trust/access.ts';
import { parseRoomLink } from '../../../src/trust/room-link.ts';
import { serveEvil } from './evil-server.ts';
import type { Harness } from './harness.ts';

declare global {
  var attackHarness: Harness;
}

const here = dirname(fileURLToPath(import.meta.url));
let folder: string;
let browser: Browser;
const servers: Server[] = [];

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tabraft-attacks-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    base: './',
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      lib: { entry: join(here, 'harness.ts'), formats: ['es'], fileName: 'harness' },
    },
  });
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title>attacks</title><script type="module" src="harness.js"></script>',
  );
  browser = await chromium.launch({ executablePath: ensureBrowser(), args: [...launchArguments] });
});

test.afterAll(async () => {
  await browser?.close();
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A page with a profile of its own: nothing of it lies where another finds it. */
async function open(host: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://${host}/`);
  await page.waitForFunction(() => globalThis.attackHarness !== undefined);
  return page;
}

test('strangers and former members say everything there is to say, and nothing of it is heard', async () => {
  const server = createServer(site(folder));
  const signaling: SignalingServer = await attachSignaling(server);
  const host = await listening(server);
  const url = `ws://${host}/signal`;
  const link = await createRoomLink('kitchen');
  const { rendezvous } = await accessBy(parseRoomLink(link));
  const [victim, attacker] = await Promise.all([open(host), open(host)]);
  const id = await victim.evaluate(([l, u]) => globalThis.attackHarness.enter(l, u), [link, url] as const);
  await victim.evaluate(async () => {
    await globalThis.attackHarness.node?.ready;
  });

  /** Nobody was heard, nobody is linked, nobody came in, and the node works. */
  const unharmed = async (sum: number): Promise<void> => {
    const seen = await victim.evaluate(async () => {
      const { node, received } = globalThis.attackHarness;
      const applied = await node?.propose({ type: 'add', by: 1 });
      const linked = node?.status.peers.filter((peer) => peer.link === 'open').map((peer) => peer.id);
      return { applied, received, linked, members: node?.config.members.length };
    });
    expect(seen).toEqual({ applied: sum, received: [], linked: [], members: 1 });
  };

  await test.step('without a proof', async () => {
    const said = await attacker.evaluate(([u, r, v]) => globalThis.attackHarness.sayEverything(u, r, v), [
      url,
      rendezvous,
      id,
    ] as const);
    expect(said).toBeGreaterThan(20);
    await unharmed(1);
  });
  await test.step('its own words', async () => {
    const heard = await attacker.evaluate(([u, r, v]) => globalThis.attackHarness.reflect(u, r, v), [
      url,
      rendezvous,
      id,
    ] as const);
    expect(heard).toBeGreaterThan(0);
    await unharmed(2);
  });
  const prove = (guise: Parameters<Harness['prove']>[0]): ReturnType<Harness['prove']> =>
    attacker.evaluate(([g, l, u, v]) => globalThis.attackHarness.prove(g, l, u, v), [guise, link, url, id] as const);
  await test.step('with a wrong secret, and with none', async () => {
    expect((await prove('wrong secret')).code).toBe('wrong-secret');
    expect((await prove('no secret')).code).toBe('not-admitted');
    await unharmed(3);
  });
  await test.step('as one who was put out', async () => {
    const out = await attacker.evaluate((v) => globalThis.attackHarness.makeIdentity(v), id);
    await victim.evaluate(async (member) => {
      const { node } = globalThis.attackHarness;
      await node?.membership.add({ id: member, suffrage: 'learner' });
      await node?.membership.expel(member);
    }, out);
    expect((await prove('revoked')).code).toBe('member-revoked');
    await unharmed(4);
  });
  await test.step('with the words of an honest one, said again', async () => {
    const honest = await attacker.evaluate(([l, u, v]) => globalThis.attackHarness.proveAs(l, u, v), [link, url, id] as const);
    expect(honest.code).toBe('proven');
    expect(honest.said.length).toBeGreaterThan(1);
    await attacker.evaluate(([u, r, v, { self, said }]) => globalThis.attackHarness.replay(u, r, self, v, said), [
      url,
      rendezvous,
      id,
      honest,
    ] as const);
    await unharmed(5);
  });
  await Promise.all([victim.context().close(), attacker.context().close()]);
  await signaling.close();
});

test('a signaling server that ends the encryption on both sides is found out by both, and nothing passes', async () => {
  const server = createServer(site(folder));
  const evil = serveEvil(server);
  const host = await listening(server);
  const link = await createRoomLink('kitchen');
  const [first, second, middle] = await Promise.all([open(host), open(host), open(host)]);
  await middle.evaluate((url) => globalThis.attackHarness.relay(url), `ws://${host}${evil.relayPath}`);
  const enter = (page: Page): Promise<string> =>
    page.evaluate(([l, u]) => globalThis.attackHarness.enter(l, u), [link, `ws://${host}/signal`] as const);
  await enter(first);
  await first.evaluate(async () => {
    await globalThis.attackHarness.node?.ready;
  });
  await enter(second);
  for (const page of [first, second])
    await page.waitForFunction(() => globalThis.attackHarness.faults.some((code) => code === 'proof-failed'), undefined, {
      timeout: 20_000,
    });
  const seen = await Promise.all(
    [first, second].map((page) =>
      page.evaluate(() => {
        const { node, received, faults } = globalThis.attackHarness;
        return { received, faults: [...new Set(faults)], open: node?.status.peers.filter((peer) => peer.link === 'open').length };
      }),
    ),
  );
  for (const one of seen) expect(one).toEqual({ received: [], faults: expect.arrayContaining(['proof-failed']), open: 0 });
  expect(await first.evaluate(() => globalThis.attackHarness.node?.config.members.length)).toBe(1);
  // It did carry what they said to each other before the proof, and could read none of what would have come after it.
  expect(await middle.evaluate(() => globalThis.attackHarness.relayed)).toBeGreaterThan(3);
  await Promise.all([first, second, middle].map((page) => page.context().close()));
  evil.close();
});
