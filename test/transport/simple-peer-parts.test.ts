/** What stands in for Node's streams under simple-peer, and that it is put into its source as that is today. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { leanSource } from '../../scripts/lean-simple-peer.mjs';
import { Buffer, Duplex, errCode, randombytes } from '../../src/transport/webrtc/simple-peer-parts.ts';

test('listeners hear in order, once or until they are taken away, also while they hear', () => {
  const stream = new Duplex();
  const heard: string[] = [];
  const always = (value: unknown): unknown => heard.push(`always ${value}`);
  const gone = (): unknown => heard.push('gone');
  const first = (value: unknown): void => {
    heard.push(`first ${value}`);
    stream.removeListener('data', always);
  };
  stream.once('data', first).on('data', always).once('data', gone).removeListener('data', gone);
  stream.push(1);
  stream.push(2);
  expect(heard).toEqual(['first 1', 'always 1']);
  expect(stream.emit('data', 3)).toBe(false);
  expect(stream.emit('connect')).toBe(false);
});

test('the end is no data, and both ends are known', () => {
  const stream = new Duplex();
  const heard: unknown[] = [];
  stream.on('data', (chunk) => heard.push(chunk));
  stream.push(new Uint8Array([1]));
  stream.push(null);
  stream.end();
  expect(heard).toEqual([new Uint8Array([1])]);
  expect([stream._readableState.ended, stream._writableState.finished]).toEqual([true, true]);
});

test('an error that nobody listens for is thrown', () => {
  const error = errCode(new Error('broken'), 'ERR_DATA_CHANNEL');
  expect(() => new Duplex().emit('error', error)).toThrow('broken');
  const told: unknown[] = [];
  new Duplex().on('error', (one) => told.push(one)).emit('error', error);
  expect(told).toEqual([expect.objectContaining({ code: 'ERR_DATA_CHANNEL' })]);
});

test('an exception of the page, whose code cannot be set, is the cause of one that can have it', () => {
  const own = new DOMException('aborted by the user', 'OperationError');
  expect(errCode(own, 'ERR_DATA_CHANNEL')).toMatchObject({
    code: 'ERR_DATA_CHANNEL',
    message: 'aborted by the user',
    name: 'OperationError',
    cause: own,
  });
});

test('random names are random, and as long as asked', () => {
  expect(randombytes(4).toString()).toMatch(/^[0-9a-f]{8}$/);
  expect(randombytes(20).toString()).not.toBe(randombytes(20).toString());
  expect(Buffer.from(new Uint8Array([1, 2]).buffer)).toEqual(new Uint8Array([1, 2]));
});

test('the source of simple-peer is the one that this was written for; another is refused', () => {
  const text = readFileSync('node_modules/simple-peer/index.js', 'utf8');
  expect(leanSource(text)).toContain('export default Peer;');
  expect(() => leanSource(text.replace("require('readable-stream')", "require('stream')"))).toThrow('another text');
  expect(() => leanSource(`${text}\nrequire('fs')`)).toThrow('more than expected');
});
