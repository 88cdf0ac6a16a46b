/** What is deployed names what there is: settings, fields, packages, entries of the build. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsFrom } from '../../signaling/settings.ts';
import { peerSettings } from '../../src/cli/peer/settings.ts';
import configure from '../../vite.config.ts';

const read = (path: string): string => readFileSync(path, 'utf8');
const dockerfile = read('deploy/docker/Dockerfile');
const compose = read('deploy/docker/compose.yaml');
const described = JSON.parse(read('package.json')) as { readonly devDependencies: Readonly<Record<string, string>> };
const library = configure({ mode: 'library', command: 'build' });
const entries = Object.keys((library.build?.lib || { entry: {} }).entry as Readonly<Record<string, string>>);

test('the image installs the packages that are tested', () => {
  const installed = [...dockerfile.matchAll(/ (redis|lmdb|node-datachannel)@(\S+)/g)].map(([, name, version]) => [name, version]);
  expect(installed).toEqual(['redis', 'lmdb', 'node-datachannel'].map((name) => [name, described.devDependencies[name]]));
});

test('what the image and the compose file start are entries of the build', () => {
  const started = [...`${dockerfile}${compose}${read('deploy/cloudflare/wrangler.toml')}`.matchAll(/dist\/([\w-]+)\.js/g)];
  expect(new Set(started.map(([, name]) => name))).toEqual(new Set(['signaling', 'cli', 'cloudflare']));
  for (const [, name] of started) expect(entries).toContain(name);
});

test('the signaling server understands its environment in the compose file', () => {
  const block = /signaling:[\s\S]*?environment:\n([\s\S]*?)\n {4}ports/.exec(compose)?.[1] ?? '';
  const given = [...block.matchAll(/^ {6}([A-Z_]+): (.*)$/gm)].map(([, name = '', value = '']) => {
    const filled = value.replace(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_all, key: string) =>
      key.startsWith('TURN_') ? 'turn.example' : '',
    );
    return [name, filled] as const;
  });
  expect(given.map(([name]) => name)).toEqual(['REDIS', 'ORIGINS', 'TRUSTED_PROXIES', 'STUN', 'TURN', 'TURN_SECRET']);
  expect(settingsFrom([], Object.fromEntries(given))).toMatchObject({
    settings: {
      redis: { url: 'redis://redis:6379' },
      origins: undefined,
      iceServers: [{ urls: ['stun:turn.example:3478'] }],
      turn: { urls: ['turn:turn.example:3478?transport=udp', 'turn:turn.example:3478?transport=tcp'], secret: 'turn.example' },
    },
  });
});

test('a member at the edge understands its file', () => {
  expect(peerSettings(['--config', 'deploy/docker/tabraft.json'], process.cwd())).toMatchObject({
    dir: '/data',
    admin: 7411,
    rooms: [{ room: 'front-row', open: true, machine: undefined }],
  });
  expect(compose).toContain('HEALTH: http://127.0.0.1:7411/healthz');
});

test('the Worker names the class that it exports', () => {
  const wrangler = read('deploy/cloudflare/wrangler.toml');
  expect([...wrangler.matchAll(/"(RoomObject)"/g)]).toHaveLength(2);
  expect(read('signaling/cloudflare/worker.ts')).toContain('export { RoomObject }');
});
