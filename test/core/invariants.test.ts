/** Each invariant, with a state that holds, and the same state broken in one place. */
import { describe, expect, test } from 'vitest';
import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { makeConfig } from '../../src/core/config.ts';
import { Invariants } from '../../src/core/invariants.ts';
import { RaftLog } from '../../src/core/log/raft-log.ts';
import { Outbox } from '../../src/core/outbox.ts';
import type { Progress } from '../../src/core/progress/progress.ts';
import { Tracker } from '../../src/core/progress/tracker.ts';
import { ReadQueue } from '../../src/core/protocol/read-queue.ts';
import type { Leader, Raft } from '../../src/core/state.ts';
import type { ConfState, Index, Term } from '../../src/core/types.ts';
import type { Writable } from '../../src/core/writable.ts';
import { Disk } from './disk.ts';
import { entriesOf } from './messages.ts';

type State = Writable<Raft, keyof Raft>;

const conf: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };

/** A follower in term 2 with entries 1 to 4 of term 1, 5 and 6 of term 2; committed to 5, applied to 3. */
function follower(): State {
  const config = makeConfig({ id: 'a', random: () => 0 });
  const log = new RaftLog(new Disk(conf), {
    entryBytes: config.entryBytes,
    maxCommittedBytes: config.maxCommittedBytes,
    applyUnstable: true,
  });
  log.append([...entriesOf(1, 1, 4), ...entriesOf(2, 5, 6)]);
  log.commitTo(5);
  log.applyWindow.skipTo(3);
  return {
    config,
    id: 'a',
    trace: undefined,
    term: 2,
    vote: 'a',
    role: { name: 'follower', leader: 'b' },
    durableTerm: 2,
    contradictedTerm: 0,
    log,
    prevConf: undefined,
    alone: undefined,
    proxy: undefined,
    ended: false,
    conf,
    electionElapsed: 0,
    heartbeatElapsed: 0,
    electionTimeout: 10,
    electionMinTicks: 10,
    electionMaxTicks: 20,
    checkQuorum: true,
    priority: 0,
    leaseGuardTicks: 0,
    timeMs: 0,
    outbox: new Outbox(),
    readStates: [],
    waitingReads: [],
    outcome: undefined,
  };
}

interface Led {
  readonly raft: State;
  readonly role: Writable<Leader, keyof Leader>;
  readonly b: Progress;
}

/** The same node as the leader of term 2, since entry 5; b and it have all. */
function leader(): Led {
  const raft = follower();
  const members = new Tracker(raft.id, conf, 7, raft.config);
  const role: Writable<Leader, keyof Leader> = {
    name: 'leader',
    members,
    since: 5,
    sealIndex: 5,
    partnerSealed: '',
    transferee: '',
    pendingConfIndex: 4,
    uncommittedBytes: 0,
    reads: new ReadQueue(),
    sentRounds: [],
    ticks: 0,
  };
  for (const id of ['a', 'b']) {
    members.get(id)?.update(6);
    members.get(id)?.becomeReplicate();
  }
  raft.role = role;
  const b = members.get('b');
  if (b === undefined) throw new Error('no b');
  return { raft, role, b };
}

function set<T, K extends keyof T>(target: T, field: K, value: T[K]): void {
  (target as Writable<T, K>)[field] = value;
}

describe('in every state', () => {
  const breaks: readonly (readonly [string, RegExp, (raft: State) => void])[] = [
    ['applied past what was handed out', /applied <= applying/, ({ log }) => set(log.applyWindow, 'applied', 4)],
    ['handed out past the commit index', /applying <= committed/, ({ log }) => set(log.applyWindow, 'applying', 6)],
    ['committed past the end', /committed <= last/, ({ log }) => set(log, 'committed', 7)],
    ['a mark before what is unstable', /in order/, ({ log }) => set(log.unstable, 'inProgress', 0)],
    ['a mark past what is unstable', /in order/, ({ log }) => set(log.unstable, 'inProgress', 8)],
    [
      'an end that is not the end',
      /ends where the log ends/,
      ({ log }) => {
        set(log, 'last', 7);
      },
    ],
    ['an entry of a later term', /later term than the node/, ({ log }) => set(log, 'lastTerm', 3)],
    ['a durable term that is later', /no later term is durable/, (raft) => set(raft, 'durableTerm', 3)],
    [
      'an unsound configuration',
      /configuration: a part is not sorted/,
      (raft) => set(raft, 'conf', { ...conf, voters: ['b', 'a'] }),
    ],
    [
      'a candidate without its vote',
      /voted for itself/,
      (raft) => {
        raft.role = { name: 'candidate', votes: new Map() };
        raft.vote = 'b';
      },
    ],
  ];

  test('a sound one passes, again and again', () => {
    const raft = follower();
    const invariants = new Invariants(raft);
    invariants.check();
    invariants.check();
  });

  test('one at its borders passes', () => {
    const raft = follower();
    set(raft.log.applyWindow, 'applying', 5);
    set(raft.log.applyWindow, 'applied', 5);
    raft.log.commitTo(6);
    raft.log.unstable.handedOut();
    new Invariants(raft).check();
    raft.role = { name: 'pre-candidate', votes: new Map() };
    raft.vote = 'b';
    new Invariants(raft).check();
    raft.role = { name: 'candidate', votes: new Map() };
    raft.vote = 'a';
    new Invariants(raft).check();
    raft.log.unstable.stableTo(6, 2);
    raft.term = 1;
    raft.durableTerm = 1;
    new Invariants(raft).check();
  });

  for (const [what, message, spoil] of breaks) {
    test(`${what} is found, at the start and later`, () => {
      const bad = follower();
      spoil(bad);
      expect(() => new Invariants(bad)).toThrow(message);
      const raft = follower();
      const invariants = new Invariants(raft);
      spoil(raft);
      expect(() => invariants.check()).toThrow(message);
    });
  }
});

describe('while leading', () => {
  const breaks: readonly (readonly [string, RegExp, (led: Led) => void])[] = [
    ['without its vote', /voted for itself/, ({ raft }) => set(raft, 'vote', 'b')],
    ['a no-op that is not there', /appended its no-op/, ({ role }) => set(role, 'since', 7)],
    [
      'a log that ends in another term',
      /ends in its own term/,
      ({ raft }) => {
        raft.term = 3;
      },
    ],
    ['a pending change past the end', /pending change is in the log/, ({ role }) => set(role, 'pendingConfIndex', 7)],
    ['match at next', /match < next of b/, ({ b }) => set(b, 'next', 6)],
    [
      'match past the end',
      /match of b is in the log/,
      ({ b }) => {
        set(b, 'match', 7);
        set(b, 'next', 8);
      },
    ],
    ['next past the end', /next of b is in the log/, ({ b }) => set(b, 'next', 8)],
    ['a snapshot pending in another state', /b has a snapshot pending/, ({ b }) => set(b, 'pendingSnapshot', 4)],
    ['a commit told that is none', /b was told of no commit/, ({ b }) => set(b, 'sentCommit', 6)],
    [
      'appends in flight while probing',
      /b has appends in flight/,
      ({ b }) => {
        b.becomeProbe();
        b.inflights.add(6, 1);
      },
    ],
  ];

  test('a sound leader passes, also at its borders', () => {
    const { raft, role, b } = leader();
    const invariants = new Invariants(raft);
    invariants.check();
    set(role, 'since', 6);
    set(role, 'pendingConfIndex', 6);
    set(b, 'sentCommit', 5);
    b.inflights.add(6, 1);
    invariants.check();
    raft.log.commitTo(6);
    b.becomeSnapshot(6);
    invariants.check();
  });

  for (const [what, message, spoil] of breaks) {
    test(`${what} is found`, () => {
      const led = leader();
      const invariants = new Invariants(led.raft);
      invariants.check();
      spoil(led);
      expect(() => invariants.check()).toThrow(message);
    });
  }
});

describe('between one state and the next', () => {
  const breaks: readonly (readonly [string, RegExp, (raft: State) => void])[] = [
    [
      'the term',
      /^(?!.*durable).*the term never falls/,
      (raft) => {
        raft.durableTerm = 1;
        raft.term = 1;
        raft.log.unstable.stableTo(6, 2);
      },
    ],
    ['the durable term', /the durable term never falls/, (raft) => set(raft, 'durableTerm', 1)],
    ['the commit index', /the commit index never falls/, ({ log }) => set(log, 'committed', 4)],
    ['the applied index', /the applied index never falls/, ({ log }) => set(log.applyWindow, 'applied', 2)],
    ['the vote', /one vote per term/, (raft) => set(raft, 'vote', 'c')],
    [
      'what is committed',
      /what is committed stays/,
      ({ log }) => {
        log.unstable.append([...entriesOf(2, 4, 6)]);
      },
    ],
  ];

  for (const [what, message, spoil] of breaks) {
    test(`${what} is kept`, () => {
      const raft = follower();
      // The entry before the commit index is looked at as well when that is the commit index.
      if (what === 'what is committed') set(raft.log, 'committed', 4);
      const invariants = new Invariants(raft);
      spoil(raft);
      expect(() => invariants.check()).toThrow(message);
    });
  }

  test('what may change may change: a vote that was not given, a vote in a new term, all that rises', () => {
    const raft = follower();
    raft.vote = '';
    const invariants = new Invariants(raft);
    raft.vote = 'b';
    invariants.check();
    raft.term = 3;
    raft.vote = 'c';
    invariants.check();
    raft.durableTerm = 3;
    raft.log.commitTo(6);
    set(raft.log.applyWindow, 'applying', 6);
    set(raft.log.applyWindow, 'applied', 6);
    invariants.check();
    raft.vote = 'a';
    expect(() => invariants.check()).toThrow(/one vote per term/);
  });

  test('a leader becomes no candidate of its own term, but may become one of the next', () => {
    const { raft } = leader();
    const invariants = new Invariants(raft);
    raft.role = { name: 'candidate', votes: new Map() };
    expect(() => invariants.check()).toThrow(/does not campaign in its own term/);
    raft.term = 3;
    invariants.check();
    const other = follower();
    const others = new Invariants(other);
    other.role = { name: 'candidate', votes: new Map() };
    others.check();
  });

  test('a leader never overwrites its log; a new leader of another term may have', () => {
    const rewrite = (raft: State, term: Term, first: Index): void => {
      raft.log.unstable.append(entriesOf(term, first, first));
      const log: Writable<RaftLog, 'last' | 'lastTerm'> = raft.log;
      log.last = first;
      log.lastTerm = term;
    };
    const shorter = leader();
    shorter.raft.log.append(entriesOf(2, 7, 7));
    const found = new Invariants(shorter.raft);
    rewrite(shorter.raft, 2, 6);
    expect(() => found.check()).toThrow(/Append-Only/);
    const { raft, role } = leader();
    const invariants = new Invariants(raft);
    raft.term = 3;
    rewrite(raft, 3, 6);
    role.since = 6;
    invariants.check();
    rewrite(raft, 3, 7);
    invariants.check();
  });

  test('what a member has never falls while the same node leads, and may be another with the next leadership', () => {
    const { raft, b } = leader();
    const invariants = new Invariants(raft);
    set(b, 'match', 5);
    expect(() => invariants.check()).toThrow(/match of b never falls/);
    const again = leader();
    const fresh = new Invariants(again.raft);
    const { role } = again.raft;
    again.raft.role = { name: 'follower', leader: '' };
    fresh.check();
    set(again.b, 'match', 5);
    again.raft.role = role;
    fresh.check();
    fresh.check();
  });

  test('a leader commits by counting only what is of its term and on a quorum', () => {
    const uncounted = leader();
    const found = new Invariants(uncounted.raft);
    set(uncounted.b, 'match', 6);
    const c = uncounted.role.members.get('c');
    uncounted.raft.log.commitTo(6);
    found.check();
    uncounted.raft.log.append(entriesOf(2, 7, 7));
    uncounted.raft.log.commitTo(7);
    expect(() => found.check()).toThrow(/on a quorum of every active half/);
    expect(c?.match).toBe(0);
    const early = leader();
    set(early.raft.log, 'committed', 3);
    const earlier = new Invariants(early.raft);
    early.raft.log.commitTo(4);
    expect(() => earlier.check()).toThrow(/only what is of its term/);
    const follows = follower();
    set(follows.log, 'committed', 3);
    const follower1 = new Invariants(follows);
    follows.log.commitTo(4);
    follower1.check();
  });
});
