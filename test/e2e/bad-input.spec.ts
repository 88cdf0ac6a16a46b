/** What goes wrong outside: a coded error in the API, a plain sentence on the page, never a blank page. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { site } from '../../scripts/site.mjs';
import { byRole, expect, FORMING_MS, formed, type Tab, test } from './cluster.ts';

/** Opening failed with this code, and the page says this. */
async function refused(tab: Tab, code: string, sentence: RegExp): Promise<void> {
  await expect(tab.page.locator(`.banner[data-code="${code}"]`)).toContainText(sentence);
  const error = await tab.page.evaluate(() => {
    const failure = window.tabraft?.error as { name?: string; code?: string; message?: string } | undefined;
    return { node: window.tabraft?.node !== undefined, name: failure?.name, code: failure?.code, message: failure?.message };
  });
  expect(error).toMatchObject({ node: false, name: 'RaftError', code });
  expect(error.message?.length).toBeGreaterThan(10);
  await expect(tab.page.getByRole('heading', { name: 'Seats' })).toBeVisible();
  await expect(tab.seat('A1')).toBeDisabled();
}

for (const room of ['two words', '../up', 'x'.repeat(65), '.hidden', '']) {
  test(`a wrong room name: ${JSON.stringify(room.slice(0, 12))}`, async ({ profile, server }) => {
    const tab = await profile.open(`${server.url}?room=${encodeURIComponent(room)}`);
    await refused(tab, 'room-invalid', /This is not a room name/);
    await tab.page.getByRole('button', { name: 'Open a fresh room' }).click();
    await tab.ready();
    await expect(tab.page.locator('.banner')).toHaveCount(0);
  });
}

test('IndexedDB is missing', async ({ profile, url }) => {
  const context = await profile.context();
  await context.addInitScript(() => Object.defineProperty(globalThis, 'indexedDB', { get: () => undefined }));
  await refused(await profile.open(url), 'storage-unavailable', /does not let the page keep data/);
});

test('IndexedDB is forbidden', async ({ profile, url }) => {
  const context = await profile.context();
  await context.addInitScript(() => {
    const forbid = (): never => {
      throw new DOMException('forbidden', 'SecurityError');
    };
    IDBFactory.prototype.open = forbid;
    IDBFactory.prototype.databases = () => Promise.reject(new DOMException('forbidden', 'SecurityError'));
    for (const storage of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, storage, { get: forbid });
  });
  await refused(await profile.open(url), 'storage-unavailable', /does not let the page keep data/);
});

test('WebRTC is missing', async ({ profile, url }) => {
  const context = await profile.context();
  await context.addInitScript(() => {
    for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) Reflect.deleteProperty(globalThis, name);
  });
  await refused(await profile.open(url), 'webrtc-unavailable', /has no WebRTC/);
});

test('no signaling server at the start: the page says so and keeps trying', async ({ profile, room }) => {
  const listener = createServer(site(resolve('build/demo')));
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  try {
    const tab = await profile.open(`http://localhost:${(listener.address() as AddressInfo).port}/?room=${room}`);
    await expect.poll(async () => (await tab.status())?.signaling, { timeout: FORMING_MS }).not.toBe('open');
    await expect(tab.page.locator('.banner[data-code="signaling-unreachable"]')).toContainText(
      'The signaling server does not answer',
    );
    await expect(tab.seat('A1')).toBeVisible();
  } finally {
    listener.closeAllConnections();
    await new Promise((done) => listener.close(done));
  }
});

test('the signaling server dies: the mesh lives on, and heals when it is back', async ({ profile, server, url }) => {
  const tabs = await formed(profile, url, 3);
  await server.kill();
  for (const tab of tabs) {
    await expect(tab.page.locator('.banner[data-level="warn"][data-code="signaling-unreachable"]')).toContainText(
      'Tabs that are linked go on',
    );
  }
  const { leader, followers } = await byRole(tabs);
  expect(await followers[0]?.add('without signaling')).toBe(1);
  expect(await leader.add('from the leader too')).toBe(2);
  for (const tab of tabs) await expect.poll(() => tab.items()).toEqual(['without signaling', 'from the leader too']);
  await server.start();
  for (const tab of tabs) {
    await expect.poll(async () => (await tab.status())?.signaling, { timeout: FORMING_MS }).toBe('open');
    await expect(tab.page.locator('.banner')).toHaveCount(0);
  }
  const late = await (await profile.open(url)).ready();
  await expect.poll(() => late.items()).toEqual(['without signaling', 'from the leader too']);
});
