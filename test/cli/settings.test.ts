/** What `tabraft peer` understands, and what it refuses, saying what it would have taken. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PeerSettings, peerSettings, ROOMS_MAX } from '../../src/cli/peer/settings.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tabraft-settings-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const MUST = ['--signaling', 'ws://localhost/signal', '--dir', 'data'];
const file = (content: unknown, name = 'tabraft.json'): void =>
  writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));

function settings(...args: string[]): PeerSettings {
  const told = peerSettings(args, directory);
  if ('help' in told) throw new Error('help was not asked for');
  return told;
}

function refusal(...args: string[]): unknown {
  try {
    return settings(...args);
  } catch (error) {
    return error;
  }
}

test('flags alone', () => {
  expect(settings(...MUST, '--room', 'a', '--room', 'b', '--machine', 'm.js', '--as', 'standby', '--admin', '0')).toEqual({
    signaling: 'ws://localhost/signal',
    dir: join(directory, 'data'),
    rooms: ['a', 'b'].map((room) => ({
      room,
      entrance: room,
      open: false,
      machine: join(directory, 'm.js'),
      as: 'standby',
      priority: 10,
      name: 'edge',
      voters: undefined,
      found: true,
    })),
    admin: 0,
    log: 'text',
    links: 'auto',
    snapshotEvery: undefined,
  });
});

test('a file alone, found where the process starts; a room in it has fields of its own', () => {
  file({
    signaling: 'ws://s/signal',
    dir: '/data',
    admin: 'off',
    log: 'json',
    machine: './all.js',
    found: 'off',
    rooms: ['a', { room: 'b', machine: './b.js', priority: 3, found: 'on' }],
  });
  const told = settings();
  expect(told).toMatchObject({ dir: '/data', admin: undefined, log: 'json' });
  expect(told.rooms).toMatchObject([
    { room: 'a', machine: join(directory, 'all.js'), priority: 10, found: false },
    { room: 'b', machine: join(directory, 'b.js'), priority: 3, found: true },
  ]);
});

test('a flag counts for more than the file, and rooms named by flags are the only ones', () => {
  file({ signaling: 'ws://s/signal', dir: '/data', log: 'json', rooms: ['a', 'b'] }, 'other.json');
  const told = settings('--config', 'other.json', '--log', 'text', '--room', 'c', '--dir', 'here');
  expect(told).toMatchObject({ log: 'text', dir: join(directory, 'here'), rooms: [{ room: 'c' }] });
});

test('unknown flags and fields, and values that are none, are refused by name', () => {
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['--rooom', 'a'], /--rooom/],
    [['--as', 'witness'], /--as takes voter\|standby, not "witness"/],
    [['--admin', '70000'], /--admin takes PORT\|off/],
    [['--priority', '1.5'], /--priority takes NUMBER/],
    [['--voters', '0'], /--voters takes NUMBER/],
    [['--log', ''], /--log takes text\|json/],
    [['extra'], /extra/],
  ];
  for (const [flags, text] of refused) {
    expect(refusal(...MUST, '--room', 'a', ...flags), flags.join(' ')).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(text),
    });
  }
  expect(refusal(...MUST, '--room', 'a b')).toMatchObject({ code: 'room-invalid' });
  const files: readonly (readonly [unknown, RegExp])[] = [
    ['{', /cannot be read as JSON/],
    [[], /is an object/],
    [{ port: 1 }, /no field port\. Fields: rooms, signaling/],
    [{ rooms: 'a' }, /rooms is a list/],
    [{ rooms: [{ room: 'a', dir: 'x' }] }, /rooms\[0\]: there is no field dir/],
    [{ rooms: [1] }, /rooms\[0\] is an object/],
    [{ priority: '3x' }, /priority takes NUMBER/],
  ];
  for (const [content, text] of files) {
    file(content);
    expect(refusal(...MUST), JSON.stringify(content)).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(text),
    });
  }
});

test('what is missing is named; a room twice, and too many, are refused; a file that was asked for must be there', () => {
  expect(refusal('--room', 'a', '--dir', 'x')).toMatchObject({ message: expect.stringMatching(/--signaling is missing/) });
  expect(refusal('--room', 'a', '--signaling', 'ws://s')).toMatchObject({ message: expect.stringMatching(/--dir is missing/) });
  expect(refusal(...MUST)).toMatchObject({ message: expect.stringMatching(/--room is missing/) });
  expect(refusal(...MUST, '--room', 'a', '--room', 'a')).toMatchObject({ message: 'Room a is named twice.' });
  const many = Array.from({ length: ROOMS_MAX + 1 }, (_, i) => ['--room', `r${i}`]).flat();
  expect(refusal(...MUST, ...many)).toMatchObject({ message: expect.stringMatching(/at most 256 rooms/) });
  expect(refusal(...MUST, '--config', 'none.json')).toMatchObject({
    message: expect.stringMatching(/none\.json cannot be read/),
  });
  expect(peerSettings(['--help'], directory)).toEqual({ help: true });
});
