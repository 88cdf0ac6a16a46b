/**
 * Finding a replica that went its own way: every so many entries each member takes a digest of its machine's
 * state; followers compare theirs with the leader's. One that differs finds the first entry that did it, by
 * running the entries since the last common state again, here and at the leader, and takes the leader's state.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId } from '../../core/types.ts';
import { digestOf, stateBytes } from '../../state/digest.ts';
import { ReplicatedState } from '../../state/replicated-state.ts';
import {
  type Answer,
  DIGESTS_MAX,
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type Question,
} from '../../wire/digest-bodies.ts';
import type { CallOptions, VerifyReport } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeView } from '../api/view.ts';
import { type ClusterSettings, decodeSettings } from '../member/configuration.ts';
import type { Clock } from '../ports/clock.ts';
import type { Consensus } from '../ports/seam.ts';

/** Digest points remembered: a follower further behind than this is compared at a later one. */
const POINTS_MAX = 8;
/** Greatest state that is kept to run entries again from, in bytes; of a larger one the first bad entry is not named. */
const KEPT_STATE_BYTES_MAX = 4 * 1024 * 1024;
/** Entries run again to name the first bad one; of more it is not named. */
const RERUN_ENTRIES_MAX: number = DIGESTS_MAX;
const RERUN_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of state digested while entries run again: the digest after each entry reads the whole state. */
const RERUN_DIGESTED_BYTES_MAX = 256 * 1024 * 1024;
/** Of these, how many between two pauses in which the node does its other work. */
const RERUN_SLICE_BYTES = 4 * 1024 * 1024;
/** How long a member may take to answer about digests, in ms. */
const DIGEST_TIMEOUT_MS = 5_000;
const NO_CONTEXT: Uint8Array = new Uint8Array(0);
/** Questions about an index that this node has not reached, waiting for it; one more is answered `later`. */
const WAITING_QUESTIONS_MAX = 8;

interface Point {
  readonly index: Index;
  readonly digest: number;
  /** State and log time there, to start from; undefined when too large. */
  readonly image: ReadonlyArray<Uint8Array> | undefined;
}

interface WaitingQuestion {
  readonly index: Index;
  readonly digest: number;
  readonly deadlineMs: number;
  readonly reply: (answer: Answer) => void;
}

interface DivergenceParts {
  readonly view: NodeView;
  readonly state: ReplicatedState;
  readonly consensus: Consensus;
  readonly clock: Clock;
  readonly emitter: Emitter;
}

export class Divergence {
  readonly #view: NodeView;
  readonly #state: ReplicatedState;
  readonly #consensus: Consensus;
  readonly #clock: Clock;
  readonly #emitter: Emitter;
  /** Of the configuration in force at what is applied. */
  #settings: ClusterSettings = decodeSettings(NO_CONTEXT);
  #applied: Index = 0;
  #points: Point[] = [];
  #waiting: WaitingQuestion[] = [];
  #resyncing = false;
  #rerunning = false;
  #unreadableTold = false;

  constructor({ view, state, consensus, clock, emitter }: DivergenceParts) {
    this.#view = view;
    this.#state = state;
    this.#consensus = consensus;
    this.#clock = clock;
    this.#emitter = emitter;
  }

  /** A configuration is told of next, where there is one. */
  onOpened(applied: Index): void {
    this.#settings = decodeSettings(NO_CONTEXT);
    this.onInstalled(applied);
  }

  onInstalled(applied: Index): void {
    this.#applied = applied;
    this.#points = [];
    this.#resyncing = false;
  }

  onConfigured(settings: ClusterSettings): void {
    this.#settings = settings;
  }

  onAppliedTo(index: Index): void {
    this.#applied = index;
  }

  /** Called for every applied entry: cheap unless it is a digest point, or one that a question waits for. */
  onApplied({ index }: Entry): void {
    const every = this.#settings.digestEveryEntries;
    const due = every !== 0 && index % every === 0;
    const asked = this.#waiting.length > 0 && this.#waiting.some((question) => question.index === index);
    if (!due && !asked) return;
    const point = this.#take(index);
    if (asked) this.#answerWaiting(index, point);
    if (due && point !== undefined && this.#view.isLeader) this.#tell(point);
  }

  tick(): void {
    if (this.#waiting.length === 0) return;
    const now = this.#clock.monotonicMs();
    const late = this.#waiting.filter(({ deadlineMs }) => deadlineMs <= now);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > now);
    for (const question of late) question.reply('later');
  }

  /** Undefined for a state that cannot be had as bytes now. */
  #take(index: Index): Point | undefined {
    const bytes = this.#bytes();
    if (bytes === undefined) return undefined;
    const size = sizeOf(bytes);
    const point: Point = {
      index,
      digest: digestOf(bytes),
      image: size <= KEPT_STATE_BYTES_MAX ? bytes.map((chunk) => chunk.slice()) : undefined,
    };
    this.#points.push(point);
    if (this.#points.length > POINTS_MAX) this.#points.shift();
    return point;
  }

  /** A state that cannot be packed is the application's fault, and no reason to end its node: it is told once. */
  #bytes(): readonly Uint8Array[] | undefined {
    try {
      return stateBytes(this.#state.machine);
    } catch (error) {
      if (!this.#unreadableTold) {
        this.#unreadableTold = true;
        const text = `The state cannot be packed: no snapshot can be taken of it and no digest. ${String(error)}`;
        this.#emitter.emit('fault', { error: new RaftError('handler-failed', text, { cause: error }) });
      }
      return undefined;
    }
  }

  #tell(point: Point): void {
    this.#consensus.tellDigest(encodeQuestion(['compare', point.index, point.digest]));
  }

  /** Compares all members at one index. Leader only; others ask it of the leader. Errors: not-leader, rejected. */
  async verify(options: CallOptions): Promise<VerifyReport> {
    const { isLeader, leaderId } = this.#view;
    if (!isLeader) throw new RaftError('not-leader', 'verify is called on the leader.', { leaderHint: leaderId });
    const index = this.#applied;
    const point = this.#points.find((candidate) => candidate.index === index) ?? this.#take(index);
    if (point === undefined)
      throw new RaftError('rejected', 'This state machine streams its snapshots: its state cannot be compared at once.');
    const members = await this.#consensus.stateHolders();
    const answers = await Promise.all(members.map((peer) => this.#ask(peer, ['compare', index, point.digest], options)));
    const of = (...wanted: readonly unknown[]): NodeId[] => members.filter((_, i) => wanted.includes(answers[i]));
    const same = of('same');
    const diverged = of('different');
    const notCompared = members.filter((other) => !same.includes(other) && !diverged.includes(other));
    return { ok: diverged.length === 0 && notCompared.length === 0, atIndex: index, same, diverged, notCompared };
  }

  /** Undefined when it did not answer, or answered what cannot be read. */
  async #ask(peer: NodeId, question: Question, { timeoutMs = DIGEST_TIMEOUT_MS }: CallOptions = {}): Promise<Answer | undefined> {
    const body = await this.#consensus.askDigest(peer, encodeQuestion(question), timeoutMs);
    return body === undefined ? undefined : decodeAnswer(body);
  }

  /** A member's question. Errors: message-invalid. */
  async onQuestion(peer: NodeId, body: Uint8Array): Promise<Uint8Array> {
    return encodeAnswer(await this.#answer(peer, decodeQuestion(body)));
  }

  #answer(peer: NodeId, question: Question): Answer | Promise<Answer> {
    if (question[0] === 'compare') {
      const [, index, digest] = question;
      return new Promise((resolve) => this.#compare(peer, index, digest, resolve));
    }
    if (question[0] === 'state') {
      this.#consensus.sendState(peer);
      return 'coming';
    }
    // Only of a comparison that this node itself began: what it costs is bounded by what it has told.
    const [, from, to] = question;
    const told = this.#points.some(({ index }) => index === to) && this.#view.isLeader;
    if (!told || this.#rerunning) return [];
    return this.#rerun(from, to).then(
      (digests) => digests ?? [],
      () => [],
    );
  }

  #compare(peer: NodeId, index: Index, digest: number, reply: (answer: Answer) => void): void {
    const { leaderId, takesPart } = this.#view;
    if (peer !== leaderId || !takesPart) return reply('later');
    const own = this.#points.find((point) => point.index === index) ?? (this.#applied === index ? this.#take(index) : undefined);
    if (own !== undefined) return reply(this.#judge(own, digest));
    if (this.#applied >= index || this.#waiting.length >= WAITING_QUESTIONS_MAX) return reply('later');
    this.#waiting.push({ index, digest, reply, deadlineMs: this.#clock.monotonicMs() + DIGEST_TIMEOUT_MS });
  }

  #answerWaiting(index: Index, point: Point | undefined): void {
    const asked = this.#waiting.filter((question) => question.index === index);
    this.#waiting = this.#waiting.filter((question) => question.index !== index);
    for (const { digest, reply } of asked) reply(point === undefined ? 'later' : this.#judge(point, digest));
  }

  #judge(own: Point, digest: number): 'same' | 'different' {
    if (own.digest === digest) return 'same';
    this.#onDiverged(own.index);
    return 'different';
  }

  #onDiverged(index: Index): void {
    if (this.#resyncing || this.#view.isLeader) return;
    this.#resyncing = true;
    void this.#recover(index);
  }

  /** Names the first bad entry as well as it can, then asks for the leader's state. Never rejects. */
  async #recover(index: Index): Promise<void> {
    const first = await this.#firstDifference(index).catch(() => undefined);
    this.#emitter.emit('diverged', { index: first ?? index, exact: first !== undefined });
    this.#consensus.resync(encodeQuestion(['state']));
  }

  /** The next comparison may ask again. */
  onResyncFailed(): void {
    this.#resyncing = false;
  }

  async #firstDifference(index: Index): Promise<Index | undefined> {
    const good = this.#points.filter((point) => point.index < index).at(-1)?.index ?? 0;
    const theirs = await this.#ask(this.#view.leaderId, ['rerun', good, index]);
    const own = await this.#rerun(good, index);
    if (own === undefined || !Array.isArray(theirs) || theirs.length !== own.length) return undefined;
    const at = own.findIndex((digest, i) => digest !== theirs[i]);
    return at < 0 ? undefined : good + 1 + at;
  }

  /** Digests after each entry in (from, to], run again from the state at `from` on a machine of its own; undefined past a limit. */
  async #rerun(from: Index, to: Index): Promise<readonly number[] | undefined> {
    const point = this.#points.find((candidate) => candidate.index === from);
    const machine = this.#state.machine.fresh();
    if (!this.#view.takesPart || machine === undefined || to <= from || to - from > RERUN_ENTRIES_MAX) return undefined;
    if (from > 0 && point?.image === undefined) return undefined;
    this.#rerunning = true;
    try {
      if (point?.image !== undefined) await machine.restore(replay(point.image), machine.version);
      const scratch = new ReplicatedState(machine, this.#settings);
      return await this.#digestsOf(scratch, await this.#consensus.entries(from + 1, to, RERUN_BYTES_MAX));
    } finally {
      this.#rerunning = false;
    }
  }

  async #digestsOf(scratch: ReplicatedState, entries: readonly Entry[]): Promise<readonly number[] | undefined> {
    const digests: number[] = [];
    let digested = 0;
    let slice = 0;
    for (const entry of entries) {
      scratch.rerun(entry);
      const bytes = stateBytes(scratch.machine) ?? [];
      digests.push(digestOf(bytes));
      const size = sizeOf(bytes);
      digested += size;
      slice += size;
      if (digested > RERUN_DIGESTED_BYTES_MAX) return undefined;
      if (slice < RERUN_SLICE_BYTES) continue;
      slice = 0;
      await new Promise<void>((resolve) => this.#clock.after(1, resolve));
      if (!this.#view.takesPart) return undefined;
    }
    return digests;
  }
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

async function* replay(chunks: ReadonlyArray<Uint8Array>): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}
