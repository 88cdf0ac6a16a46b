/** The order in which a kept write is stored and sent: its number first, and never a second one while the first may count. */
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import { makeEntry, NO_BYTES } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import { Outbox } from '../../../src/runtime/client/outbox.ts';
import type { WriteResult } from '../../../src/runtime/client/pending-write.ts';
import { Proposals } from '../../../src/runtime/client/proposals.ts';
import { Writes } from '../../../src/runtime/client/writes.ts';
import { decodeEnvelope } from '../../../src/state/envelope.ts';
import type { Applied } from '../../../src/state/replicated-state.ts';
import type { WriteBatch } from '../../../src/storage/storage.ts';

const EMPTY = makeEntry(5, 1, 'normal', 0, NO_BYTES, undefined);
const COMMAND = Uint8Array.of(7);
const DAY_MS = 24 * 60 * 60 * 1000;

/** A node's outbox and writes, with a disk and a leader that answer when the test says. */
function lifeOf(bootCount: number, records = new Map<string, Uint8Array>()) {
  const clock = { ...nodeClock(), soon: (run: () => void): void => run() };
  const sent: { readonly data: readonly Uint8Array[]; readonly answer: (error?: RaftError) => void }[] = [];
  const waiting: { readonly batch: WriteBatch; readonly done: () => void; readonly failed: (error: RaftError) => void }[] = [];
  const faults: RaftError[] = [];
  let leads = true;
  const proposals = new Proposals({
    leadership: () => (leads ? { leaderId: 'l', term: 1, isSelf: false } : undefined),
    propose: ({ ticket, data }) => sent.push({ data, answer: (error) => proposals.onAnswer(ticket, error) }),
    wake: () => {},
  });
  const writes = new Writes({ id: 'w', bootNonce: 'boot', bootCount }, 1, 10, clock, proposals);
  const store = (batch: WriteBatch): Promise<void> =>
    new Promise((resolve, failed) => waiting.push({ batch, done: resolve, failed }));
  const onFault = (error: RaftError): void => void faults.push(error);
  const outbox = new Outbox({ writes, bootCount, clock, store, wake: () => {}, onFault, onListenerError: () => {} });
  const stored = async (): Promise<void> => {
    const write = waiting.shift();
    if (write === undefined) throw new Error('nothing is being stored');
    for (const [key, value] of write.batch.putRecords ?? []) records.set(key, value);
    for (const key of write.batch.deleteRecords ?? []) records.delete(key);
    write.done();
    await Promise.resolve();
    await Promise.resolve();
  };
  const register = (session: number): void => {
    writes.flush();
    const applied: Applied = { kind: 'registered', clientId: 'w', nonce: 'boot', session };
    writes.onApplied(EMPTY, applied);
  };
  const lead = (now: boolean): void => {
    leads = now;
  };
  outbox.inherit(records);
  return { outbox, writes, records, sent, waiting, faults, stored, register, lead };
}

type Life = ReturnType<typeof lifeOf>;

/** The commands among what was sent: session and sequence of each. */
function numbersOf({ sent }: Life): (readonly [session: number, sequence: number])[] {
  const envelopes = sent.flatMap(({ data }) => data.map((bytes) => decodeEnvelope(bytes)));
  return envelopes.flatMap((one) => (one.kind === 'command' ? [[one.session, one.sequence] as const] : []));
}

/** A kept write that has its number on disk and was sent under it. */
async function sentOnce(): Promise<Life & { readonly results: WriteResult[] }> {
  const life = lifeOf(0);
  const results: WriteResult[] = [];
  life.outbox.add(COMMAND, 'a', DAY_MS, undefined).whenEnded((result) => results.push(result));
  await life.stored();
  life.register(5);
  life.writes.flush();
  await life.stored();
  life.writes.flush();
  return { ...life, results };
}

test('its number is on disk before it is sent, and the next life sends it under the same', async () => {
  const life = lifeOf(0);
  life.outbox.add(COMMAND, 'a', DAY_MS, undefined);
  life.register(5);
  await life.stored();
  life.writes.flush();
  life.writes.flush();
  expect(numbersOf(life)).toEqual([]);
  await life.stored();
  life.writes.flush();
  expect(numbersOf(life)).toEqual([[5, 1]]);
  // Ended here, and found again: under another session of its own it would be applied a second time.
  const next = lifeOf(1, life.records);
  next.register(9);
  next.writes.flush();
  expect(numbersOf(next)).toEqual([[5, 1]]);
});

test('what was never numbered gets a number of the life that finds it', async () => {
  const life = lifeOf(0);
  life.outbox.add(COMMAND, 'a', DAY_MS, undefined);
  await life.stored();
  const next = lifeOf(1, life.records);
  next.register(9);
  next.writes.flush();
  await next.stored();
  next.writes.flush();
  expect(numbersOf(next)).toEqual([[9, 1]]);
});

test('a number whose session had expired is given back on disk before there is another', async () => {
  const life = await sentOnce();
  const outcome = { kind: 'error', code: 'session-expired', message: 'gone' } as const;
  const place = { session: 5, sequence: 1, command: COMMAND, index: 6, term: 1, replayed: true } as const;
  life.writes.onApplied(EMPTY, { kind: 'command', ...place, outcome });
  await life.stored();
  const dead = new Map(life.records);
  life.register(8);
  life.writes.flush();
  expect(numbersOf(life)).toEqual([[5, 1]]);
  await life.stored();
  life.writes.flush();
  expect(numbersOf(life).at(-1)).toEqual([8, 1]);
  // A life that began between the two finds no number at all.
  const between = lifeOf(1, dead);
  between.register(9);
  between.writes.flush();
  await between.stored();
  between.writes.flush();
  expect(numbersOf(between)).toEqual([[9, 1]]);
});

test('that it is never applied is said when its record is gone, not before; a disk that fails is asked again', async () => {
  const life = lifeOf(0);
  life.lead(false);
  life.outbox.add(COMMAND, 'a', DAY_MS, undefined);
  await life.stored();
  const told: boolean[] = [];
  life.outbox.cancel('a', (never) => told.push(never));
  expect(life.outbox.pending()).toEqual([]);
  life.waiting.shift()?.failed(new RaftError('storage', 'no'));
  await Promise.resolve();
  await Promise.resolve();
  expect([told, life.records.size]).toEqual([[], 1]);
  // Whoever asks meanwhile, or stops, hears that it may be: the next life would find it.
  const results: WriteResult[] = [];
  expect(life.outbox.watch('a', (result) => results.push(result))).toBe(true);
  life.outbox.stop('stopped', 'The node was stopped.');
  expect(results).toMatchObject([{ kind: 'failed', error: { code: 'stopped', mayHaveApplied: true } }]);
  expect(told).toEqual([false]);
});

test('once it was sent a cancelled write may be applied, and is not said to be off', async () => {
  const life = await sentOnce();
  const told: boolean[] = [];
  life.outbox.cancel('a', (never) => told.push(never));
  expect([told, life.results]).toMatchObject([[false], [{ error: { code: 'aborted', mayHaveApplied: true } }]]);
});

test('what a leader refuses for now waits on; what it refuses for good is the end', async () => {
  const life = await sentOnce();
  for (const code of ['no-quorum', 'quota', 'busy'] as const) {
    life.sent.at(-1)?.answer(new RaftError(code, 'Not now.'));
    life.writes.tick();
    life.writes.flush();
  }
  expect([numbersOf(life).length, life.results]).toEqual([4, []]);
  life.sent.at(-1)?.answer(new RaftError('not-authorized', 'Never.'));
  await life.stored();
  expect(life.results).toMatchObject([{ error: { code: 'not-authorized', mayHaveApplied: false } }]);
  expect(life.records.size).toBe(0);
});

test('records that cannot be read are told and go; the others are sent in the order of their calls', async () => {
  const life = lifeOf(0);
  for (const id of ['c', 'a', 'b']) life.outbox.add(COMMAND, id, DAY_MS, undefined);
  await life.stored();
  while (life.waiting.length > 0) await life.stored();
  life.records.set('queue/0/9', Uint8Array.of(1, 2, 3));
  life.records.set('queue/0/8', Uint8Array.of(0x91, 0x01));
  const next = lifeOf(1, life.records);
  expect(next.faults).toMatchObject([{ code: 'corrupt' }]);
  expect(next.outbox.pending().map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  await next.stored();
  expect(next.records.size).toBe(3);
});
