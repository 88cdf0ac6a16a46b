/** The log in memory that comes with the core: three nodes over it, with snapshots and restarts, by its public names alone. */
import { expect, test } from 'vitest';
import {
  EMPTY_CONF,
  MemoryLog,
  type Message,
  makeConfig,
  makeEntry,
  NO_LIMIT,
  RawNode,
  seededRandom,
} from '../../src/core/index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);
const IDS = ['a', 'b', 'c'];
const CONF = { ...EMPTY_CONF, voters: IDS };

/** Nodes whose machine is the text of all commands; messages arrive at once, to those that are there. */
class Three {
  readonly logs = new Map<string, MemoryLog>(IDS.map((id) => [id, new MemoryLog(CONF)]));
  readonly nodes = new Map<string, RawNode>();
  readonly texts = new Map<string, string>();

  constructor() {
    for (const id of IDS) this.start(id);
  }

  log(id: string): MemoryLog {
    const log = this.logs.get(id);
    if (log === undefined) throw new Error(`no log of ${id}`);
    return log;
  }

  node(id: string): RawNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`${id} is not there`);
    return node;
  }

  start(id: string): void {
    const config = makeConfig({ id, random: seededRandom(id.charCodeAt(0)), asyncStorageWrites: false });
    const log = this.log(id);
    this.nodes.set(id, new RawNode(config, log, log.initial()));
    this.texts.set(id, textOf(log.snapshot().data));
  }

  work(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [id, node] of this.nodes) {
        if (!node.hasReady()) continue;
        moved = true;
        const ready = node.ready();
        this.log(id).write(ready);
        if (ready.snapshot !== undefined) this.texts.set(id, textOf(ready.snapshot.data));
        for (const { data } of ready.committedEntries) this.texts.set(id, `${this.texts.get(id)}${textOf(data)}`);
        node.advance();
        this.#deliver([...ready.messages, ...ready.messagesAfterPersist.filter(({ to }) => to !== id)]);
      }
    }
  }

  #deliver(messages: readonly Message[]): void {
    for (const message of messages) this.nodes.get(message.to)?.step(message);
  }

  propose(id: string, text: string): void {
    expect(this.node(id).propose([bytes(text)]).ok).toBe(true);
    this.work();
  }
}

test('three nodes agree over it, restart from it, and one that lags behind a snapshot is brought up by that', () => {
  const three = new Three();
  three.node('a').campaign();
  three.work();
  three.propose('a', 'x');
  three.nodes.delete('c');
  for (const text of ['y', 'z']) three.propose('a', text);
  // What the machine of the leader is now; all but the last entry is dropped.
  const { commit } = three.log('a').hardState;
  const term = three.log('a').term(commit);
  if (typeof term !== 'number') throw new Error('the last entry is not there');
  three.log('a').compact({ index: commit, term, conf: CONF, data: bytes('xyz') }, commit - 1);
  expect(three.log('a').term(commit - 2)).toBe('compacted');
  expect(three.log('a').entries(commit, commit + 1, NO_LIMIT)).toHaveLength(1);
  three.start('c');
  expect(three.texts.get('c')).toBe('');
  for (let i = 0; i < 40 && three.texts.get('c') !== 'xyz'; i++) {
    three.node('a').tick();
    three.work();
  }
  expect(IDS.map((id) => three.texts.get(id))).toEqual(['xyz', 'xyz', 'xyz']);
  expect(three.log('c').snapshot()).toMatchObject({ index: commit, term });
  // All of them end, and go on from what they had written.
  for (const id of IDS) three.start(id);
  three.node('b').campaign();
  three.work();
  three.propose('b', 'w');
  expect(IDS.map((id) => three.texts.get(id))).toEqual(['xyzw', 'xyzw', 'xyzw']);
});

test('what would leave a hole, or is not of this log, is refused with a code, and changes nothing', () => {
  const log = new MemoryLog(CONF);
  const entry = (index: number, term = 1, text = '') => makeEntry(index, term, 'normal', 0, bytes(text), undefined);
  const write = (...entries: readonly ReturnType<typeof entry>[]): void =>
    log.write({ snapshot: undefined, entries, hardState: { term: 2, vote: '', commit: 2 } });
  write(entry(1), entry(2), entry(3));
  const refused = expect.objectContaining({ code: 'invalid-argument' });
  for (const wrong of [[entry(5)], [entry(0)], [entry(2, 9), entry(4, 9)]]) expect(() => write(...wrong)).toThrow(refused);
  expect([log.firstIndex(), log.lastIndex(), log.term(2), log.term(4)]).toEqual([1, 3, 1, 'unavailable']);
  const snapshot = { index: 2, term: 1, conf: CONF, data: undefined };
  for (const [meta, upTo] of [
    [{ ...snapshot, term: 2 }, 2],
    [{ ...snapshot, index: 3 }, 3],
    [snapshot, 3],
  ] as const)
    expect(() => log.compact(meta, upTo)).toThrow(refused);
  log.compact(snapshot, 1);
  expect(() => log.compact({ ...snapshot, index: 1 }, 1)).toThrow(refused);
  expect(() => log.compact(snapshot, 0)).toThrow(refused);
  expect(() => write(entry(1))).toThrow(refused);
  expect([log.firstIndex(), log.lastIndex(), log.term(1), log.term(0)]).toEqual([2, 3, 1, 'compacted']);
  // At least one entry, then as many as fit.
  write(entry(3, 2, 'long'), entry(4, 2, 'long'));
  expect(log.entries(3, 5, 1)).toHaveLength(1);
  expect(log.entries(3, 5, 8)).toHaveLength(2);
  expect(log.entries(5, 6, 8)).toBe('unavailable');
  expect(log.entries(1, 3, 8)).toBe('compacted');
  expect([log.term(3), log.initial()]).toEqual([2, { hardState: { term: 2, vote: '', commit: 2 }, conf: CONF, applied: 2 }]);
});
