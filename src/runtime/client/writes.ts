/**
 * Writes of this node, from the call to its one answer: numbered in a session, sent to whoever leads, sent
 * again when that fails, answered by this node's own apply (§6.2, §6.3).
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, NodeId } from '../../core/types.ts';
import { encodeCommand, encodeRegister, encodeTrust } from '../../state/envelope.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Sessions } from '../../state/sessions.ts';
import type { WriteBatch } from '../../storage/storage.ts';
import { PROPOSE_COUNT_MAX } from '../../wire/bodies.ts';
import type { PendingWrite } from '../api/api.ts';
import type { Clock } from '../ports/clock.ts';
import type { Leadership } from '../ports/seam.ts';
import { OpenWrites } from './open-writes.ts';
import {
  describePending,
  idOf,
  inheritedWrite,
  type Pending,
  refusedBusy,
  refusedError,
  type SentStage,
  sessionOf,
  toResult,
  type WriteRequest,
  type WriteResult,
} from './pending-write.ts';
import type { Proposals } from './proposals.ts';
import { isLost, isRetried } from './refusals.ts';
import { JOURNAL_AGE_MS_MAX, type SavedWrite, WriteJournal } from './write-journal.ts';

/** Data of proposals sent to the leader in one call, in bytes, and no more than PROPOSE_COUNT_MAX of them; the rest goes in the next. */
export const PROPOSE_BATCH_BYTES_MAX: number = 256 * 1024;
/** A forwarded proposal without an answer is sent again after this long, in ms. */
export const FORWARD_TIMEOUT_MS = 3_000;

export class Writes {
  readonly #self: NodeId;
  readonly #machineVersion: number;
  readonly #clock: Clock;
  readonly #proposals: Proposals;
  readonly #journal: WriteJournal;
  readonly #pendingMax: number;
  readonly #nonce: string;
  readonly #open = new OpenWrites();
  /** Of this life; 0 until it is registered, and again when it is gone. */
  #session = 0;
  #registeredUnder = '';
  /** Registering was refused: tried again at the next tick. */
  #registerRefused = false;
  /** Called without a session yet, or not yet sent under the present leader: in the order of the calls. */
  #unsent: Pending[] = [];
  /** Refused for now: sent again at the next tick, not at once, so that a refusing leader is not flooded. */
  #refused: Pending[] = [];
  #lastLeadership = '';

  constructor(
    self: { readonly id: NodeId; readonly bootNonce: string; readonly bootCount: number },
    machineVersion: number,
    pendingMax: number,
    clock: Clock,
    proposals: Proposals,
  ) {
    this.#self = self.id;
    this.#nonce = self.bootNonce;
    this.#machineVersion = machineVersion;
    this.#pendingMax = pendingMax;
    this.#clock = clock;
    this.#proposals = proposals;
    this.#journal = new WriteJournal(self.bootCount);
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes over what an earlier life left unanswered; nobody waits for it, but it is finished all the same. */
  async inherit(records: ReadonlyMap<string, Uint8Array>, uncommitted: () => Promise<readonly Entry[]>): Promise<void> {
    const found = await this.#journal.load(records, this.#clock.wallMs(), uncommitted);
    // Of a node that died again and again without a leader: the newest, as many as may wait at all.
    found.sort((a, b) => a.since - b.since);
    for (const old of found.splice(0, found.length - this.#pendingMax)) this.#journal.remove(old);
    for (const saved of found) {
      const write = inheritedWrite(saved);
      this.#open.inherit(write);
      this.#unsent.push(write);
    }
  }

  /** Errors (through done): busy, then whatever becomes of it. */
  submit(request: WriteRequest): Pending | undefined {
    if (this.#open.callsSize >= this.#pendingMax) {
      request.done(refusedBusy(this.#pendingMax));
      return undefined;
    }
    const write = this.#open.add(request, this.#clock.wallMs());
    this.#unsent.push(write);
    this.#proposals.wake();
    return write;
  }

  /** A kept write, which has waited long already or will: it has no deadline, and its own limit on how many may be. */
  keep(request: WriteRequest): Pending {
    const write = this.#open.add(request, this.#clock.wallMs());
    this.#unsent.push(write);
    this.#proposals.wake();
    return write;
  }

  /** A kept write that an earlier life of this node has numbered. */
  keepOn(saved: SavedWrite, asked: Partial<WriteRequest>): Pending {
    const write = inheritedWrite(saved, asked);
    this.#open.inherit(write);
    this.#unsent.push(write);
    return write;
  }

  /** Ends a write for its caller with an error; it may have been, or yet be, applied if it was ever sent. */
  giveUp(write: Pending, code: 'aborted' | 'timeout' | 'no-leader' | 'quota', text: string): void {
    const sent = mayComeYet(write);
    if (!this.#forget(write)) return;
    const honest = code === 'no-leader' && sent ? 'timeout' : code;
    write.request.done({ kind: 'failed', error: new RaftError(honest, text, { mayHaveApplied: sent }) });
  }

  /** Sends what can be sent; answers the journal's records to store. Call after every batch of inputs. */
  flush(): WriteBatch | undefined {
    const leadership = this.#proposals.leadership();
    if (leadership !== undefined) {
      const name = nameOf(leadership);
      this.#resendUnder(name);
      if (this.#session === 0) this.#register(leadership, name);
      if (this.#unsent.length > 0) this.#sendAll(leadership, name);
    }
    return this.#journal.flush(this.#clock.monotonicMs());
  }

  /** The journal's records to store before the end: whatever still lingers. */
  lastFlush(): WriteBatch | undefined {
    return this.#journal.flush(Number.POSITIVE_INFINITY);
  }

  /** Another leader, or another term of the same one: whatever was on its way may be lost. */
  #resendUnder(leadership: string): void {
    if (leadership === this.#lastLeadership) return;
    this.#lastLeadership = leadership;
    this.#refused = [];
    this.#unsent = this.#open.all().filter(({ stage }) => stage.kind !== 'sent' || stage.under !== leadership);
  }

  #register(leadership: Leadership, name: string): void {
    if (this.#registeredUnder === name || this.#open.ownSize === 0) return;
    this.#registeredUnder = name;
    this.#proposals.send(leadership, [encodeRegister(this.#self, this.#nonce)], (error) => {
      // Not at once: a link that takes nothing would be asked for ever within one moment.
      if (error === undefined) return;
      this.#registerRefused = true;
      // What refuses the session refuses the writes that wait for one.
      if (!isLost(error)) this.#refuseWaiting(error);
    });
  }

  #sendAll(leadership: Leadership, name: string): void {
    const waiting = this.#unsent;
    this.#unsent = [];
    let batch: Pending[] = [];
    let bytes = 0;
    for (const write of waiting) {
      if (!this.#open.has(write)) continue;
      if (write.stage.kind === 'unnumbered' && this.#session === 0) {
        this.#unsent.push(write);
        continue;
      }
      if (!write.request.forward && !leadership.isSelf) {
        this.#refuseToForward(write, leadership);
        continue;
      }
      const data = this.#dataOf(write);
      if (!this.#mayGo(write)) continue;
      if (batch.length === PROPOSE_COUNT_MAX || (batch.length > 0 && bytes + data.length > PROPOSE_BATCH_BYTES_MAX)) {
        this.#send(batch, leadership, name);
        batch = [];
        bytes = 0;
      }
      batch.push(write);
      bytes += data.length;
    }
    if (batch.length > 0) this.#send(batch, leadership, name);
  }

  /** What is kept goes when its number is on disk: a next life of this node must not give it another. */
  #mayGo(write: Pending): boolean {
    const { stage, request, sequence } = write;
    if (request.kept === undefined || stage.kind === 'unnumbered') return true;
    if (request.kept.mayGo(stage.session, sequence, stage.data)) return true;
    this.#unsent.push(write);
    return false;
  }

  /** It may be in this node's log from a time when it led: then whoever leads now may commit it yet. */
  #refuseToForward(write: Pending, leadership: Leadership): void {
    const error = new RaftError('not-leader', 'This node does not lead and was told not to forward.', {
      leaderHint: leadership.leaderId,
      mayHaveApplied: mayComeYet(write),
    });
    this.#finish(write, { kind: 'failed', error });
  }

  #dataOf(write: Pending): Uint8Array {
    if (write.stage.kind !== 'unnumbered') return write.stage.data;
    const session = this.#session;
    const { key, expectedTerm, notAfter, ifVersion, command, decidesAs } = write.request;
    const place = { session, sequence: write.sequence, answeredBelow: this.#open.answeredBelow() };
    const data =
      decidesAs === undefined
        ? encodeCommand({ ...place, machineVersion: this.#machineVersion, expectedTerm, notAfter, ifVersion, key, command })
        : encodeTrust({ ...place, role: decidesAs, by: this.#self, command });
    write.stage = { kind: 'numbered', session, data };
    return data;
  }

  #send(batch: readonly Pending[], leadership: Leadership, name: string): void {
    const data: Uint8Array[] = [];
    for (const write of batch) {
      if (write.stage.kind === 'unnumbered') continue;
      const { session, data: bytes } = write.stage;
      const stage: SentStage = { kind: 'sent', under: name, session, data: bytes };
      write.stage = stage;
      write.attempts++;
      data.push(bytes);
      this.#save(write, stage, leadership.isSelf);
    }
    this.#proposals.send(leadership, data, (error) => {
      if (error !== undefined) this.#onRefused(batch, name, error);
    });
  }

  /** A write that this node's log has is saved anew, with its bytes, when it goes to another leader: the log may lose it. */
  #save(write: Pending, { session, data }: SentStage, inLog: boolean): void {
    if (write.request.kept !== undefined) return;
    if (write.saved !== undefined) {
      if (inLog || !write.saved.inLog) return;
      this.#journal.remove(write.saved);
    }
    const { sequence, since } = write;
    const { key, notAfter: expiresAt } = write.request;
    write.saved = { session, sequence, key, since, expiresAt, data, inLog, record: undefined };
    this.#journal.add(write.saved);
  }

  #onRefused(batch: readonly Pending[], leadership: string, error: RaftError): void {
    const lost = isLost(error);
    for (const write of batch) {
      const { stage } = write;
      if (!this.#open.has(write) || stage.kind !== 'sent' || stage.under !== leadership) continue;
      write.stage = { kind: 'numbered', session: stage.session, data: stage.data };
      if (!lost) write.attempts--;
      if (lost || isRetried(write, error) || this.#isLeftOver(write)) this.#refused.push(write);
      else this.#finish(write, { kind: 'failed', error: refusedError(error, write) });
    }
  }

  /** Of an earlier life, with nobody who could be told. */
  #isLeftOver(write: Pending): boolean {
    return write.request.kept === undefined && this.#open.isInherited(write);
  }

  #refuseWaiting(error: RaftError): void {
    for (const write of this.#open.own()) {
      if (write.stage.kind === 'unnumbered' && !isRetried(write, error))
        this.#finish(write, { kind: 'failed', error: refusedError(error, write) });
    }
  }

  /** Tells what the log has done. Call for every applied entry. */
  onApplied(_entry: Entry, applied: Applied): void {
    if (applied.kind === 'registered') {
      if (applied.clientId !== this.#self || applied.nonce !== this.#nonce || this.#session !== 0) return;
      this.#session = applied.session;
      this.#proposals.wake();
    } else if (applied.kind === 'command' || applied.kind === 'trust') {
      const write = this.#open.find(applied.session, applied.sequence);
      if (write === undefined) return;
      if (applied.outcome.kind === 'error' && applied.outcome.code === 'session-expired') return this.#onExpired(write);
      this.#finish(write, applied);
    }
  }

  /**
   * A first copy that found no session was not applied: it gets a new session. A second copy cannot tell, and neither can one of an
   * earlier life, which may have sent others.
   */
  #onExpired(write: Pending): void {
    if (sessionOf(write) === this.#session) this.#startNewSession();
    if (write.attempts > 1 || this.#open.isInherited(write)) {
      const error = new RaftError('session-expired', 'The session of this write expired while it was sent again.');
      return this.#finish(write, { kind: 'failed', error });
    }
    this.#reissue(write);
  }

  #startNewSession(): void {
    this.#session = 0;
    this.#registeredUnder = '';
  }

  #reissue(write: Pending): void {
    if (write.saved !== undefined) this.#journal.remove(write.saved);
    write.saved = undefined;
    write.request.kept?.renumber();
    write.stage = { kind: 'unnumbered' };
    write.attempts = 0;
    this.#unsent.push(write);
    this.#proposals.wake();
  }

  /** After a snapshot: writes that it covers have their outcome in its session table. */
  onInstalled(_applied: Index, sessions: Sessions): void {
    for (const write of this.#open.all()) {
      if (write.stage.kind === 'unnumbered') continue;
      const stored = sessions.outcomeOf(write.stage.session, write.sequence);
      if (stored !== undefined) this.#finish(write, toResult(stored));
    }
    if (this.#session !== 0 && !sessions.has(this.#session)) this.#startNewSession();
  }

  /** Ends what has waited too long; tries again what was refused. Call on every tick. */
  tick(): void {
    if (this.#registerRefused) {
      this.#registerRefused = false;
      this.#registeredUnder = '';
    }
    if (this.#refused.length > 0) this.#unsent.push(...this.#refused.splice(0));
    const now = this.#clock.monotonicMs();
    const hasLeader = this.#proposals.leadership() !== undefined;
    for (const write of this.#open.own()) {
      if (write.request.deadlineMs > now) continue;
      if (hasLeader) this.giveUp(write, 'timeout', 'The write was not answered in time.');
      else this.giveUp(write, 'no-leader', 'No leader could be reached in time.');
    }
    const oldest = this.#clock.wallMs() - JOURNAL_AGE_MS_MAX;
    for (const write of this.#open.inherited()) if (write.since < oldest && this.#isLeftOver(write)) this.#forget(write);
  }

  stop(code: 'stopped' | 'removed', text: string): void {
    const own = this.#open.own();
    // What was sent stays in the journal: the next life of this node finishes it.
    this.#open.clear();
    for (const write of own) {
      write.request.done({ kind: 'failed', error: new RaftError(code, text, { mayHaveApplied: mayComeYet(write) }) });
    }
    this.#unsent = [];
  }

  list(decode: (command: Uint8Array) => unknown): PendingWrite[] {
    return this.#open.all().map((write) => describePending(write, decode));
  }

  cancel(id: string): boolean {
    for (const write of this.#open.all()) {
      if (idOf(write) !== id) continue;
      this.giveUp(write, 'aborted', 'The write was cancelled.');
      return true;
    }
    return false;
  }

  #finish(write: Pending, result: WriteResult): void {
    if (this.#forget(write)) write.request.done(result);
  }

  #forget(write: Pending): boolean {
    if (!this.#open.remove(write)) return false;
    if (write.saved !== undefined) this.#journal.remove(write.saved);
    return true;
  }
}

function nameOf({ leaderId, term }: Leadership): string {
  return `${leaderId}/${term}`;
}

/** Sent, and not refused since; or refused, but still in the journal, from which the next life of this node would send it. */
function mayComeYet(write: Pending): boolean {
  return write.attempts > 0 || write.saved !== undefined;
}
