/** Every structure against a naive model, over random commands, times and snapshots. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counter, ledger, locks, map, register, semaphore, uniqueNames, workQueue } from '../../src/structures/index.ts';
import { Stand } from './stand.ts';

const RUNS = { numRuns: 150 };
const some = fc.constantFrom('a', 'b', 'c');
const amount = fc.integer({ min: 1, max: 9 });
const steps = <T>(step: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(step, { maxLength: 60 });

test('counter: every addition counts once; what has no room refuses and changes nothing', () => {
  fc.assert(
    fc.property(steps(fc.integer({ min: -50, max: 50 })), (amounts) => {
      const stand = new Stand(counter());
      let sum = 0;
      for (const step of amounts) {
        sum += step;
        expect(stand.run({ type: 'add', amount: step })).toBe(sum);
      }
      expect(() => stand.run({ type: 'add', amount: Number.MAX_SAFE_INTEGER + 2 })).toThrow('whole number');
      expect(stand.ask('value')).toBe(sum);
    }),
    RUNS,
  );
});

test('register: a compare-and-set succeeds exactly against the version that holds', () => {
  fc.assert(
    fc.property(steps(fc.tuple(fc.boolean(), fc.nat(6), fc.nat())), (writes) => {
      const stand = new Stand(register<number>());
      let model: { value: number | undefined; version: number } = { value: undefined, version: 0 };
      for (const [isPlain, version, value] of writes) {
        const isSet = isPlain || version === model.version;
        if (isSet) model = { value, version: model.version + 1 };
        const command = isPlain ? { type: 'set', value } : { type: 'compareAndSet', version, value };
        expect(stand.run(command)).toEqual({ isSet, version: model.version });
        expect(stand.ask('get')).toEqual(model);
      }
    }),
    RUNS,
  );
});

test('map: as a Map, over snapshots, also with the names of an object’s own fields as keys', async () => {
  const key = fc.constantFrom('a', '__proto__', 'constructor');
  await fc.assert(
    fc.asyncProperty(steps(fc.tuple(fc.constantFrom('set', 'delete', 'snapshot'), key, fc.nat())), async (writes) => {
      const stand = new Stand(map<number>());
      const model = new Map<string, number>();
      for (const [kind, name, value] of writes) {
        if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'delete') expect(stand.run({ type: 'delete', key: name })).toBe(model.delete(name));
        else {
          expect(stand.run({ type: 'set', key: name, value })).toBe(!model.has(name));
          model.set(name, value);
        }
        expect([stand.ask('get', name), stand.ask('has', name), stand.ask('size')]).toEqual([
          model.get(name),
          model.has(name),
          model.size,
        ]);
      }
    }),
    RUNS,
  );
});

test('unique names: at most one owner each, and only the owner gives a name back', () => {
  fc.assert(
    fc.property(steps(fc.tuple(fc.boolean(), some, some)), (calls) => {
      const stand = new Stand(uniqueNames());
      const owners = new Map<string, string>();
      for (const [claims, name, owner] of calls) {
        const current = owners.get(name);
        const expected = claims ? current === undefined || current === owner : current === owner;
        expect(stand.run({ type: claims ? 'claim' : 'release', name, owner })).toBe(expected);
        if (expected && claims) owners.set(name, owner);
        if (expected && !claims) owners.delete(name);
        expect(stand.ask('owner', name)).toBe(owners.get(name));
      }
    }),
    RUNS,
  );
});

const leaseStep = fc.record({
  kind: fc.constantFrom('acquire', 'acquire', 'renew', 'release', 'snapshot'),
  name: some,
  ttlMs: amount,
  token: fc.nat(8),
  wait: fc.nat(6),
});

test('locks: one token at a time, each larger than all before it, over expiry and snapshots', async () => {
  await fc.assert(
    fc.asyncProperty(steps(leaseStep), async (calls) => {
      const stand = new Stand(locks());
      const held = new Map<string, { token: number; until: number }>();
      let last = 0;
      for (const { kind, name, ttlMs, token, wait } of calls) {
        stand.now += wait;
        const lease = held.get(name);
        const isHeld = lease !== undefined && lease.until > stand.now;
        const isMine = isHeld && lease.token === token;
        if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'release') {
          expect(stand.run({ type: kind, name, token })).toBe(isMine);
          if (isMine) held.delete(name);
        } else {
          const isGiven = kind === 'acquire' ? !isHeld : isMine;
          if (isGiven && kind === 'acquire') last += 1;
          const answer = { token: kind === 'acquire' ? last : token, until: stand.now + ttlMs };
          expect(stand.run({ type: kind, name, owner: 'me', token, ttlMs })).toEqual(isGiven ? answer : undefined);
          if (isGiven) held.set(name, answer);
        }
      }
    }),
    RUNS,
  );
});

test('semaphore: at most so many leases at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps(leaseStep), async (permits, calls) => {
      const stand = new Stand(semaphore({ permits }));
      const held = new Map<number, number>();
      let last = 0;
      for (const { kind, ttlMs, token, wait } of calls) {
        stand.now += wait;
        for (const [old, until] of [...held]) if (until <= stand.now) held.delete(old);
        const until = stand.now + ttlMs;
        if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'acquire') {
          const isFree = held.size < permits;
          if (isFree) held.set(++last, until);
          expect(stand.run({ type: kind, owner: 'me', ttlMs })).toEqual(isFree ? { token: last, until } : undefined);
        } else if (token > 0 && kind === 'release') expect(stand.run({ type: kind, token })).toBe(held.delete(token));
        else if (token > 0) {
          expect(stand.run({ type: kind, token, ttlMs })).toEqual(held.has(token) ? { token, until } : undefined);
          if (held.has(token)) held.set(token, until);
        }
      }
    }),
    RUNS,
  );
});

test('ledger: no account below zero, and the accounts always sum up to the total', () => {
  const booking = fc.record({ kind: fc.constantFrom('deposit', 'withdraw', 'transfer'), from: some, to: some, amount });
  fc.assert(
    fc.property(steps(booking), (bookings) => {
      const stand = new Stand(ledger());
      const model: Record<string, number> = { a: 0, b: 0, c: 0 };
      for (const { kind, from, to, amount: sum } of bookings) {
        const before = model[from] ?? 0;
        const isEnough = before >= sum;
        if (kind === 'deposit') {
          model[from] = before + sum;
          expect(stand.run({ type: kind, account: from, amount: sum })).toBe(model[from]);
        } else {
          expect(stand.run({ type: kind, account: from, from, to, amount: sum })).toBe(isEnough);
          if (isEnough) model[from] = before - sum;
          if (isEnough && kind === 'transfer') model[to] = (model[to] ?? 0) + sum;
        }
        for (const account of ['a', 'b', 'c']) expect(stand.ask('balance', account)).toBe(model[account]);
        expect(stand.ask('total')).toBe(Object.values(model).reduce((all, one) => all + one, 0));
      }
    }),
    RUNS,
  );
});

test('ledger: what cannot be booked changes nothing', () => {
  const stand = new Stand(ledger());
  stand.run({ type: 'deposit', account: 'a', amount: 5 });
  for (const bad of [-1, 0, 0.5, Number.NaN, '1', null, Number.MAX_SAFE_INTEGER]) {
    expect(() => stand.run({ type: 'deposit', account: 'a', amount: bad })).toThrow('whole number');
    if (bad !== Number.MAX_SAFE_INTEGER) expect(() => stand.run({ type: 'transfer', from: 'a', to: 'b', amount: bad })).toThrow();
  }
  expect(() => stand.run({ type: 'deposit', account: '', amount: 1 })).toThrow('text');
  expect(() => stand.run({ type: 'transfer', from: 'a', to: 'x'.repeat(257), amount: 1 })).toThrow('text');
  expect([stand.ask('total'), stand.ask('balance', 'a')]).toEqual([5, 5]);
});

test('work queue: each job completed once or dead after its last attempt, at most one claim at a time', async () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'claim', 'claim', 'complete', 'fail', 'snapshot'),
    pick: fc.nat(8),
    ttlMs: amount,
    wait: fc.nat(4),
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps(step), async (attempts, calls) => {
      const stand = new Stand(workQueue<string>({ attempts }));
      const tries = new Map<number, number>();
      const over = new Set<number>();
      const claims: { id: number; token: number; until: number }[] = [];
      for (const { kind, pick, ttlMs, wait } of calls) {
        stand.now += wait;
        const live = (id: number) => claims.filter((one) => one.id === id && one.until > stand.now);
        if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'add') tries.set(Number(stand.run({ type: 'add', payload: 'p' })), 0);
        else if (kind === 'claim') {
          const got = stand.run({ type: 'claim', worker: 'w', ttlMs }) as (typeof claims)[number] & { attempt: number };
          const free = [...tries].filter(([id, n]) => !over.has(id) && n < attempts && live(id).length === 0);
          expect(got === undefined).toBe(free.length === 0);
          if (got === undefined) continue;
          expect(free.map(([id]) => id)).toContain(got.id);
          expect(got.token).toBeGreaterThan(claims.at(-1)?.token ?? 0);
          tries.set(got.id, got.attempt);
          claims.push({ ...got });
        } else {
          const one = claims[pick % (claims.length || 1)];
          if (one === undefined) continue;
          const isHeld = one.until > stand.now;
          expect(stand.run({ type: kind, id: one.id, token: one.token, reason: 'r' })).toBe(isHeld);
          if (isHeld && kind === 'complete') over.add(one.id);
          one.until = 0;
        }
      }
      const { waiting, claimed, dead } = stand.ask('counts') as Record<'waiting' | 'claimed' | 'dead', number>;
      expect(waiting + claimed + dead + over.size).toBe(tries.size);
    }),
    RUNS,
  );
});

test('a bad lease, owner or token refuses and leaves the token as it was', () => {
  const stand = new Stand(locks());
  for (const ttlMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001, '5'])
    expect(() => stand.run({ type: 'acquire', name: 'a', owner: 'me', ttlMs })).toThrow('ttlMs');
  expect(() => stand.run({ type: 'acquire', name: 'a', owner: { toString: 'me' }, ttlMs: 5 })).toThrow('owner');
  expect(stand.run({ type: 'acquire', name: 'a', owner: 'me', ttlMs: 5 })).toMatchObject({ token: 1 });
});

test('options out of bounds are told where they are given', () => {
  for (const bad of [0, 1.5, Number.NaN, 1_000_000]) {
    expect(() => semaphore({ permits: bad })).toThrow('permits');
    expect(() => workQueue({ attempts: bad })).toThrow('attempts');
  }
});
