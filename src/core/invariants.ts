/** What must hold in every state, and between any state and the next: checked after every input where that is switched on. */
import { assert, broken } from './assert.ts';
import { brokenConf } from './conf/conf-state.ts';
import type { Progress } from './progress/progress.ts';
import { type Leader, leaderOf, type Raft } from './state.ts';
import type { ConfState, Index, NodeId, Role, Term } from './types.ts';

/** What is remembered of the state before; one for each node, written over. */
interface Before {
  term: Term;
  vote: NodeId;
  role: Role;
  leader: NodeId;
  committed: Index;
  committedTerm: Term | 'compacted' | 'unavailable';
  applied: Index;
  last: Index;
  lastTerm: Term;
  durableTerm: Term;
  aloneIndex: Index;
  /** A leader's matchIndex by member. */
  readonly match: Map<Progress, Index>;
}

export class Invariants {
  readonly #raft: Raft;
  readonly #before: Before;

  constructor(raft: Raft) {
    this.#raft = raft;
    this.#before = { ...NOTHING, match: new Map() };
    remember(raft, this.#before);
    checkState(raft);
  }

  check(): void {
    checkState(this.#raft);
    checkChange(this.#raft, this.#before);
    remember(this.#raft, this.#before);
  }
}

const NOTHING: Omit<Before, 'match'> = {
  term: 0,
  vote: '',
  role: 'follower',
  leader: '',
  committed: 0,
  committedTerm: 0,
  applied: 0,
  last: 0,
  lastTerm: 0,
  durableTerm: 0,
  aloneIndex: 0,
};

function remember(raft: Raft, before: Before): void {
  const { log, role } = raft;
  if (role.name === 'leader') for (const progress of role.members.all) before.match.set(progress, progress.match);
  else if (before.match.size > 0) before.match.clear();
  before.term = raft.term;
  before.vote = raft.vote;
  before.role = role.name;
  before.leader = leaderOf(raft);
  before.committed = log.committed;
  before.committedTerm = log.term(log.committed);
  before.applied = log.applied;
  before.last = log.last;
  before.lastTerm = log.lastTerm;
  before.durableTerm = raft.durableTerm;
  before.aloneIndex = raft.alone?.index ?? 0;
}

function checkState(raft: Raft): void {
  const { log, role, conf } = raft;
  const { unstable, applyWindow } = log;
  assert(log.applied <= applyWindow.applying && applyWindow.applying <= log.committed, 'applied <= applying <= committed');
  assert(log.committed <= log.last, 'committed <= last');
  assert(unstable.offset <= unstable.inProgress && unstable.inProgress <= unstable.end, 'marks of the unstable log are in order');
  assert(unstable.end === log.last + 1, 'the unstable log ends where the log ends');
  assert(unstable.count === 0 || log.lastTerm <= raft.term, 'no entry is of a later term than the node');
  assert(raft.durableTerm <= raft.term, 'no later term is durable than the node is in');
  checkConf(conf);
  checkLastVoter(raft);
  if (role.name === 'candidate' || role.name === 'leader')
    assert(raft.vote === raft.id, 'who campaigns or leads voted for itself');
  if (role.name === 'leader') checkLeader(raft, role);
}

function checkLastVoter({ alone, proxy, log, term }: Raft): void {
  if (alone !== undefined && alone.index > log.committed)
    assert(log.matches(alone.index, alone.term), 'what is about to be decided alone stays in the log');
  assert(proxy === undefined || proxy.term >= term, 'a proxy vote is of this term or of the next');
}

/** Configurations are replaced, not changed: each is looked at once. */
const sound = new WeakSet<ConfState>();

function checkConf(conf: ConfState): void {
  if (sound.has(conf)) return;
  const wrong = brokenConf(conf);
  if (wrong !== undefined) broken(`configuration: ${wrong}`);
  sound.add(conf);
}

function checkLeader(raft: Raft, leader: Leader): void {
  const { log } = raft;
  assert(leader.since <= log.last, 'a leader has appended its no-op');
  assert(log.lastTerm === raft.term, "a leader's log ends in its own term");
  assert(leader.pendingConfIndex <= log.last, 'the pending change is in the log');
  for (const progress of leader.members.all) {
    const { id, match, next, state, pendingSnapshot, sentCommit } = progress;
    if (!(match < next)) broken(`match < next of ${id}`);
    if (!(match <= log.last)) broken(`match of ${id} is in the log`);
    if (!(next <= log.last + 1)) broken(`next of ${id} is in the log, or just past it`);
    if (!(state === 'snapshot' || pendingSnapshot === 0)) broken(`${id} has a snapshot pending only in that state`);
    if (!(sentCommit <= log.committed)) broken(`${id} was told of no commit that is none`);
    if (state !== 'replicate' && progress.inflights.count > 0) broken(`${id} has appends in flight only in replicate`);
  }
}

function checkChange(raft: Raft, before: Before): void {
  const { log, role } = raft;
  assert(raft.term >= before.term, 'the term never falls');
  assert(raft.durableTerm >= before.durableTerm, 'the durable term never falls');
  assert(log.committed >= before.committed, 'the commit index never falls');
  assert(log.applied >= before.applied, 'the applied index never falls');
  if (raft.term === before.term) {
    assert(before.vote === '' || raft.vote === before.vote, 'one vote per term');
    assert(before.role !== 'leader' || role.name !== 'candidate', 'a leader does not campaign in its own term');
  }
  const kept = log.term(before.committed);
  const known = typeof kept === 'number' && typeof before.committedTerm === 'number';
  assert(!known || kept === before.committedTerm, 'what is committed stays as it is');
  if (before.role === 'leader' && role.name === 'leader' && raft.term === before.term) {
    assert(
      log.last >= before.last && log.matches(before.last, before.lastTerm),
      'a leader never overwrites its log (Leader Append-Only)',
    );
    for (const progress of role.members.all) {
      if (!(progress.match >= (before.match.get(progress) ?? 0)))
        broken(`match of ${progress.id} never falls within a leadership`);
    }
  }
  if (role.name === 'leader' && log.committed > before.committed && before.role === 'leader' && raft.term === before.term) {
    assert(log.matches(log.committed, raft.term), 'a leader commits by counting only what is of its term');
    assert(
      log.committed <= Math.max(role.members.committedIndex(), before.aloneIndex),
      'what is committed is on a quorum of every active half, or was decided by the leader of a settled pair',
    );
  }
}
