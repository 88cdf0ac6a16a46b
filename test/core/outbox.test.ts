import { describe, expect, test } from 'vitest';
import { Outbox } from '../../src/core/outbox.ts';
import type { AppendResponse, Message } from '../../src/core/types.ts';
import { appendAnswer, voteAnswer } from './messages.ts';

const ack = (index: number, fields: Partial<AppendResponse> = {}): AppendResponse => appendAnswer({ index, ...fields });
const indexes = (messages: readonly Message[]): unknown[] =>
  messages.map((message) => (message.type === 'append-response' ? message.index : message.type));

describe('the outbox', () => {
  test('is empty when nothing waits in either lane', () => {
    const outbox = new Outbox();
    expect(outbox.empty).toBe(true);
    outbox.now(ack(1));
    expect(outbox.empty).toBe(false);
    expect(outbox.takeAfterPersist()).toEqual([]);
    expect(indexes(outbox.takeNow())).toEqual([1]);
    expect(outbox.empty).toBe(true);
    outbox.afterPersist(ack(2));
    expect(outbox.empty).toBe(false);
    expect(outbox.takeNow()).toEqual([]);
    expect(indexes(outbox.takeAfterPersist())).toEqual([2]);
    expect([outbox.empty, outbox.takeNow(), outbox.takeAfterPersist()]).toEqual([true, [], []]);
  });

  test('gives out all that was put in, in order, and never again, however much it was', () => {
    const outbox = new Outbox();
    let next = 0;
    const taken: (readonly Message[])[] = [];
    const expected: number[][] = [];
    for (const count of [1, 2, 3, 64, 65, 200, 3, 2, 1, 64]) {
      const run = Array.from({ length: count }, () => ++next);
      for (const index of run) outbox.now(ack(index));
      taken.push(outbox.takeNow());
      expected.push(run);
      expect(outbox.empty).toBe(true);
    }
    // What was taken stays as it was, also after more was put in.
    expect(taken.map(indexes)).toEqual(expected);
  });

  test('lets an acknowledgement take the place of one before it that it includes', () => {
    const merged = (...answers: readonly AppendResponse[]): unknown[] => {
      const outbox = new Outbox();
      for (const answer of answers) outbox.afterPersistMerged(answer);
      return indexes(outbox.takeAfterPersist());
    };
    expect(merged(ack(1), ack(2), ack(2))).toEqual([2]);
    expect(merged(ack(3), ack(2))).toEqual([3, 2]);
    expect(merged(ack(1), ack(2, { to: 'c' }))).toEqual([1, 2]);
    expect(merged(ack(1), ack(2, { term: 2 }))).toEqual([1, 2]);
    expect(merged(ack(1, { reject: true }), ack(2))).toEqual([1, 2]);
    expect(merged(ack(1), ack(2, { reject: true }))).toEqual([1, 2]);
    expect(merged(ack(1), ack(2, { to: 'c' }), ack(3))).toEqual([1, 2, 3]);
  });

  test('merges with nothing that is no acknowledgement, or has left already', () => {
    const outbox = new Outbox();
    outbox.afterPersist(voteAnswer({ from: 'b', to: 'a' }));
    outbox.afterPersistMerged(ack(1));
    outbox.afterPersistMerged(ack(2));
    expect(indexes(outbox.takeAfterPersist())).toEqual(['vote-response', 2]);
    outbox.afterPersistMerged(ack(3));
    expect(indexes(outbox.takeAfterPersist())).toEqual([3]);
  });
});
