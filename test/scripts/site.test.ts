import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { site } from '../../scripts/site.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tabraft-site-'));
const server = createServer(site(join(folder, 'site')));

beforeAll(async () => {
  mkdirSync(join(folder, 'site', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'site', 'index.html'), '<!doctype html>hello');
  writeFileSync(join(folder, 'site', 'assets', 'a-1.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  mkdirSync(join(folder, 'site-other'));
  writeFileSync(join(folder, 'site-other', 'secret.txt'), 'secret');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** By hand: fetch would tidy the path up before it leaves. */
async function get(path: string, method = 'GET'): Promise<{ readonly response: IncomingMessage; readonly body: string }> {
  const asking = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, path, method });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { response, body };
}

test('the page comes with the headers that keep it to itself', async () => {
  const { response, body } = await get('/?room=x');
  expect(response.statusCode).toBe(200);
  expect(body).toBe('<!doctype html>hello');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(response.headers['content-security-policy']).toContain("default-src 'self'");
  expect(response.headers['content-security-policy']).toContain(`connect-src 'self' ws://${host} wss://${host}`);
  expect(response.headers['content-security-policy']).not.toMatch(/unsafe|blob:/);
  expect(response.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  });
});

test('files whose name has a digest are kept by the browser', async () => {
  const { response } = await get('/assets/a-1.js');
  expect(response.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(response.headers['cache-control']).toContain('immutable');
});

test.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/../site-other/secret.txt',
  '/none.html',
  '/assets',
  '/%00',
  '/%zz',
  '//',
])('nothing outside the folder, nothing that is not a file: %s', async (path) => {
  const { response, body } = await get(path);
  expect(body).not.toContain('secret');
  expect(response.statusCode).toBe(404);
});

test('only GET and HEAD', async () => {
  expect((await get('/', 'POST')).response).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } });
  const head = await get('/', 'HEAD');
  expect(head.response.statusCode).toBe(200);
  expect(head.body).toBe('');
});
