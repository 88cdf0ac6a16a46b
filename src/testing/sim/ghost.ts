/**
 * What a simulation knows and no node does: every vote, every leader, every commit, what is durable where. It is told
 * by the nodes' disks, links and state machines, and checks the invariants of docs/RELIABILITY.md as things happen.
 */
import { SPENT } from '../../core/conf/node-id.ts';
import type { TraceEvent } from '../../core/trace.ts';
import type { ConfState, Entry, HardState, Index, Message, NodeId, Role, Term } from '../../core/types.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import type { Evidence } from './evidence.ts';
import { type DurableView, describeConf, hashOf, holds } from './facts.ts';
import { LoneDecisions } from './lone-decisions.ts';
import { quorumHas, quorumsMeet } from './quorums.ts';
import { Votes } from './votes.ts';
import { Witness } from './witness.ts';

/** One life of one node. */
export interface GhostNode {
  readonly id: NodeId;
  readonly durable: DurableView;
  role: Role;
  term: Term;
  conf: ConfState;
  commit: Index;
  applied: Index;
}

/** `role`: what it is from now on; the others are moments. */
export type NoteKind = 'role' | 'commit' | 'conf' | 'snapshot' | 'start' | 'fault' | 'heal';

type AloneEvent = Extract<TraceEvent, { readonly kind: 'alone' }>;

interface KnownEntry {
  readonly hash: number;
  readonly previousTerm: Term | undefined;
}

export class Ghost {
  readonly evidence: Evidence;
  /** Told what a picture of the run should show. */
  onNote: ((node: NodeId, kind: NoteKind, text: string) => void) | undefined = undefined;
  readonly nodes: Map<NodeId, GhostNode> = new Map();
  readonly witness: Witness;
  /** The greatest index that is committed anywhere, and the term of the leader that committed it. */
  committed: { readonly index: Index; readonly term: Term } = { index: 0, term: 0 };
  /** Identities whose storage was lost: they may never speak again. */
  readonly wiped: Set<NodeId> = new Set();
  readonly #leaders = new Map<Term, NodeId>();
  readonly votes: Votes = new Votes();
  readonly #alone = new LoneDecisions();
  readonly #entries = new Map<string, KnownEntry>();
  /** Everything that was ever given to a disk. */
  readonly #asked = new Set<string>();
  readonly #applied = new Map<Index, { readonly term: Term; readonly hash: number; readonly outcome: string }>();
  readonly #confs = new Map<Index, { readonly conf: ConfState; readonly text: string }>();
  #lastConf: { readonly index: Index; readonly conf: ConfState } | undefined;
  /** Builds that run: each says in its snapshots which it is. */
  builds = 1;
  readonly #snapshots = new Map<Index, Set<string>>();
  readonly #commands = new Map<string, Index>();

  constructor(evidence: Evidence) {
    this.evidence = evidence;
    this.witness = new Witness(evidence, this);
  }

  leads(id: NodeId, term: Term): boolean {
    const node = this.nodes.get(id);
    return node?.role === 'leader' && node.term === term;
  }

  wasWritten(entry: Entry): boolean {
    return this.#asked.has(`${entry.index}/${entry.term}/${hashOf(entry)}`);
  }

  /** A node starts from what its disk holds. */
  started(id: NodeId, durable: DurableView, conf: ConfState, applied: Index): GhostNode {
    const { term, commit } = durable.hardState;
    const node: GhostNode = { id, durable, role: 'follower', term, conf, commit: Math.max(commit, applied), applied };
    this.nodes.set(id, node);
    // What it had begun to decide alone may have reached the disk though the page was gone by then.
    this.#decided(id, durable);
    this.witness.restarted(id, durable);
    this.onNote?.(id, 'role', 'follower');
    return node;
  }

  stopped(id: NodeId): void {
    this.onNote?.(id, 'role', 'down');
    this.nodes.delete(id);
  }

  // ---- what the core says of itself

  traced(node: GhostNode, event: TraceEvent): void {
    if (this.nodes.get(node.id) !== node) return;
    if (event.kind === 'role') this.#onRole(node, event.role, event.term);
    else if (event.kind === 'commit') this.#onCommit(node, event.index);
    else if (event.kind === 'alone') this.#onAlone(node, event);
    else if (event.kind === 'conf') node.conf = event.conf;
    else if (event.kind === 'snapshot-restored') node.commit = Math.max(node.commit, event.index);
    else if (event.kind === 'received') this.#saw(node, event.message);
  }

  #saw(node: GhostNode, { type, term }: Message): void {
    this.evidence.saw(type, node.role, term < node.term ? 0 : term > node.term ? 2 : 1);
  }

  #onRole(node: GhostNode, role: Role, term: Term): void {
    this.evidence.check('I10', term >= node.term, () => `${node.id}: term ${node.term} became ${term}`);
    node.role = role;
    node.term = term;
    this.onNote?.(node.id, 'role', `${role} ${term}`);
    if (role === 'leader') this.#onLeader(node);
  }

  #onLeader({ id, term, conf, durable }: GhostNode): void {
    const known = this.#leaders.get(term);
    this.evidence.check('I1', known === undefined || known === id, () => `${known} and ${id} both lead term ${term}`);
    this.#leaders.set(term, id);
    this.evidence.mark('leader-elected');
    const voted = quorumHas(conf, (voter) => this.votes.of(voter, term) === id);
    this.evidence.check('I17', voted, () => `${id} leads term ${term} without the votes of a quorum of ${describeConf(conf)}`);
    this.evidence.check(
      'I18',
      conf.voters.includes(id) || conf.votersOutgoing.includes(id),
      () => `${id} leads term ${term} and is no voter of ${describeConf(conf)}`,
    );
    const { committed } = this;
    if (committed.index === 0 || committed.term >= term) return;
    const complete = holds(durable, committed.index, committed.term);
    this.evidence.check(
      'I6',
      complete,
      () => `${id} leads term ${term} without entry ${committed.index} that was committed in term ${committed.term}`,
    );
  }

  /** I9 of a leader of two that goes on alone. That nobody is elected without what it decided is I6. */
  #onAlone({ id, durable }: GhostNode, { index, term, phase }: AloneEvent): void {
    if (phase === 'started') return this.#alone.begun(id, { index, term });
    const kept = holds(durable, index, term) && durable.hardState.commit >= index;
    this.evidence.check('I9', kept, () => `${id} decides ${index} alone, which is not durable there as committed`);
    if (kept && index > this.committed.index) this.committed = { index, term };
  }

  #onCommit(node: GhostNode, index: Index): void {
    this.evidence.check('I8', index >= node.commit, () => `${node.id}: commit ${node.commit} became ${index}`);
    node.commit = index;
    if (node.role === 'leader') this.onNote?.(node.id, 'commit', String(index));
    if (node.role === 'leader' && index > this.committed.index) {
      const { term, conf } = node;
      const durable = quorumHas(conf, (voter) => {
        const view = this.nodes.get(voter)?.durable ?? this.disks.get(voter);
        return view !== undefined && holds(view, index, term);
      });
      this.evidence.check(
        'I9',
        durable,
        () => `${node.id} commits ${index} in term ${term}, which is not durable on a quorum of ${describeConf(conf)}`,
      );
      this.committed = { index, term };
      return;
    }
    this.evidence.check(
      'I8',
      index <= this.committed.index,
      () => `${node.id} (${node.role}) commits ${index}, the cluster has committed ${this.committed.index}`,
    );
  }

  /** Disks of nodes that do not run. */
  readonly disks: Map<NodeId, DurableView> = new Map();

  // ---- what leaves a node

  /** A message is handed to the network: what it promises must be durable (Figure 3.1). */
  sent(node: GhostNode, message: Message): void {
    const { evidence } = this;
    const { id } = node;
    const { term, vote } = node.durable.hardState;
    if (this.wiped.size > 0)
      evidence.check('I19', !this.wiped.has(id), () => `${id} lost its storage and sends a ${message.type}`);
    const pre =
      (message.type === 'vote-request' && message.pre) || (message.type === 'vote-response' && message.pre && !message.reject);
    if (!pre)
      evidence.check(
        'I12',
        message.term <= term,
        () => `${id} sends ${message.type} of term ${message.term}; term ${term} is durable`,
      );
    if (message.type === 'vote-request' && !message.pre) {
      evidence.check(
        'I3',
        term > message.term || (term === message.term && vote === id),
        () => `${id} asks for votes in term ${message.term}; durable: term ${term}, vote ${vote || 'none'}`,
      );
      this.#voted(id, message.term, id);
    } else if (message.type === 'proxy-vote') {
      this.#voted(id, message.term + 1, message.to);
    } else if (message.type === 'vote-response' && !message.pre && !message.reject) {
      evidence.check(
        'I3',
        term > message.term || (term === message.term && vote === message.to),
        () => `${id} votes for ${message.to} in term ${message.term}; durable: term ${term}, vote ${vote || 'none'}`,
      );
      this.#voted(id, message.term, message.to);
    } else if (message.type === 'append-response' && !message.reject && message.index > 0 && term === message.term) {
      const last = Math.max(node.durable.log.lastIndex, node.durable.snapshot?.meta.index ?? 0);
      evidence.check(
        'I3',
        last >= message.index,
        () => `${id} acknowledges ${message.index} in term ${message.term}; durable: up to ${last}`,
      );
    }
  }

  /** I2: one vote in each term, over all lives of a node. */
  #voted(voter: NodeId, term: Term, candidate: NodeId): void {
    const before = this.votes.of(voter, term);
    this.evidence.check(
      'I2',
      before === undefined || before === candidate,
      () => `${voter} voted for ${before} and for ${candidate} in term ${term}`,
    );
    this.votes.cast(voter, term, candidate);
  }

  // ---- what becomes durable

  /** A batch is given to a disk: a crash may leave it there, though nobody was told. */
  asked({ entries = [] }: WriteBatch): void {
    for (const entry of entries) this.#asked.add(`${entry.index}/${entry.term}/${hashOf(entry)}`);
  }

  /** A batch is durable: `before` is what was durable until now, with a log up to `lastBefore`; `durable` what is. */
  written(id: NodeId, batch: WriteBatch, before: HardState, lastBefore: Index, durable: DurableView): void {
    const { evidence } = this;
    // A founder's first write is committed by its being there: nobody else belongs to the cluster yet.
    if (batch.cluster !== undefined && batch.hardState?.commit === 1 && this.committed.index === 0)
      this.committed = { index: 1, term: batch.hardState.term };
    this.witness.wrote(id, batch, lastBefore, (index) => this.#alone.decides(id, index));
    if (batch.hardState !== undefined) {
      const { term, vote } = batch.hardState;
      evidence.check('I10', term >= before.term, () => `${id}: durable term ${before.term} became ${term}`);
      if (term === before.term) {
        evidence.check(
          'I2',
          before.vote === '' || before.vote === vote,
          () => `${id}: durable vote of term ${term} for ${before.vote} became ${vote || 'none'}`,
        );
      }
      // A spent vote may have been left to somebody, or not.
      if (vote !== '' && vote !== SPENT) this.#voted(id, term, vote);
    }
    if (batch.snapshot !== undefined) {
      const { meta, digest } = batch.snapshot.staged;
      this.onNote?.(id, 'snapshot', String(meta.index));
      evidence.check(
        'I24',
        meta.index <= this.committed.index,
        () => `${id} stores a snapshot at ${meta.index}; committed is ${this.committed.index}`,
      );
      const known = this.#snapshots.get(meta.index) ?? new Set();
      this.#snapshots.set(meta.index, known.add(digest));
      evidence.check('I20', known.size <= this.builds, () => `${id}: the snapshot at ${meta.index} differs from another's`);
    }
    for (const entry of batch.entries ?? []) this.#stored(id, entry, durable);
    this.#decided(id, durable);
  }

  #decided(id: NodeId, durable: DurableView): void {
    const decided = this.#alone.durable(id, durable);
    if (decided === undefined) return;
    this.evidence.mark('went-alone');
    if (decided.index > this.committed.index) this.committed = decided;
  }

  /** I5: an index and a term name one entry, and one entry before it. */
  #stored(id: NodeId, entry: Entry, durable: DurableView): void {
    const key = `${entry.index}/${entry.term}`;
    const hash = hashOf(entry);
    const previousTerm = entry.index === 1 ? 0 : durable.log.term(entry.index - 1);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { hash, previousTerm });
      return;
    }
    this.evidence.check(
      'I5',
      known.hash === hash,
      () => `${id}: entry ${entry.index} of term ${entry.term} differs from another's`,
    );
    const fits = known.previousTerm === undefined || previousTerm === undefined || known.previousTerm === previousTerm;
    this.evidence.check(
      'I5',
      fits,
      () =>
        `${id}: entry ${entry.index} of term ${entry.term} stands after one of term ${previousTerm}, elsewhere after ${known.previousTerm}`,
    );
  }

  compacted(id: NodeId, index: Index, durable: DurableView): void {
    const safe = durable.snapshot?.meta.index ?? 0;
    this.evidence.check('I24', index <= safe, () => `${id} drops entries up to ${index}; its snapshot is at ${safe}`);
  }

  // ---- what a machine does

  /** An entry is applied; `outcome` is what it came to, as text. */
  applied(node: GhostNode, entry: Entry, outcome: string): void {
    const { evidence } = this;
    const { index, term } = entry;
    evidence.check(
      'I8',
      index <= this.committed.index || index <= node.commit,
      () => `${node.id} applies ${index}; committed is ${node.commit}`,
    );
    const own = Math.max(node.durable.log.lastIndex, node.durable.snapshot?.meta.index ?? 0);
    evidence.check('I8', index <= own, () => `${node.id} applies ${index}, which is not durable here (up to ${own})`);
    evidence.check('I8', index > node.applied, () => `${node.id} applies ${index} after ${node.applied}`);
    node.applied = index;
    const hash = hashOf(entry);
    const known = this.#applied.get(index);
    this.witness.applied(node.id, index, known === undefined || (known.hash === hash && known.outcome === outcome));
    if (known === undefined) this.#applied.set(index, { term, hash, outcome });
    else {
      evidence.check(
        'I7',
        known.term === term && known.hash === hash,
        () => `${node.id} applies another entry at ${index} (term ${term}, elsewhere ${known.term})`,
      );
      evidence.check(
        'I7',
        known.outcome === outcome,
        () => `${node.id}: entry ${index} came to ${outcome}, elsewhere to ${known.outcome}`,
      );
    }
  }

  /** A write of a session took effect for the first time, at an index. */
  executed(node: GhostNode, command: string, index: Index): void {
    const known = this.#commands.get(command);
    this.evidence.check(
      'I27',
      known === undefined || known === index,
      () => `${node.id}: command ${command} took effect at ${known} and at ${index}`,
    );
    this.#commands.set(command, index);
  }

  /** A configuration takes effect at an index. */
  configured(node: GhostNode, index: Index, conf: ConfState): void {
    const text = describeConf(conf);
    this.onNote?.(node.id, 'conf', `${index}: ${text}`);
    const known = this.#confs.get(index);
    if (known !== undefined) {
      this.evidence.check(
        'I15',
        known.text === text,
        () => `${node.id}: the configuration at ${index} is ${text}, elsewhere ${known.text}`,
      );
      return;
    }
    this.#confs.set(index, { conf, text });
    const before = this.#lastConf;
    if (before !== undefined && before.index > index) return;
    if (before !== undefined && before.conf.voters.length > 0) {
      this.evidence.check(
        'I14',
        quorumsMeet(before.conf, conf),
        () => `quorums of ${describeConf(before.conf)} and of ${text} need not meet`,
      );
    }
    this.#lastConf = { index, conf };
    this.evidence.mark('conf-change');
  }

  /** A leader's view of its followers must not be ahead of their disks (I11). */
  progressOf(node: GhostNode, match: ReadonlyMap<NodeId, Index>): void {
    if (node.role !== 'leader' || this.#leaders.get(node.term) !== node.id) return;
    for (const [peer, index] of match) {
      const view = this.nodes.get(peer)?.durable ?? this.disks.get(peer);
      if (view === undefined || view.hardState.term !== node.term) continue;
      const last = Math.max(view.log.lastIndex, view.snapshot?.meta.index ?? 0);
      this.evidence.check('I11', index <= last, () => `${node.id} believes ${peer} to hold ${index}; durable there: ${last}`);
    }
  }

  /** Everything that was ever applied, by index. */
  appliedTerm(index: Index): Term | undefined {
    return this.#applied.get(index)?.term;
  }
}
