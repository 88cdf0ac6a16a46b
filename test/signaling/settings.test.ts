/** The binary: what it is told, and that it runs with nothing installed beside ws. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { settingsFrom, warningsFor } from '../../signaling/settings.ts';

describe('a setting', () => {
  it('comes from a flag, or from the environment, or has a default', () => {
    const settings = (args: string[], env = {}): unknown => Object(settingsFrom(args, env)).settings;
    expect(settings([])).toMatchObject({ port: 8080, host: undefined, iceServers: [], drainMs: 1_000 });
    expect(settings([], { PORT: '1', HOST: '::', ORIGINS: '*', DIRECTORY: '', STUN: 'none' })).toMatchObject({
      port: 1,
      host: '::',
      origins: '*',
      directory: undefined,
      iceServers: [],
    });
    expect(settings(['--port', '2', '--origins=https://a, https://b', '--stun', 'stun:x:3478'], { PORT: '1' })).toMatchObject({
      port: 2,
      origins: ['https://a', 'https://b'],
      iceServers: [{ urls: ['stun:x:3478'] }],
    });
    expect(settings(['--trusted-proxies', 'loopback,10.0.0.0/8'])).toMatchObject({ trustedProxies: ['loopback', '10.0.0.0/8'] });
  });

  it.each([
    ['an unknown flag', ['--prot', '1'], {}],
    ['a value too many', ['8080'], {}],
    ['a flag without a value', ['--port'], {}],
    ['a port that is none', ['--port', '80a'], {}],
    ['a port out of range', [], { PORT: '65536' }],
    ['a STUN server that is none', ['--stun', 'https://x'], {}],
    ['a TURN server without its secret', ['--turn', 'turn:x:3478'], {}],
    ['a TURN server that is none', [], { TURN: 'stun:x', TURN_SECRET: 's' }],
    ['a relay that is neither on nor off', ['--relay', 'yes'], {}],
    ['a drain that is none', ['--drain-ms=-1'], {}],
  ] as const)('%s is refused', (_what, args, env) => {
    expect(() => settingsFrom([...args], env)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('of TURN makes credentials for each node; what is missing is said', () => {
    const told = settingsFrom(['--turn', 'turn:x:3478', '--relay', 'off'], { TURN_SECRET: 'secret', TURN_SECONDS: '60' });
    expect('settings' in told && told.settings).toMatchObject({
      turn: { urls: ['turn:x:3478'], secret: 'secret', seconds: 60 },
      relay: false,
    });
    expect('settings' in told && warningsFor(told.settings)).toEqual([expect.stringContaining('--directory')]);
    const bare = settingsFrom([], {});
    expect('settings' in bare && warningsFor(bare.settings)).toEqual([
      expect.anything(),
      expect.stringContaining('No STUN server'),
    ]);
  });

  it('is in the help, and help comes before all else', () => {
    const told = settingsFrom(['--help', '--port', 'x'], {});
    for (const word of ['--port', 'DIRECTORY', '--trusted-proxies', 'STUN', '--drain-ms'])
      expect('help' in told && told.help).toContain(word);
  });
});

describe('the binary', () => {
  const root = join(import.meta.dirname, '..', '..');
  let folder = '';
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(root, '.signaling-'));
    const output = { entryFileNames: 'signaling.mjs', chunkFileNames: '[name].mjs' };
    await build({
      configFile: false,
      root,
      publicDir: false,
      logLevel: 'error',
      build: { ssr: 'signaling/bin.ts', outDir: folder, target: 'node20', rollupOptions: { output } },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  function run(
    args: string[],
    env: Record<string, string> = {},
  ): { readonly child: ChildProcess; output(): string; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [join(folder, 'signaling.mjs'), ...args], {
      env: { PATH: process.env['PATH'], ...env },
    });
    running.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (text += String(data)));
    return { child, output: () => text, ended: new Promise((resolve) => child.once('close', resolve)) };
  }

  it('needs no package but ws', () => {
    const text = readFileSync(join(folder, 'signaling.mjs'), 'utf8');
    const imports = [...text.matchAll(/from\s*["']([^"'.][^"']*)["']/g)].map((match) => match[1]);
    expect(imports.filter((name) => !name?.startsWith('node:'))).toEqual(['ws']);
  });

  it('says how to call it, and refuses a wrong call with exit code 2', async () => {
    const help = run(['--help']);
    expect([await help.ended, help.output()]).toEqual([0, expect.stringContaining('Usage: tabraft-signaling')]);
    const version = run(['-v']);
    expect([await version.ended, version.output()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
    const wrong = run(['--prot', '1']);
    expect([await wrong.ended, wrong.output()]).toEqual([2, expect.stringContaining("Unknown option '--prot'")]);
    const port = run([], { PORT: 'x' });
    expect([await port.ended, port.output()]).toEqual([2, expect.stringContaining('--port (PORT) must be a whole number')]);
  });

  it('serves, tells its clients to come back when it is asked to end, and ends', async () => {
    const server = run(['--port', '0', '--drain-ms', '500']);
    while (!server.output().includes('ws://')) await new Promise((resolve) => server.child.stdout?.once('data', resolve));
    const url = /ws:\S+/.exec(server.output())?.[0] ?? '';
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(url);
    const heard: string[] = [];
    socket.on('message', (data) => {
      heard.push(String(data));
      if (String(data).includes('grant')) server.child.kill('SIGTERM');
    });
    socket.on('open', () => socket.send('{"type":"hello","version":1,"room":"r","nodeId":"n","clusterId":null,"mayFound":true}'));
    const code = await new Promise((resolve) => socket.on('close', resolve));
    expect([code, await server.ended]).toEqual([1012, 0]);
    expect(JSON.parse(heard.at(-1) ?? '')).toMatchObject({ code: 'busy', retryAfterMs: expect.any(Number) });
  });
});
