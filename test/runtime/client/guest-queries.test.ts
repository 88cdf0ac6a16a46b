/** What a client is shown by a member that is behind, and what a watch waits for. */
import { expect, test } from 'vitest';
import { packValue, unpackValue } from '../../../src/codec/pack.ts';
import { GuestQueries, WATCH_MS } from '../../../src/runtime/client/guest-queries.ts';
import { ReplicatedState } from '../../../src/state/replicated-state.ts';
import { TypedMachine } from '../../../src/state/typed-machine.ts';
import { decodeClientValue, NOTHING_SEEN } from '../../../src/wire/client-bodies.ts';
import { bank } from '../cluster.ts';

function asked() {
  const state = new ReplicatedState(new TypedMachine(bank), { sessionsMax: 3, sessionTtlMs: 1_000 });
  const queries = new GuestQueries(state, (run) => run());
  const told: unknown[] = [];
  const reply = (body: Uint8Array, error?: { readonly code: string }): void => {
    if (error !== undefined) return void told.push(error.code);
    const { index, bytes } = decodeClientValue(body);
    told.push([index, bytes === undefined ? 'as it was' : unpackValue(bytes)]);
  };
  const balance = { name: 'balance', input: packValue(undefined), atLeast: 0 };
  const set = (value: number, index: number): void => {
    (state.machine.state as { balance: number }).balance = value;
    queries.onAppliedTo(index);
  };
  return { queries, told, reply, balance, set };
}

test('nothing older is shown than what was seen: it waits, and is told when that lasts too long', () => {
  const { queries, told, reply, balance, set } = asked();
  set(1, 5);
  queries.ask({ ...balance, atLeast: 7 }, undefined, 100, reply);
  queries.ask({ ...balance, atLeast: 9 }, undefined, 100, reply);
  set(2, 6);
  expect(told).toEqual([]);
  set(3, 7);
  expect(told).toEqual([[7, 3]]);
  queries.expire(100);
  expect(told.at(-1)).toBe('timeout');
});

test('a watch is answered when the value is another than the one seen, and after a while when it is not', () => {
  const { queries, told, reply, balance, set } = asked();
  set(1, 5);
  let digest = 0;
  queries.ask(balance, NOTHING_SEEN, WATCH_MS, (body) => {
    digest = decodeClientValue(body).digest;
  });
  queries.ask(balance, digest, WATCH_MS, reply);
  set(1, 6);
  expect(told).toEqual([]);
  set(2, 7);
  expect(told).toEqual([[7, 2]]);
  queries.ask(balance, decodedDigest(queries, balance), WATCH_MS, reply);
  queries.expire(WATCH_MS);
  expect(told.at(-1)).toEqual([7, 'as it was']);
});

function decodedDigest(queries: GuestQueries, balance: Parameters<GuestQueries['ask']>[0]): number {
  let digest = 0;
  queries.ask(balance, NOTHING_SEEN, WATCH_MS, (body) => {
    digest = decodeClientValue(body).digest;
  });
  return digest;
}
