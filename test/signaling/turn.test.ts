/** Short-lived TURN credentials: the scheme, that clients get them and get them anew, and that coturn takes them, where it is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createSignalingServer } from '../../signaling/server.ts';
import { turnServer } from '../../signaling/turn.ts';
import { RoomView } from '../../src/signaling/room-view.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('a credential', () => {
  it('is the keyed hash of a name that says when it ends', () => {
    const { username, credential, urls } = turnServer(
      { urls: ['turn:x'], secret: 'north', seconds: 60 },
      'node-1',
      1_600_000_000_123,
    );
    expect([urls, username]).toEqual([['turn:x'], '1600000060:node-1']);
    expect(credential).toBe(createHmac('sha1', 'north').update('1600000060:node-1').digest('base64'));
  });

  it('comes with the welcome, for this node, and anew when it is asked for', async () => {
    const turn = { urls: ['turn:x'], secret: 's', seconds: 100 };
    const server = await createSignalingServer({ turn, iceServers: [{ urls: 'stun:y' }] });
    cleanups.push(() => server.close());
    const socket = new WebSocket(server.url);
    const heard: Record<string, unknown>[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        heard.push(JSON.parse(String(data)) as Record<string, unknown>);
        if (heard.some(({ type }) => type === 'ice')) resolve();
      });
      socket.on('open', () => {
        socket.send('{"type":"hello","version":1,"room":"r","nodeId":"n1","clusterId":null,"mayFound":false}');
        socket.send('{"type":"ice"}');
      });
    });
    socket.terminate();
    for (const message of heard) {
      expect(message['iceSeconds']).toBe(100);
      expect(message['iceServers']).toEqual([
        { urls: 'stun:y' },
        expect.objectContaining({ username: expect.stringMatching(/^\d+:n1$/) }),
      ]);
    }
  });

  it('is asked for anew when half of its time is over', () => {
    const said: string[] = [];
    const quiet = (): void => undefined;
    const handlers = { onPeers: quiet, onSignal: quiet, onGrant: quiet, onCluster: quiet, onState: quiet };
    const view = new RoomView(handlers, undefined, ({ type }) => void said.push(type));
    view.hear({ type: 'welcome', version: 1, peers: [], clusterId: null, iceServers: [1], iceSeconds: 100, relay: false });
    const nowMs = performance.now();
    view.refreshIce(nowMs + 49_000);
    expect(said).toEqual([]);
    view.refreshIce(nowMs + 51_000);
    view.hear({ type: 'ice', iceServers: [2], iceSeconds: null });
    view.refreshIce(nowMs + 1e9);
    expect([said, view.iceServers]).toEqual([['ice'], [2]]);
  });
});

const hasCoturn =
  spawnSync('turnserver', ['-h']).error === undefined && spawnSync('turnutils_uclient', ['-h']).error === undefined;

describe.skipIf(!hasCoturn)('coturn', () => {
  it('takes what is made with its secret, and nothing else', async () => {
    const port = await freePort();
    const log = ['--no-stdout-log', '--log-file', '/dev/null', '--pidfile', `/tmp/tabraft-turn-${process.pid}.pid`];
    const listen = ['--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--listening-port', String(port)];
    const rules = ['--allow-loopback-peers', '--no-cli', '--no-tls', '--no-dtls', '--realm', 'tabraft', '--cli-password', 'x'];
    const auth = ['-n', '--use-auth-secret', '--static-auth-secret', 'north'];
    const server = spawn('turnserver', [...auth, ...log, ...listen, ...rules], { stdio: 'ignore' });
    cleanups.push(() => server.kill('SIGKILL'));
    await listening(port);
    const uses = async (secret: string, seconds: number): Promise<number | null> => {
      const { username, credential } = turnServer({ urls: [], secret, seconds }, 'node-1', Date.now());
      const args = ['-y', '-n', '1', '-m', '1', '-p', String(port), '-u', username, '-w', credential, '127.0.0.1'];
      const client = spawn('timeout', ['10', 'turnutils_uclient', ...args], { stdio: 'ignore' });
      return new Promise((resolve) => client.once('close', resolve));
    };
    expect(await uses('north', 60)).toBe(0);
    expect(await uses('south', 60)).not.toBe(0);
    expect(await uses('north', -60)).not.toBe(0);
  });

  async function freePort(): Promise<number> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(resolve));
    return port;
  }

  async function listening(port: number): Promise<void> {
    for (;;) {
      const socket = connect(port, '127.0.0.1');
      const open = await new Promise<boolean>((resolve) =>
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
      );
      socket.destroy();
      if (open) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});
