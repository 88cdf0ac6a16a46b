/** What the binary is told, by flags and by the environment: each setting has one of each, a flag counts for more. */
import { parseArgs } from 'node:util';
import { RaftError } from '../src/core/errors.ts';
import type { RedisOptions } from './redis/backend.ts';
import type { StandaloneOptions } from './server.ts';
import { TURN_SECONDS, type TurnOptions } from './turn.ts';

interface Setting {
  readonly flag: string;
  readonly env: string;
  readonly value: string;
  readonly help: string;
}

const SETTINGS: readonly Setting[] = [
  { flag: 'port', env: 'PORT', value: 'NUMBER', help: 'port to listen on (default 8080; 0: any free one)' },
  { flag: 'host', env: 'HOST', value: 'ADDRESS', help: 'address to listen on (default 127.0.0.1; 0.0.0.0: all)' },
  { flag: 'directory', env: 'DIRECTORY', value: 'PATH', help: 'where rooms are remembered over a restart (default: nowhere)' },
  {
    flag: 'redis',
    env: 'REDIS',
    value: 'URL',
    help: 'rooms shared with other processes through Redis, as redis://HOST:PORT (default: none)',
  },
  { flag: 'redis-prefix', env: 'REDIS_PREFIX', value: 'TEXT', help: 'what all its keys begin with (default tabraft)' },
  { flag: 'origins', env: 'ORIGINS', value: 'LIST', help: 'pages that may connect, as origins, or * (default: this very host)' },
  {
    flag: 'trusted-proxies',
    env: 'TRUSTED_PROXIES',
    value: 'LIST',
    help: 'proxies whose X-Forwarded-For is believed: addresses, networks, or loopback (default: none)',
  },
  { flag: 'stun', env: 'STUN', value: 'LIST', help: 'STUN servers told to nodes, as stun:HOST:PORT, or none (default: none)' },
  {
    flag: 'turn',
    env: 'TURN',
    value: 'LIST',
    help: 'TURN servers told to nodes, as turn:HOST:PORT?transport=udp (default: none)',
  },
  {
    flag: 'turn-secret',
    env: 'TURN_SECRET',
    value: 'TEXT',
    help: "the TURN servers' static-auth-secret (better in the environment)",
  },
  { flag: 'turn-seconds', env: 'TURN_SECONDS', value: 'NUMBER', help: 'how long a TURN credential lasts (default 43200)' },
  { flag: 'relay', env: 'RELAY', value: 'on|off', help: 'relay frames where no other link works (default on)' },
  { flag: 'drain-ms', env: 'DRAIN_MS', value: 'NUMBER', help: 'on SIGTERM clients are spread over so many ms (default 1000)' },
];

export interface Settings extends StandaloneOptions {
  readonly port: number;
  readonly drainMs: number;
}
export type Told = { readonly help: string } | { readonly version: true } | { readonly settings: Settings };

/** Errors: invalid-argument for flags that are unknown, and values that are none. */
export function settingsFrom(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Told {
  const flags = flagsFrom(args);
  if (flags['help'] === true) return { help: helpText() };
  if (flags['version'] === true) return { version: true };
  const of = (flag: string): string | undefined => {
    const given = flags[flag];
    const fallback = env[SETTINGS.find((setting) => setting.flag === flag)?.env ?? ''];
    return typeof given === 'string' ? given : fallback === '' ? undefined : fallback;
  };
  const origins = of('origins');
  return {
    settings: {
      port: wholeNumber('port', of('port') ?? '8080', 65_535),
      host: of('host'),
      directory: of('directory'),
      redis: redisFrom(of('redis'), of('redis-prefix')),
      origins: origins === '*' ? '*' : listFrom(origins),
      trustedProxies: listFrom(of('trusted-proxies')),
      iceServers: stunFrom(of('stun')),
      turn: turnFrom(of),
      relay: isOn('relay', of('relay') ?? 'on') ? undefined : false,
      drainMs: wholeNumber('drain-ms', of('drain-ms') ?? '1000', 60_000),
    },
  };
}

function flagsFrom(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const named = Object.fromEntries(SETTINGS.map(({ flag }) => [flag, { type: 'string' as const }]));
  const options = { ...named, help: { type: 'boolean' as const, short: 'h' }, version: { type: 'boolean' as const, short: 'v' } };
  try {
    return { ...parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RaftError('invalid-argument', `${why}\nTry --help.`, { cause });
  }
}

function wholeNumber(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= most) return number;
  const env = SETTINGS.find((setting) => setting.flag === flag)?.env;
  throw new RaftError('invalid-argument', `--${flag} (${env}) must be a whole number from 0 to ${most}, got ${text}.`);
}

function listFrom(text: string | undefined): readonly string[] | undefined {
  const parts = text?.split(',').map((part) => part.trim());
  return parts?.filter((part) => part !== '');
}

function stunFrom(text: string | undefined): readonly unknown[] {
  const urls = text === 'none' ? [] : (listFrom(text) ?? []);
  const bad = urls.find((url) => !/^stuns?:[^\s:]/.test(url));
  if (bad !== undefined) throw new RaftError('invalid-argument', `--stun (STUN) lists servers as stun:HOST:PORT, got ${bad}.`);
  return urls.length === 0 ? [] : [{ urls }];
}

function redisFrom(url: string | undefined, prefix: string | undefined): RedisOptions | undefined {
  if (url === undefined) return undefined;
  if (!/^rediss?:\/\/[^/\s]/.test(url) || !URL.canParse(url))
    throw new RaftError('invalid-argument', '--redis (REDIS) takes a URL as redis://HOST:PORT or rediss://HOST:PORT.');
  return { url, prefix };
}

function turnFrom(of: (flag: string) => string | undefined): TurnOptions | undefined {
  const urls = listFrom(of('turn')) ?? [];
  const bad = urls.find((url) => !/^turns?:[^\s:]/.test(url));
  if (bad !== undefined) throw new RaftError('invalid-argument', `--turn (TURN) lists servers as turn:HOST:PORT, got ${bad}.`);
  const secret = of('turn-secret');
  if (urls.length === 0) return undefined;
  if (secret === undefined) throw new RaftError('invalid-argument', '--turn (TURN) needs --turn-secret (TURN_SECRET) as well.');
  return { urls, secret, seconds: wholeNumber('turn-seconds', of('turn-seconds') ?? String(TURN_SECONDS), 31_536_000) };
}

function isOn(flag: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new RaftError('invalid-argument', `--${flag} (${flag.toUpperCase()}) is on or off, got ${text}.`);
}

/** What an operator should know of these settings before somebody else finds out. */
export function warningsFor({ directory, redis, iceServers = [], turn }: Settings): readonly string[] {
  return [
    ...(directory === undefined && redis === undefined
      ? ['Rooms are not remembered over a restart: name a --directory (DIRECTORY) or a --redis (REDIS) for that.']
      : []),
    ...(iceServers.length === 0 && turn === undefined
      ? [
          'No STUN server is named: nodes behind different routers reach each other only through the relay. Name one with --stun ' +
            '(STUN), as stun:HOST:PORT; a TURN server of your own (coturn) is one as well.',
        ]
      : []),
  ];
}

function helpText(): string {
  const lines = SETTINGS.map(({ flag, env, value, help }) => `  ${`--${flag} ${value}`.padEnd(26)} ${env.padEnd(16)} ${help}`);
  return `tabraft-signaling: introduces the nodes of a room to each other.

Usage: tabraft-signaling [flags]

  ${'flag'.padEnd(26)} ${'environment'.padEnd(16)} meaning
${lines.join('\n')}
  ${'-h, --help'.padEnd(43)} this text
  ${'-v, --version'.padEnd(43)} the version of the package

It answers GET /healthz and /metrics. SIGTERM and SIGINT: it tells its clients to come back, and ends.`;
}
