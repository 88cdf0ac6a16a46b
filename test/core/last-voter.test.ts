/** The last voter (docs/CORE.md, rules A1 to A8, P1 to P3, S1): what the traces of the counterexamples do not show. */
import { describe, expect, test } from 'vitest';
import { SPENT } from '../../src/core/conf/node-id.ts';
import { makeConfig } from '../../src/core/config.ts';
import { PROXY_BYTES_MAX } from '../../src/core/limits.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import { type Message, makeEntry } from '../../src/core/types.ts';
import { change, TestCluster } from './cluster.ts';
import { Disk } from './disk.ts';

const config = { goesAlone: true, proxyVotes: true };

function pair(more: Partial<ConstructorParameters<typeof TestCluster>[0]> = {}): TestCluster {
  const cluster = new TestCluster({ voters: ['a', 'b'], config, ...more });
  cluster.elect('a');
  return cluster;
}

function kinds(messages: readonly Message[] | undefined): readonly string[] {
  return (messages ?? []).map(({ type }) => type);
}

describe('A4: what is decided alone', () => {
  test('is handed out as one write that has to be synced, and every later write carries the same commit index', () => {
    const cluster = pair();
    cluster.isolate('b');
    const a = cluster.member('a');
    a.holdsWrites = true;
    expect(a.node.goAlone()).toEqual({ ok: true, index: 2 });
    const first = a.node.ready();
    expect(first).toMatchObject({ mustSync: true, commitIndex: 1, hardState: { commit: 2 }, mark: { commitWith: 2 } });
    expect(first.entries.map(({ index }) => index)).toEqual([2]);
    // A term that rises meanwhile is written with a hard state of its own.
    a.node.step({
      type: 'append-response',
      from: 'b',
      to: 'a',
      term: 9,
      index: 0,
      reject: false,
      hintIndex: 0,
      hintTerm: 0,
      commit: 0,
    });
    const second = a.node.ready();
    expect(second).toMatchObject({ commitIndex: 1, hardState: { term: 9, commit: 2 }, mark: { commitWith: 2 } });
    expect(a.node.status()).toMatchObject({ role: 'follower', commitIndex: 1, aloneIndex: 2 });
    // It becomes true all the same, whatever the role is by then.
    if (first.mark !== undefined) a.node.persisted(first.mark);
    expect(a.node.status()).toMatchObject({ role: 'follower', commitIndex: 2, aloneIndex: 0 });
  });

  test('is not decided by a write that was begun before, which carries another commit index', () => {
    const cluster = pair();
    cluster.isolate('b');
    const a = cluster.member('a');
    a.holdsWrites = true;
    a.node.proposeConfChange(change('~d'));
    const earlier = a.node.ready();
    expect(a.node.goAlone()).toEqual({ ok: true, index: 2 });
    if (earlier.mark !== undefined) a.node.persisted(earlier.mark);
    expect(a.node.status().commitIndex).toBe(1);
    const deciding = a.node.ready();
    expect(deciding).toMatchObject({ mustSync: true, entries: [], hardState: { commit: 2 } });
    if (deciding.mark !== undefined) a.node.persisted(deciding.mark);
    expect(a.node.status().commitIndex).toBe(2);
  });

  test('holds where writes are not asynchronous', () => {
    const { node, disk } = new TestCluster({
      voters: ['a'],
      learners: ['b'],
      config: { ...config, asyncStorageWrites: false },
    }).member('a');
    const turn = (): void => {
      while (node.hasReady()) {
        const ready = node.ready();
        disk.write(ready);
        for (const entry of ready.committedEntries)
          if (entry.change !== undefined) disk.conf = node.applyConfChange(entry.change).conf;
        node.advance();
      }
    };
    node.campaign();
    turn();
    node.proposeConfChange(change('+b'));
    turn();
    expect(node.status().conf.voters).toEqual(['a', 'b']);
    expect(node.goAlone().ok).toBe(true);
    turn();
    expect(node.status()).toMatchObject({ conf: { voters: ['a'], learners: ['b'] }, copies: 1 });
    expect(disk.hardState.commit).toBe(node.status().lastIndex);
  });

  test('ends a transfer that is under way', () => {
    const cluster = pair();
    cluster.isolate('b');
    cluster.node('a').transferLeader('b');
    expect(cluster.node('a').goAlone().ok).toBe(true);
    expect(cluster.node('a').status().transferee).toBe('');
  });

  test('is not given up for a leader that shows something else in its place, nor for its snapshot', () => {
    for (const kind of ['append', 'snapshot'] as const) {
      const cluster = pair();
      cluster.isolate('b');
      const { node } = cluster.member('a');
      cluster.member('a').holdsWrites = true;
      node.goAlone();
      cluster.work('a');
      const head = { from: 'b', to: 'a', term: 7 };
      const forged: Message =
        kind === 'append'
          ? {
              ...head,
              type: 'append-request',
              prevIndex: 1,
              prevTerm: 1,
              commit: 1,
              entries: [makeEntry(2, 7, 'normal', 0, Uint8Array.of(1), undefined)],
            }
          : { ...head, type: 'snapshot-request', snapshot: { index: 2, term: 7, conf: node.status().conf, data: undefined } };
      expect(() => node.step(forged)).toThrow(expect.objectContaining({ code: 'log-conflict' }));
      expect(node.status()).toMatchObject({ lastIndex: 2, lastTerm: 1 });
    }
  });

  test('is not needed any more where a later snapshot covers it', () => {
    const cluster = pair();
    cluster.isolate('b');
    const { node } = cluster.member('a');
    cluster.member('a').holdsWrites = true;
    node.goAlone();
    const write = node.ready();
    node.step({
      type: 'snapshot-request',
      from: 'b',
      to: 'a',
      term: 7,
      snapshot: { index: 5, term: 7, conf: node.status().conf, data: undefined },
    });
    expect(node.status()).toMatchObject({ commitIndex: 5, aloneIndex: 0 });
    if (write.mark !== undefined) node.persisted(write.mark);
    expect(node.status().commitIndex).toBe(5);
  });
});

describe('A8: the seal', () => {
  test('waits for a transfer to end, since its target must hold the whole log', () => {
    const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config });
    cluster.elect('a');
    cluster.change('a', change('~c'));
    cluster.isolate('b');
    cluster.node('a').transferLeader('b');
    cluster.settle();
    expect(cluster.node('a').status()).toMatchObject({ conf: { voters: ['a', 'b'] }, lastIndex: 2, transferee: 'b' });
    cluster.heal();
    cluster.tick('a', 10);
    cluster.settle();
    expect(cluster.node('a').status().settled || cluster.node('b').status().settled).toBe(true);
  });

  test('is not written where it is switched off, nor by a leader that more than one other can do without', () => {
    for (const [voters, on] of [
      [['a', 'b', 'c', 'd'], true],
      [['a', 'b', 'c'], false],
    ] as const) {
      const cluster = new TestCluster({ voters, config: { goesAlone: on } });
      cluster.elect('a');
      cluster.change('a', change(`~${voters.at(-1)}`));
      cluster.settle();
      expect(cluster.node('a').status()).toMatchObject({ lastIndex: 2, settled: false });
    }
  });
});

describe('P1: a leader that leaves its vote', () => {
  test('ends: nothing comes in, and nothing goes out, also of what it had begun', () => {
    const cluster = pair();
    const { node } = cluster.member('a');
    cluster.propose('a', 'x');
    node.readIndex('r');
    const farewell = node.giveProxyVote(['b']);
    expect(kinds(farewell?.messages)).toEqual(['append-request', 'proxy-vote', 'timeout-now']);
    expect(node.hasReady()).toBe(false);
    const before = JSON.stringify(node.status());
    for (let i = 0; i < 50; i++) node.tick();
    node.campaign();
    node.step({
      type: 'vote-request',
      from: 'b',
      to: 'a',
      term: 2,
      pre: false,
      lastIndex: 9,
      lastTerm: 1,
      transfer: true,
      priority: 0,
      commit: 0,
      commitTerm: 0,
    });
    expect(node.propose([Uint8Array.of(1)])).toEqual({ ok: false, reason: 'no-leader' });
    expect(node.readIndex('again')).toEqual({ ok: false, reason: 'no-leader' });
    expect(node.inLease()).toBe(false);
    expect(JSON.stringify(node.status())).toBe(before);
    expect(node.hasReady()).toBe(false);
    // One vote for each life.
    expect(node.giveProxyVote(['b'])).toBeUndefined();
  });

  test('chooses who lacks the least; among equals the one that was preferred', () => {
    const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config });
    cluster.elect('a');
    expect(cluster.node('a').giveProxyVote(['c', 'b'])?.to).toBe('c');
    const behind = new TestCluster({ voters: ['a', 'b', 'c'], config });
    behind.elect('a');
    behind.cut('c', 'a');
    behind.propose('a', 'x');
    behind.settle();
    expect(behind.node('a').giveProxyVote(['c', 'b'])?.to).toBe('b');
  });

  test('sends all that is missing, in appends of their size; and gives up where it is more than a closing page can send', () => {
    const sized = (count: number): readonly Message[] | undefined => {
      const cluster = pair({ config: { ...config, maxAppendBytes: 16_384, maxInflightMessages: 1 } });
      cluster.cut('b', 'a');
      const data = new Uint8Array(8_000);
      for (let i = 0; i < count; i++) cluster.node('a').propose([data]);
      cluster.settle();
      return cluster.node('a').giveProxyVote(['b'])?.messages;
    };
    const messages = sized(Math.floor(PROXY_BYTES_MAX / 8_100));
    const sent = (messages ?? []).flatMap((message) => (message.type === 'append-request' ? message.entries : []));
    expect(sent.length).toBe(Math.floor(PROXY_BYTES_MAX / 8_100));
    expect(kinds(messages).filter((type) => type === 'append-request').length).toBeGreaterThan(2);
    expect(sized(Math.ceil(PROXY_BYTES_MAX / 8_000))).toBeUndefined();
  });
});

describe('P2: who is left a vote', () => {
  const vote: Message = { type: 'proxy-vote', from: 'a', to: 'b', term: 1, lastIndex: 1, lastTerm: 1, sealed: true };

  test('takes it from the leader it follows, for the log it has, and from nobody else', () => {
    const wrong: readonly Message[] = [
      { ...vote, from: 'c' },
      { ...vote, lastIndex: 2 },
      { ...vote, lastTerm: 0 },
      { ...vote, lastIndex: 0 },
    ];
    for (const message of wrong) {
      const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config });
      cluster.elect('a');
      cluster.isolate('b');
      cluster.receive(message);
      cluster.node('b').step(message);
      cluster.node('b').step({ type: 'timeout-now', from: 'a', to: 'b', term: 1 });
      cluster.settle();
      expect(cluster.node('b').status().role).toBe('candidate');
    }
  });

  test('campaigns as soon as a committed change is applied, and past PreVote when its own timeout comes first', () => {
    const cluster = pair({ voters: ['a', 'b'], learners: ['c'] });
    const b = cluster.node('b');
    cluster.change('a', change('+c'));
    cluster.work('a');
    cluster.deliver(({ to, type }) => to === 'b' && type === 'append-request');
    cluster.work('b');
    cluster.isolate('b');
    // The change is committed by what the leader sends last.
    b.step({ type: 'append-request', from: 'a', to: 'b', term: 1, prevIndex: 2, prevTerm: 1, commit: 2, entries: [] });
    b.step({ ...vote, lastIndex: 2 });
    b.step({ type: 'timeout-now', from: 'a', to: 'b', term: 1 });
    expect(b.status()).toMatchObject({ role: 'follower', term: 1 });
    cluster.settle();
    expect(b.status()).toMatchObject({ role: 'leader', term: 2 });

    const silent = pair();
    silent.isolate('b');
    silent.node('b').step(vote);
    silent.node('b').setElectionTimeout(10);
    silent.tick('b', 10);
    silent.settle();
    expect(silent.node('b').status()).toMatchObject({ role: 'leader', term: 2, settled: true });
  });

  test('asks who had left it when it has lost its office since: the vote was for one election', () => {
    const cluster = pair();
    const b = cluster.node('b');
    const given = cluster.node('a').giveProxyVote(['b']);
    expect(given?.to).toBe('b');
    cluster.crash('a');
    b.step({ ...vote, sealed: false });
    b.step({ type: 'timeout-now', from: 'a', to: 'b', term: 1 });
    cluster.settle();
    expect(b.status()).toMatchObject({ role: 'leader', term: 2, settled: false });
    cluster.tick('b', 40);
    cluster.settle();
    expect(b.status()).toMatchObject({ term: 2, leader: '' });
    cluster.restart('a');
    for (let i = 0; i < 40 && b.status().role !== 'leader'; i++) {
      cluster.tick('b');
      cluster.settle();
    }
    expect(b.status()).toMatchObject({ role: 'leader', term: 3 });
  });

  test('forgets it with the term it counts in, and never counts it for another', () => {
    const cluster = new TestCluster({ voters: ['a', 'b', 'c'], config });
    cluster.elect('a');
    cluster.isolate('b');
    const b = cluster.node('b');
    b.step(vote);
    b.step({ type: 'heartbeat-request', from: 'c', to: 'b', term: 2, commit: 0, round: 0 });
    cluster.settle();
    b.step({ type: 'timeout-now', from: 'c', to: 'b', term: 2 });
    cluster.settle();
    expect(b.status()).toMatchObject({ role: 'candidate', term: 3 });
  });
});

describe('the start rule: a node that voted for itself', () => {
  const start = (vote: string, proxyVotes: boolean): RawNode => {
    const disk = new Disk({ ...new Disk().conf, voters: ['a', 'b'] });
    disk.hardState = { term: 4, vote, commit: 0 };
    return new RawNode(makeConfig({ id: 'a', random: () => 0, checkInvariants: true, proxyVotes }), disk, {
      hardState: disk.hardState,
      conf: disk.conf,
      applied: 0,
    });
  };

  test('starts in the next term with its vote spent, and nobody else does', () => {
    expect(start('a', true).status()).toMatchObject({ term: 5, vote: SPENT });
    expect(start('a', true).ready()).toMatchObject({ mustSync: true, hardState: { term: 5, vote: SPENT } });
    for (const vote of ['', 'b', SPENT]) {
      expect(start(vote, true).status()).toMatchObject({ term: 4, vote });
      expect(start(vote, true).hasReady()).toBe(false);
    }
    expect(start('a', false).status()).toMatchObject({ term: 4, vote: 'a' });
  });

  test('still follows a leader of that term', () => {
    const node = start('a', true);
    node.step({
      type: 'append-request',
      from: 'b',
      to: 'a',
      term: 5,
      prevIndex: 0,
      prevTerm: 0,
      commit: 0,
      entries: [makeEntry(1, 5, 'normal', 0, new Uint8Array(), undefined)],
    });
    expect(node.status()).toMatchObject({ term: 5, leader: 'b', lastIndex: 1 });
  });

  test('needs terms to be durable before they are spoken in', () => {
    expect(() => makeConfig({ id: 'a', random: () => 0, proxyVotes: true, compat: { durableTermFirst: false } })).toThrow(
      'durableTermFirst',
    );
  });
});
