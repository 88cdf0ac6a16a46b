/**
 * Finding a replica that went its own way: every so many entries each member takes a digest of its machine's
 * state; followers compare theirs with the leader's. One that differs finds the first entry that did it, by
 * running the entries since the last common state again, here and at the leader, and takes the leader's state.
 */
import { pack, unpack } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId } from '../../core/types.ts';
import { digestOf, stateBytes } from '../../state/digest.ts';
import { ReplicatedState } from '../../state/replicated-state.ts';
import type { CallOptions, VerifyReport } from '../api/api.ts';
import { contextOf, decodeSettings } from '../member/configuration.ts';
import type { Engine } from '../node/runtime.ts';

/** Digest points remembered: a follower further behind than this is compared at a later one. */
const POINTS_MAX = 8;
/** Greatest state that is kept to run entries again from, in bytes; of a larger one the first bad entry is not named. */
const KEPT_STATE_BYTES_MAX = 4 * 1024 * 1024;
/** Entries run again to name the first bad one. */
const RERUN_ENTRIES_MAX = 100_000;
const RERUN_BYTES_MAX = 64 * 1024 * 1024;
/** How long a member may take to answer about digests, in ms. */
const DIGEST_TIMEOUT_MS = 5_000;

interface Point {
  readonly index: Index;
  readonly digest: number;
  /** State and log time there, to start from; undefined when too large. */
  readonly image: ReadonlyArray<Uint8Array> | undefined;
}

/** What is asked of another member. */
type Question =
  | readonly ['compare', index: number, digest: number]
  | readonly ['rerun', from: number, to: number]
  | readonly ['state'];

export class Digests {
  private readonly engine: Engine;
  private points: Point[] = [];
  /** What the leader said of points this node has not reached. */
  private readonly told = new Map<Index, number>();
  private resyncing = false;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  onOpened(): void {
    this.points = [];
    this.told.clear();
    this.resyncing = false;
  }

  /** Called for every applied entry: cheap unless it is a digest point. */
  onApplied(index: Index): void {
    const { member } = this.engine;
    if (member === undefined) return;
    const every = this.every(member.conf.context);
    if (every === 0 || index % every !== 0) return;
    const point = this.take(index);
    if (point === undefined) return;
    const told = this.told.get(index);
    this.told.delete(index);
    if (told !== undefined && told !== point.digest) this.onDiverged(index);
    if (member.isLeader) this.tell(point);
  }

  private settings: { readonly context: Uint8Array; readonly every: number } | undefined;
  /** How often, as the configuration says: the same on every member. */
  private every(context: Uint8Array): number {
    if (this.settings?.context !== context) this.settings = { context, every: decodeSettings(context).digestEveryEntries };
    return this.settings.every;
  }

  private take(index: Index): Point | undefined {
    const bytes = stateBytes(this.engine.state.machine);
    if (bytes === undefined) return undefined;
    const size = bytes.reduce((sum, chunk) => sum + chunk.length, 0);
    const point: Point = {
      index,
      digest: digestOf(bytes),
      image: size <= KEPT_STATE_BYTES_MAX ? bytes.map((chunk) => chunk.slice()) : undefined,
    };
    this.points.push(point);
    if (this.points.length > POINTS_MAX) this.points.shift();
    return point;
  }

  private tell(point: Point): void {
    const question: Question = ['compare', point.index, point.digest];
    for (const peer of this.engine.peers.all()) {
      if (peer.trusted) this.engine.peers.call(peer.id, 'digest', pack(question), DIGEST_TIMEOUT_MS, () => {});
    }
  }

  /** Compares all members now, at one index. Leader only; others ask it of the leader by calling verify there. */
  async verify(options: CallOptions): Promise<VerifyReport> {
    const { engine } = this;
    const { member } = engine;
    if (member?.isLeader !== true)
      throw new RaftError('not-leader', 'verify is called on the leader.', { leaderHint: engine.leaderId });
    const index = member.appliedIndex;
    const point = this.points.find((candidate) => candidate.index === index) ?? this.take(index);
    if (point === undefined)
      throw new RaftError('rejected', 'This state machine streams its snapshots: its state cannot be compared at once.');
    const asked = [...engine.peers.all()].filter((peer) => peer.trusted);
    const answers = await Promise.all(asked.map((peer) => this.askOne(peer.id, ['compare', point.index, point.digest], options)));
    const diverged = asked.filter((_, i) => answers[i] === 'different').map((peer) => peer.id);
    return { ok: diverged.length === 0, atIndex: index, diverged };
  }

  private askOne(peer: NodeId, question: Question, options: CallOptions): Promise<unknown> {
    return new Promise((resolve) => {
      this.engine.peers.call(peer, 'digest', pack(question), options.timeoutMs ?? DIGEST_TIMEOUT_MS, ({ body, error }) =>
        resolve(error === undefined ? unpack(body) : undefined),
      );
    });
  }

  /** A peer's question. Errors: message-invalid. */
  onCall(peer: NodeId, body: Uint8Array, reply: (body: Uint8Array, error?: RaftError) => void): void {
    const question = unpack(body) as Question;
    if (question[0] === 'compare') return reply(pack(this.compare(peer, Number(question[1]), Number(question[2]))));
    if (question[0] === 'state') {
      this.sendState(peer);
      return reply(pack('coming'));
    }
    this.rerun(Number(question[1]), Number(question[2])).then(
      (digests) => reply(pack(digests ?? [])),
      () => reply(pack([])),
    );
  }

  private compare(peer: NodeId, index: Index, digest: number): 'same' | 'different' | 'later' {
    if (peer !== this.engine.leaderId) return 'later';
    const own =
      this.points.find((point) => point.index === index) ??
      (this.engine.member?.appliedIndex === index ? this.take(index) : undefined);
    if (own === undefined) {
      if ((this.engine.member?.appliedIndex ?? 0) < index && this.told.size < POINTS_MAX) this.told.set(index, digest);
      return 'later';
    }
    if (own.digest === digest) return 'same';
    this.onDiverged(index);
    return 'different';
  }

  private onDiverged(index: Index): void {
    if (this.resyncing || this.engine.member?.isLeader === true) return;
    this.resyncing = true;
    void this.recover(index);
  }

  /** Names the first bad entry as well as it can, then asks for the leader's state. Never rejects. */
  private async recover(index: Index): Promise<void> {
    const { engine } = this;
    const first = await this.firstDifference(index).catch(() => undefined);
    engine.emitter.emit('diverged', { index: first ?? index, exact: first !== undefined });
    const leader = engine.leaderId;
    engine.member?.receiver.expectResync();
    if ((await this.askOne(leader, ['state'], {})) === undefined) this.resyncing = false;
  }

  private async firstDifference(index: Index): Promise<Index | undefined> {
    const good = this.points.filter((point) => point.index < index).at(-1)?.index ?? 0;
    const theirs = await this.askOne(this.engine.leaderId, ['rerun', good, index], {});
    const own = await this.rerun(good, index);
    if (own === undefined || !Array.isArray(theirs) || theirs.length !== own.length) return undefined;
    const at = own.findIndex((digest, i) => digest !== theirs[i]);
    return at < 0 ? undefined : good + 1 + at;
  }

  /** Digests after each entry in (from, to], run again from the state at `from` on a machine of its own. */
  private async rerun(from: Index, to: Index): Promise<readonly number[] | undefined> {
    const { member, state } = this.engine;
    const point = this.points.find((candidate) => candidate.index === from);
    const machine = state.machine.fresh();
    if (member === undefined || machine === undefined || to - from > RERUN_ENTRIES_MAX) return undefined;
    if (from > 0 && point?.image === undefined) return undefined;
    if (point?.image !== undefined) await machine.restore(replay(point.image), machine.version);
    const scratch = new ReplicatedState(machine, decodeSettings(member.conf.context));
    const entries = await this.readAll(from + 1, to);
    return entries.map((entry) => {
      scratch.rerun(entry);
      return digestOf(stateBytes(machine) ?? []);
    });
  }

  private async readAll(from: Index, to: Index): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (let next = from; next <= to; ) {
      const some = await this.engine.store.entries(next, to + 1, RERUN_BYTES_MAX);
      entries.push(...some);
      next += some.length;
      if (some.length === 0) break;
    }
    return entries;
  }

  /** The leader's part of a resync: a snapshot of now, sent to the member that asked. */
  private sendState(peer: NodeId): void {
    const { member, id, term } = this.engine;
    if (member?.isLeader !== true || contextOf(member.conf, peer) === undefined) return;
    member.maker
      .takeNow(() => member.snapshotMeta())
      .then(
        () => member.sender.start({ type: 'snapshot-request', from: id, to: peer, term, snapshot: member.snapshotMeta() }),
        () => {},
      );
  }
}

async function* replay(chunks: ReadonlyArray<Uint8Array>): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}
