/** What is said of a write that did not get through, against what becomes of it. */
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import { makeEntry, NO_BYTES } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import type { WriteResult } from '../../../src/runtime/client/pending-write.ts';
import { Proposals } from '../../../src/runtime/client/proposals.ts';
import { Writes } from '../../../src/runtime/client/writes.ts';
import type { Applied } from '../../../src/state/replicated-state.ts';
import type { WriteBatch } from '../../../src/storage/storage.ts';
import { PROPOSE_COUNT_MAX } from '../../../src/wire/bodies.ts';

const EMPTY = makeEntry(5, 1, 'normal', 0, NO_BYTES, undefined);
const COMMAND = Uint8Array.of(7);
const REGISTERED: Applied = { kind: 'registered', clientId: 'w', nonce: 'boot', session: 5 };

/** A node's writes with a leader elsewhere that answers what the test says. */
function lifeOf(bootCount: number) {
  const asked: ((error: RaftError | undefined) => void)[] = [];
  const records = new Map<string, Uint8Array>();
  const proposals = new Proposals({
    leadership: () => ({ leaderId: 'l', term: 1, isSelf: false }),
    propose: ({ ticket }) => asked.push((error) => proposals.onAnswer(ticket, error)),
    wake: () => {},
  });
  const writes = new Writes({ id: 'w', bootNonce: 'boot', bootCount }, 1, 10, nodeClock(), proposals);
  const store = (batch: WriteBatch | undefined): void => {
    for (const [key, value] of batch?.putRecords ?? []) records.set(key, value);
    for (const key of batch?.deleteRecords ?? []) records.delete(key);
  };
  return { asked, records, writes, store };
}

/** A write that has a session, was sent to the leader, and is in the journal. */
function sentWrite() {
  const life = lifeOf(0);
  const results: WriteResult[] = [];
  life.writes.submit({
    command: COMMAND,
    key: '',
    forward: true,
    expectedTerm: 0,
    notAfter: 0,
    deadlineMs: Number.POSITIVE_INFINITY,
    done: (result) => results.push(result),
  });
  life.store(life.writes.flush());
  life.writes.onApplied(EMPTY, REGISTERED);
  life.store(life.writes.flush());
  const refuse = life.asked[1];
  if (life.records.size !== 1 || refuse === undefined) throw new Error('the write was not sent, or not saved');
  return { ...life, results, refuse };
}

/** What the next life of the node finds, and sends. */
async function nextLife(records: ReadonlyMap<string, Uint8Array>): Promise<number> {
  const { writes, asked } = lifeOf(1);
  await writes.inherit(records, () => Promise.resolve([]));
  writes.flush();
  return asked.length;
}

test('a write that was refused for now, and is in the journal when its node ends, may yet be applied, and is said to', async () => {
  const { writes, results, refuse, records } = sentWrite();
  refuse(new RaftError('not-leader', 'Ask another.'));
  writes.stop('stopped', 'The node was stopped.');
  expect(results).toMatchObject([{ kind: 'failed', error: { code: 'stopped', mayHaveApplied: true } }]);
  expect(await nextLife(records)).toBe(1);
});

test('a write that was refused for good may be sent again until its record is gone, and is said to', async () => {
  const { writes, results, refuse, records, store } = sentWrite();
  refuse(new RaftError('quota', 'The leader’s disk is full.'));
  expect(await nextLife(records)).toBe(1);
  expect(results).toMatchObject([{ kind: 'failed', error: { code: 'quota', mayHaveApplied: true } }]);
  store(writes.lastFlush());
  expect(await nextLife(records)).toBe(0);
});

/** What the log says of the write when its session has expired meanwhile. */
const EXPIRED: Applied = {
  kind: 'command',
  session: 5,
  sequence: 1,
  command: COMMAND,
  outcome: { kind: 'error', code: 'session-expired', message: 'The session of this write has expired.' },
  index: 9,
  term: 1,
  replayed: true,
};

test('W5: a write whose only copy found no session is issued again in a new one: it was not applied', () => {
  const { writes, results, asked } = sentWrite();
  writes.onApplied(EMPTY, EXPIRED);
  writes.flush();
  writes.onApplied(EMPTY, { ...REGISTERED, session: 10 });
  const before = asked.length;
  writes.flush();
  expect([results, asked.length]).toEqual([[], before + 1]);
});

test('W5: a write that was sent twice is not issued again when a copy finds its session expired: the other may have been applied', () => {
  const { writes, results, asked, refuse } = sentWrite();
  // Lost on the way, as far as anybody knows: it is sent a second time.
  refuse(new RaftError('timeout', 'No answer.'));
  writes.tick();
  writes.flush();
  expect(asked.length).toBe(3);
  writes.onApplied(EMPTY, EXPIRED);
  expect(results).toMatchObject([{ kind: 'failed', error: { code: 'session-expired' } }]);
  expect((results[0] as Extract<WriteResult, { kind: 'failed' }>).error.mayHaveApplied).toBe(true);
  writes.flush();
  writes.onApplied(EMPTY, { ...REGISTERED, session: 10 });
  const before = asked.length;
  writes.flush();
  expect([results.length, asked.length]).toEqual([1, before]);
});

test('no call to the leader carries more proposals than it takes', () => {
  const counts: number[] = [];
  const proposals = new Proposals({
    leadership: () => ({ leaderId: 'l', term: 1, isSelf: false }),
    propose: ({ data }) => counts.push(data.length),
    wake: () => {},
  });
  const count = PROPOSE_COUNT_MAX + 1;
  const writes = new Writes({ id: 'w', bootNonce: 'boot', bootCount: 0 }, 1, count, nodeClock(), proposals);
  for (let i = 0; i < count; i++)
    writes.submit({
      command: COMMAND,
      key: '',
      forward: true,
      expectedTerm: 0,
      notAfter: 0,
      deadlineMs: Number.POSITIVE_INFINITY,
      done: () => {},
    });
  writes.flush();
  writes.onApplied(EMPTY, REGISTERED);
  writes.flush();
  expect(counts).toEqual([1, PROPOSE_COUNT_MAX, 1]);
});

test('a write of an earlier life whose copy finds its session expired is done with: nobody can tell what other copies have done', async () => {
  const { records } = sentWrite();
  const { writes, asked } = lifeOf(1);
  await writes.inherit(records, () => Promise.resolve([]));
  expect(writes.size).toBe(1);
  const outcome = { kind: 'error', code: 'session-expired', message: 'gone' } as const;
  writes.onApplied(EMPTY, {
    kind: 'command',
    session: 5,
    sequence: 1,
    command: COMMAND,
    outcome,
    index: 9,
    term: 1,
    replayed: true,
  });
  expect([writes.size, writes.list(() => undefined)]).toEqual([0, []]);
  writes.flush();
  expect(asked).toEqual([]);
});
