/** List, once-only tasks and key space against naive models, over random commands, times and snapshots. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compose,
  type KeyEvent,
  keySpace,
  list,
  type OnceAnswer,
  once,
  type Transacted,
  uniqueNames,
  use,
  watchKeys,
} from '../../src/structures/index.ts';
import { HISTORY_MAX, type KeyState } from '../../src/structures/key-space.ts';
import { Stand } from './stand.ts';

const RUNS = { numRuns: 150 };
const some = fc.constantFrom('a', 'b', 'c');
const steps = <T>(step: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(step, { maxLength: 60, size: 'max' });

test('list: as an array of ids, over moves, deletions and snapshots', async () => {
  const step = fc.record({
    kind: fc.constantFrom('insert', 'move', 'delete', 'set', 'snapshot'),
    id: fc.integer({ min: 1, max: 12 }),
    beside: fc.option(fc.integer({ min: 1, max: 12 })),
    isBefore: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(steps(step), async (given) => {
      const stand = new Stand(list<string>());
      let model: { id: number; value: string }[] = [];
      let last = 0;
      for (const { kind, id, beside, isBefore } of given) {
        const place = beside === null ? {} : isBefore ? { before: beside } : { after: beside };
        const without = model.filter((item) => item.id !== id);
        const item = model.find((one) => one.id === id);
        const put = (items: typeof model, made: { id: number; value: string }): typeof model | undefined => {
          const at = items.findIndex((one) => one.id === beside);
          if (beside === null) return [...items, made];
          return at < 0 ? undefined : items.toSpliced(isBefore ? at : at + 1, 0, made);
        };
        if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'insert') {
          const next = put(model, { id: last + 1, value: `v${last + 1}` });
          expect(stand.run({ type: 'insert', value: `v${last + 1}`, ...place })).toBe(next === undefined ? undefined : last + 1);
          if (next !== undefined) [model, last] = [next, last + 1];
        } else if (kind === 'move') {
          const next = item === undefined ? undefined : beside === id ? model : put(without, item);
          expect(stand.run({ type: 'move', id, ...place })).toBe(next !== undefined);
          model = next ?? model;
        } else if (kind === 'delete') {
          expect(stand.run({ type: 'delete', id })).toBe(item !== undefined);
          model = without;
        } else {
          expect(stand.run({ type: 'set', id, value: 'new' })).toBe(item !== undefined);
          if (item !== undefined) item.value = 'new';
        }
        expect(stand.ask('items')).toEqual(model);
        expect(stand.ask('size')).toBe(model.length);
      }
    }),
    RUNS,
  );
  expect(() => new Stand(list()).run({ type: 'insert', value: 1, before: 1, after: 2 })).toThrow('two places');
});

test('once: one result per task, one claim at a time, whatever expires', async () => {
  const step = fc.record({
    kind: fc.constantFrom('claim', 'finish', 'abandon', 'forget', 'wait', 'snapshot'),
    task: some,
    token: fc.nat(6),
  });
  await fc.assert(
    fc.asyncProperty(steps(step), async (given) => {
      const stand = new Stand(once<string>());
      const results = new Map<string, string>();
      const claims = new Map<string, { token: number; until: number }>();
      let lastToken = 0;
      for (const [i, { kind, task, token }] of given.entries()) {
        const claim = claims.get(task);
        if (kind === 'wait') stand.now += 60;
        else if (kind === 'snapshot') await stand.overSnapshot();
        else if (kind === 'claim') {
          const answer = stand.run({ type: 'claim', task, owner: 'me', ttlMs: 100 }) as OnceAnswer<string>;
          if (results.has(task)) expect(answer).toEqual({ kind: 'done', result: results.get(task) });
          else if (claim !== undefined && claim.until > stand.now) expect(answer).toEqual({ kind: 'busy', until: claim.until });
          else {
            lastToken += 1;
            claims.set(task, { token: lastToken, until: stand.now + 100 });
            expect(answer).toEqual({ kind: 'claimed', token: lastToken, until: stand.now + 100 });
          }
        } else if (kind === 'forget') {
          expect(stand.run({ type: 'forget', task })).toBe(results.delete(task));
        } else {
          const mine = Math.max(1, token);
          const holds = claim?.token === mine;
          const command =
            kind === 'finish' ? { type: 'finish', task, token: mine, result: `r${i}` } : { type: 'abandon', task, token: mine };
          expect(stand.run(command)).toBe(holds);
          if (!holds) continue;
          claims.delete(task);
          if (kind === 'finish') results.set(task, `r${i}`);
        }
        for (const name of ['a', 'b', 'c']) {
          const done = results.has(name) ? { kind: 'done', result: results.get(name) } : undefined;
          expect(stand.ask('result', name)).toEqual(done);
        }
      }
    }),
    RUNS,
  );
});

test('key space: transactions do all or the other, revisions grow by one, and of two who compare one succeeds', async () => {
  const operation = fc.oneof(fc.record({ put: some, value: fc.nat(9) }), fc.record({ delete: some }), fc.record({ get: some }));
  const compare = fc.record({
    key: some,
    target: fc.constantFrom('version', 'created', 'modified'),
    is: fc.constantFrom('=', '!=', '<', '>'),
    to: fc.nat(5),
  });
  const transaction = fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(operation, { maxLength: 3 }),
    failure: fc.array(operation, { maxLength: 3 }),
  });
  type Entry = { value: number; created: number; modified: number; version: number };
  await fc.assert(
    fc.asyncProperty(steps(fc.option(transaction)), async (given) => {
      const stand = new Stand(keySpace<number>());
      const model = new Map<string, Entry>();
      let revision = 0;
      for (const one of given) {
        if (one === null) {
          await stand.overSnapshot();
          continue;
        }
        const succeeded = one.compare.every(({ key, target, is, to }) => {
          const actual = model.get(key)?.[target as 'version'] ?? 0;
          return is === '=' ? actual === to : is === '!=' ? actual !== to : is === '<' ? actual < to : actual > to;
        });
        let changed = false;
        const found = (succeeded ? one.success : one.failure).map((op) => {
          const key = 'put' in op ? op.put : 'delete' in op ? op.delete : op.get;
          const before = model.get(key);
          if ('put' in op) {
            const created = before?.created ?? revision + 1;
            model.set(key, { value: op.value, created, modified: revision + 1, version: (before?.version ?? 0) + 1 });
            changed = true;
          } else if ('delete' in op && model.delete(key)) changed = true;
          return before;
        });
        if (changed) revision += 1;
        expect(stand.run({ type: 'transact', ...one }) as Transacted<number>).toEqual({ succeeded, revision, found });
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => ({ key, ...entry }));
        expect(stand.ask('range', { prefix: '' })).toEqual(sorted);
      }
    }),
    RUNS,
  );
  const stand = new Stand(keySpace<number>());
  expect(() =>
    stand.run({
      type: 'transact',
      success: [
        { put: 'a', value: 1 },
        { put: '', value: 2 },
      ],
    }),
  ).toThrow('1 to 256');
  expect([stand.ask('get', 'a'), stand.ask('revision')]).toEqual([undefined, 0]);
  expect(() => stand.run({ type: 'transact', compare: [{ key: 'a', target: 'value', is: '=', to: 1 }] })).toThrow('target is');
  expect(() => stand.run({ type: 'transact', success: Array.from({ length: 200 }, () => ({ get: 'a' })) })).toThrow('0 to 128');
});

test('a watcher of keys hears of each change once and in order, and of having missed some', () => {
  const stand = new Stand(keySpace<number>());
  const listeners = new Set<() => void>();
  const node = {
    peek: <R>(select: (state: Readonly<KeyState<number>>) => R): R => stand.machine.publish(select(stand.machine.view)),
    subscribe: (_select: unknown, listener: (value: never) => void) => {
      const tell = (): void => listener(undefined as never);
      listeners.add(tell);
      return () => void listeners.delete(tell);
    },
  };
  const heard: KeyEvent<number>[] = [];
  stand.run({ type: 'put', key: 'app/old', value: 0 });
  const end = watchKeys(
    node,
    (state: Readonly<KeyState<number>>) => state,
    { prefix: 'app/' },
    (event: KeyEvent<number>) => heard.push(event),
  );
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  stand.run({ type: 'put', key: 'app/a', value: 1 });
  stand.run({ type: 'put', key: 'other', value: 1 });
  stand.run({ type: 'delete', key: 'app/a' });
  tell();
  tell();
  expect(heard.map((event) => (event.kind === 'change' ? [event.revision, event.key, event.entry?.value] : event.kind))).toEqual([
    [2, 'app/a', 1],
    [4, 'app/a', undefined],
  ]);
  for (let i = 0; i <= HISTORY_MAX; i++) stand.run({ type: 'put', key: `app/${i % 5}`, value: i });
  tell();
  expect(heard.at(-1)).toEqual({ kind: 'missed', revision: 4 + HISTORY_MAX + 1 });
  end();
  stand.run({ type: 'put', key: 'app/a', value: 1 });
  tell();
  expect(heard).toHaveLength(3);
});

test('a handle speaks the words of its part', async () => {
  const machine = compose({ seats: uniqueNames(), todo: list<string>() });
  const stand = new Stand(machine);
  const node = {
    propose: async (command: never) => stand.run(command),
    query: async (name: never, ...given: never[]) => stand.ask(name, given[0]),
  };
  const seats = use(node, machine, 'seats');
  const todo = use(node, machine, 'todo');
  const isMine: boolean = await seats.claim({ name: 'A1', owner: 'ann' });
  const owner: string | undefined = await seats.ask.owner('A1');
  const id: number | undefined = await todo.insert({ value: 'milk' });
  expect([isMine, owner, id, await todo.ask.items()]).toEqual([true, 'ann', 1, [{ id: 1, value: 'milk' }]]);
  // @ts-expect-error not a word of this part
  expect(seats.insert).toBeUndefined();
});
