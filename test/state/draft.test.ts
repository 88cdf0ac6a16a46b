/** What a failed command leaves behind, and what a reader holds: nothing, and nothing that changes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Draft } from '../../src/state/draft.ts';

interface State {
  kv: Record<string, unknown>;
  list: unknown[];
  map: Map<string, unknown>;
  set: Set<unknown>;
  bytes: Uint8Array;
  day: Date;
}

function initial(): State {
  return {
    kv: { a: { n: 1 }, b: { n: 2 }, c: [1, 2, 3] },
    list: [{ n: 1 }, { n: 2 }, 3],
    map: new Map<string, unknown>([
      ['x', { n: 1 }],
      ['y', new Map([['deep', 1]])],
    ]),
    set: new Set([1, 2, 3]),
    bytes: Uint8Array.of(1, 2, 3),
    day: new Date(5),
  };
}

type Step = (state: State) => void;
const name = fc.constantFrom('a', 'b', 'c', 'x', 'y', 'z');
const value = fc.oneof(fc.integer(), fc.record({ n: fc.integer() }), fc.array(fc.integer(), { maxLength: 3 }));

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, value).map(
    ([key, v]): Step =>
      (s) => {
        s.kv[key] = v;
      },
  ),
  name.map(
    (key): Step =>
      (s) => {
        delete s.kv[key];
      },
  ),
  name.map(
    (key): Step =>
      (s) => {
        const item = s.kv[key];
        if (item !== null && typeof item === 'object' && 'n' in item) item.n = 99;
      },
  ),
  value.map(
    (v): Step =>
      (s) => {
        s.list.push(v);
      },
  ),
  fc.constant<Step>((s) => {
    s.list.pop();
  }),
  fc.constant<Step>((s) => {
    s.list.reverse();
  }),
  fc.tuple(fc.nat(4), fc.nat(3), value).map(
    ([at, count, v]): Step =>
      (s) => {
        s.list.splice(at, count, v);
      },
  ),
  fc.nat(5).map(
    (length): Step =>
      (s) => {
        s.list.length = length;
      },
  ),
  fc.tuple(name, value).map(
    ([key, v]): Step =>
      (s) => {
        s.map.set(key, v);
      },
  ),
  name.map(
    (key): Step =>
      (s) => {
        s.map.delete(key);
      },
  ),
  fc.constant<Step>((s) => {
    const inner = s.map.get('y');
    if (inner instanceof Map) inner.set('more', inner.size);
  }),
  fc.constant<Step>((s) => {
    s.map.clear();
  }),
  fc.nat(5).map(
    (v): Step =>
      (s) => {
        s.set.add(v);
      },
  ),
  fc.nat(5).map(
    (v): Step =>
      (s) => {
        s.set.delete(v);
      },
  ),
  fc.nat(2).map(
    (at): Step =>
      (s) => {
        s.bytes[at] = 77;
      },
  ),
  fc.constant<Step>((s) => {
    s.day.setTime(9);
  }),
  fc.constant<Step>((s) => {
    s.kv['moved'] = s.list[0];
    s.list = s.list.filter((_, i) => i > 0);
  }),
);

/** All that can be seen of a state, the order of keys as well. */
function seen(state: unknown): string {
  return JSON.stringify(state, (_key, v: unknown) => {
    if (v instanceof Map) return { map: [...v] };
    if (v instanceof Set) return { set: [...v] };
    return v instanceof Uint8Array ? [...v] : v;
  });
}

function runAll(draft: Draft<State>, steps: readonly Step[]): void {
  draft.run((state) => {
    for (const run of steps) run(state);
  });
}

describe('W9', () => {
  test('commands that succeed change the state as they would without a draft', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 6 }), (commands) => {
        const draft = new Draft(initial(), false);
        const model = initial();
        for (const steps of commands) {
          runAll(draft, steps);
          for (const run of steps) run(model);
        }
        expect(seen(draft.state)).toBe(seen(model));
      }),
    );
  });

  test('a command that throws leaves the state as it was, in the same order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.array(step, { maxLength: 8 }), (before, failing) => {
        const draft = new Draft(initial(), false);
        runAll(draft, before);
        const was = seen(draft.state);
        const fail = (): void => {
          throw new Error('refused');
        };
        expect(() => runAll(draft, [...failing, fail])).toThrow('refused');
        expect(seen(draft.state)).toBe(was);
      }),
    );
  });
});

describe('readers', () => {
  test('what a reader holds does not change, and is the same as long as it says the same', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 6 }), (commands) => {
        const draft = new Draft(initial(), true);
        let held = draft.publish(draft.state);
        for (const steps of commands) {
          const text = seen(held);
          runAll(draft, steps);
          expect(seen(held)).toBe(text);
          const next = draft.publish(draft.state);
          expect(seen(next)).toBe(seen(draft.state));
          if (next !== held) expect(next.kv === held.kv ? seen(next.kv) : '').toBe(next.kv === held.kv ? seen(held.kv) : '');
          else expect(seen(next)).toBe(text);
          held = next;
        }
      }),
    );
  });

  test('what has not changed is the same reference, what has is another', () => {
    const draft = new Draft(initial(), true);
    const before = draft.publish(draft.state);
    draft.run((state) => state.list.push(4));
    const after = draft.publish(draft.state);
    expect(after).not.toBe(before);
    expect(after.list).not.toBe(before.list);
    expect(after.kv).toBe(before.kv);
    expect(after.list[0]).toBe(before.list[0]);
  });

  test('whoever tries to change what it was given is told, and changes nothing', () => {
    const draft = new Draft(initial(), true);
    const held = draft.publish(draft.state);
    expect(() => {
      held.kv['a'] = 0;
    }).toThrow(TypeError);
    held.map.set('x', 0);
    held.bytes[0] = 9;
    expect(seen(draft.state)).toBe(seen(initial()));
  });

  test('a copy in place of the state is followed anew', () => {
    const draft = new Draft(initial(), false);
    const before = draft.publish(draft.state);
    draft.replace(initial());
    expect(draft.publish(draft.state)).not.toBe(before);
  });

  test('a selector sees everything and can change nothing; what it answers is a copy', () => {
    const draft = new Draft(initial(), true);
    const { view } = draft;
    const tries: ((state: State) => unknown)[] = [
      (s) => Object.assign(s.kv, { a: 0 }),
      (s) => s.list.push(1),
      (s) => s.list.sort(),
      (s) => s.map.set('x', 0),
      (s) => s.map.clear(),
      (s) => s.set.add(9),
      (s) => delete s.kv['a'],
      (s) => Object.assign(s.map.get('x') as object, { n: 9 }),
      (s) => [...s.map.values()].forEach((item) => void Object.assign(item as object, { n: 9 })),
      (s) => s.map.forEach((item) => void Object.assign(item as object, { n: 9 })),
    ];
    for (const attempt of tries) expect(() => attempt(view)).toThrow(TypeError);
    expect(seen(draft.state)).toBe(seen(initial()));
    expect(seen(draft.publish(view))).toBe(seen(initial()));
    expect(seen(draft.publish({ found: view.list[0], all: [...view.map] }))).toBe(
      seen({ found: initial().list[0], all: [...initial().map] }),
    );
    expect(draft.publish(view.kv)).toBe(draft.publish(draft.state).kv);
  });

  test('constants of the application may be put into the state, and are not changed there', () => {
    const constant = Object.freeze({ deep: Object.freeze({ list: Object.freeze([{ n: 1 }]) }) });
    const draft = new Draft<{ item: unknown }>({ item: constant }, true);
    interface Held {
      item: { deep: { list: { n: number }[] } };
    }
    draft.run((state) => {
      const held = state as Held;
      held.item.deep.list.push({ n: 2 });
    });
    draft.run((state) => {
      state.item = [state.item, constant];
    });
    expect(seen(draft.state)).toBe(seen({ item: [{ deep: { list: [{ n: 1 }, { n: 2 }] } }, constant] }));
    expect(constant.deep.list).toHaveLength(1);
  });
});
