/** What a node says of itself while it works: each event where it belongs, with what belongs in it. */
import { describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config.ts';
import { RaftError } from '../../src/core/errors.ts';
import type { TraceEvent } from '../../src/core/trace.ts';
import { type ClusterSetup, change, TestCluster } from './cluster.ts';
import { append, appendAnswer, entry, heartbeat, voteAnswer, voteAsk } from './messages.ts';

interface Traced {
  readonly cluster: TestCluster;
  /** What happened while `act` ran, without the coming and going of messages unless asked for. */
  during(act: () => void, kinds?: readonly TraceEvent['kind'][]): TraceEvent[];
}

function traced(setup: ClusterSetup, config: Partial<ConfigInput> = {}): Traced {
  const events: TraceEvent[] = [];
  const cluster = new TestCluster({ ...setup, config: { ...config, trace: (event) => events.push(event) } });
  return {
    cluster,
    during(act, kinds) {
      events.length = 0;
      act();
      const chosen = (kind: TraceEvent['kind']): boolean =>
        kinds === undefined ? kind !== 'received' && kind !== 'sent' : kinds.includes(kind);
      return events.filter(({ kind }) => chosen(kind));
    },
  };
}

const pair = { voters: ['a', 'b'] };
const abc = { voters: ['a', 'b', 'c'] };

/** `kind key:value …`; of a message only its type, of a configuration only its voters and learners. */
function line({ kind, ...fields }: TraceEvent): string {
  const said = Object.entries(fields).map(([key, value]) => {
    if (typeof value !== 'object') return `${key}:${value}`;
    if ('type' in value) return value.type;
    if ('context' in value && 'rejected' in value) return `${value.context}@${value.index} rejected:${value.rejected}`;
    return `${value.voters.join('')}/${value.learners.join('')}`;
  });
  return [kind, ...said].join(' ');
}

describe('the trace says', () => {
  test('how an election goes, and what the first entry of the new leader does', () => {
    const { cluster, during } = traced(pair);
    expect(during(() => cluster.elect('a')).map(line)).toEqual([
      'role role:pre-candidate term:0 leader: why:timeout',
      'campaign pre:true transfer:false term:1',
      'persist index:0 term:0 stale:false',
      'vote candidate:a term:1 pre:true granted:true',
      'persist index:0 term:0 stale:false',
      'role role:candidate term:1 leader: why:campaign',
      'campaign pre:false transfer:false term:1',
      'persist index:0 term:0 stale:false',
      'role role:follower term:1 leader: why:higher term',
      'vote candidate:a term:1 pre:false granted:true',
      'persist index:0 term:0 stale:false',
      'role role:leader term:1 leader:a why:elected',
      'append first:1 last:1 term:1',
      'persist index:1 term:1 stale:false',
      'leader leader:a term:1',
      'append first:1 last:1 term:1',
      'persist index:1 term:1 stale:false',
      'progress peer:b state:replicate match:1 next:2',
      'commit index:1',
      'apply index:1',
      'persist index:0 term:0 stale:false',
      'commit index:1',
      'apply index:1',
      'persist index:0 term:0 stale:false',
    ]);
  });

  test('what is appended, committed and applied, and every configuration, on each node', () => {
    const { cluster, during } = traced(pair);
    cluster.elect('a');
    const events = during(() => {
      cluster.propose('a', 'x', 'y');
      cluster.change('a', change('~c'));
      cluster.settle();
    });
    const applied = ['commit index:4', 'apply index:2', 'apply index:3', 'conf ab/c', 'apply index:4'];
    expect(events.map(line)).toEqual([
      'append first:2 last:3 term:1',
      'append first:4 last:4 term:1',
      'persist index:4 term:1 stale:false',
      'append first:2 last:4 term:1',
      'persist index:4 term:1 stale:false',
      ...applied,
      'persist index:0 term:0 stale:false',
      ...applied,
      'persist index:0 term:0 stale:false',
    ]);
    expect(during(() => cluster.node('a').applyConfChange(change('-a', '-b', '-c'))).map(line)).toEqual([
      'conf-refused why:removed all voters',
    ]);
  });

  test('whom a follower follows, what it takes over, and what it throws away', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    const b = cluster.node('b');
    const lines = (act: () => void): string[] => during(act).map(line);
    expect(lines(() => b.forgetLeader())).toEqual(['leader leader: term:1']);
    expect(lines(() => b.forgetLeader())).toEqual([]);
    expect(lines(() => b.propose([new Uint8Array(1), new Uint8Array(1)]))).toEqual(['propose-dropped why:no-leader count:2']);
    const empty = append({ prevIndex: 1, prevTerm: 1, commit: 1 });
    expect(lines(() => b.step(empty))).toEqual(['leader leader:a term:1']);
    expect(lines(() => b.step(empty))).toEqual([]);
    const two = append({ prevIndex: 1, prevTerm: 1, entries: [entry(2, 1), entry(3, 1)] });
    expect(lines(() => b.step(two))).toEqual(['append first:2 last:3 term:1']);
    expect(lines(() => b.step(two))).toEqual([]);
    const other = append({ from: 'c', term: 2, prevIndex: 1, prevTerm: 1, entries: [entry(2, 2)] });
    expect(lines(() => b.step(other))).toEqual([
      'role role:follower term:2 leader:c why:higher term',
      'truncate from:2',
      'append first:2 last:2 term:2',
    ]);
    expect(lines(() => b.step(other))).toEqual([]);
  });

  test('which messages come to nothing, and why', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    const dropped = (id: string, message: Parameters<typeof cluster.receive>[0]): string[] =>
      during(() => cluster.node(id).step(message)).map(line);
    expect(dropped('b', voteAsk({ term: 9 }))).toEqual(['vote-ignored candidate:c term:9']);
    expect(dropped('b', voteAsk({ term: 0.5 }))).toEqual(['dropped vote-request why:of an earlier term']);
    expect(dropped('b', voteAnswer({ from: 'c', to: 'b' }))).toEqual(['dropped vote-response why:not asked for']);
    expect(dropped('b', appendAnswer({ from: 'c', to: 'b' }))).toEqual(['dropped append-response why:not the leader']);
    expect(dropped('a', voteAnswer({ from: 'c', to: 'a' }))).toEqual(['dropped vote-response why:elected already']);
    expect(dropped('a', appendAnswer({ index: 99 }))).toEqual(['dropped append-response why:past the end of the log']);
    expect(dropped('a', heartbeat({ from: 'b', to: 'a' }))).toEqual([
      'dropped heartbeat-request why:one leader per term, and it is this one',
    ]);
    expect(dropped('a', { type: 'timeout-now', from: 'b', to: 'a', term: 1 })).toEqual([
      'dropped timeout-now why:leading already',
    ]);
    expect(dropped('a', { type: 'transfer-refused', from: 'x', to: 'a', term: 1 })).toEqual([
      'dropped transfer-refused why:not a member',
    ]);
    expect(during(() => cluster.node('a').campaign()).map(line)).toEqual(['campaign-refused why:leader']);
  });

  test('that a quorum was lost, and that the leader went', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    expect(during(() => cluster.tick('a', 20)).map(line)).toEqual([
      'quorum-lost term:1',
      'role role:follower term:1 leader: why:quorum lost',
    ]);
  });

  test('that a leader contradicted what is committed, and that it is not heard then', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    const c = cluster.node('c');
    const lines = during(() => {
      expect(() => c.step(append({ to: 'c', entries: [entry(1, 9)] }))).toThrow(RaftError);
      c.step(heartbeat({ to: 'c' }));
    });
    expect(lines.map(line)).toEqual([
      'leader leader: term:1',
      'contradicted leader:a index:1 term:9 committed:1',
      'dropped heartbeat-request why:its leader contradicted what is committed',
    ]);
  });

  test('every message that leaves, in which lane, and every one that arrives', () => {
    const { cluster, during } = traced(pair);
    const sent = during(() => cluster.elect('a'), ['sent']);
    const kinds = (afterPersist: boolean): (string | undefined)[] =>
      sent.map((event) => (event.kind === 'sent' && event.afterPersist === afterPersist ? event.message.type : undefined));
    expect(kinds(false).filter((type) => type !== undefined)).toEqual(['vote-request', 'append-request', 'append-request']);
    expect(kinds(true).filter((type) => type !== undefined)).toEqual([
      'vote-response',
      'vote-response',
      'vote-response',
      'vote-request',
      'vote-response',
      'append-response',
      'append-response',
      'append-response',
    ]);
    const arrived = during(() => cluster.node('b').step(heartbeat({})), ['received', 'sent']);
    expect(arrived.map(line)).toEqual(['received heartbeat-request', 'sent heartbeat-response afterPersist:false']);
  });

  test('each phase of a transfer', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    cluster.isolate('b');
    cluster.propose('a', 'x');
    cluster.settle();
    const lines = (act: () => void): string[] => during(act, ['transfer']).map(line);
    expect(lines(() => cluster.node('a').transferLeader('b'))).toEqual(['transfer target:b phase:started']);
    expect(lines(() => cluster.node('a').transferLeader('c'))).toEqual([
      'transfer target:b phase:aborted',
      'transfer target:c phase:started',
      'transfer target:c phase:sent',
    ]);
    const refused = { type: 'transfer-refused', from: 'c', to: 'a', term: 1 } as const;
    expect(lines(() => cluster.node('a').step({ ...refused, from: 'b' }))).toEqual([]);
    expect(lines(() => cluster.node('a').step(refused))).toEqual(['transfer target:c phase:refused']);
    expect(lines(() => cluster.node('a').step(refused))).toEqual([]);
  });

  test('what becomes of a snapshot: sent, lost, sent again, restored, ignored', () => {
    const { cluster, during } = traced(abc, { snapshotTimeoutTicks: 3, checkQuorum: false });
    cluster.elect('a');
    cluster.isolate('b');
    cluster.propose('a', 'x');
    cluster.settle();
    cluster.member('a').disk.compact(2);
    cluster.heal();
    const about = ['snapshot-sent', 'snapshot-lost', 'snapshot-restored', 'snapshot-ignored', 'progress', 'conf'] as const;
    const lines = (act: () => void): string[] => during(act, about).map(line);
    const beat = (): void => {
      cluster.tick('a');
      cluster.work('a');
      cluster.deliver();
      cluster.work('b');
      cluster.deliver();
      cluster.work('a');
    };
    cluster.node('a').reportUnreachable('b');
    expect(lines(beat)).toEqual(['snapshot-sent to:b index:2']);
    cluster.drop(({ type }) => type === 'snapshot-request');
    expect(lines(() => cluster.tick('a', 3))).toEqual([
      'snapshot-lost to:b index:2',
      'progress peer:b state:probe match:1 next:2',
    ]);
    expect(lines(beat)).toEqual(['snapshot-sent to:b index:2']);
    const again = cluster.network.find(({ type }) => type === 'snapshot-request');
    expect(lines(() => cluster.settle())).toEqual([
      'conf abc/',
      'snapshot-restored index:2 term:1',
      'progress peer:b state:replicate match:2 next:3',
    ]);
    if (again === undefined) throw new Error('no snapshot was sent');
    expect(lines(() => cluster.node('b').step(again))).toEqual(['snapshot-ignored index:2 why:already committed here']);
  });

  test('which entries have to be fetched for whom, and the read that was answered', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    cluster.isolate('b');
    for (const command of ['x', 'y']) {
      cluster.propose('a', command);
      cluster.settle();
    }
    cluster.heal();
    cluster.member('a').disk.inMemoryFrom = 9;
    cluster.node('a').reportUnreachable('b');
    const lines = during(() => {
      cluster.tick('a');
      cluster.settle();
    }, ['entries-wanted', 'progress']);
    expect(lines.map(line)).toEqual(['entries-wanted peer:b from:2']);
    const reads = during(() => {
      cluster.node('b').readIndex('r');
      cluster.settle();
    }, ['read']);
    expect(reads.map(line)).toEqual(['read r@3 rejected:false']);
  });

  test('that a write of an earlier term says nothing', () => {
    const { cluster, during } = traced(abc);
    cluster.elect('a');
    cluster.member('b').holdsWrites = true;
    cluster.propose('a', 'x');
    cluster.settle();
    cluster.node('b').step(heartbeat({ from: 'c', term: 5 }));
    expect(during(() => cluster.finishWrites('b'), ['persist']).map(line)).toEqual([
      'persist index:2 term:1 stale:true',
      'persist index:2 term:1 stale:true',
    ]);
  });
});
