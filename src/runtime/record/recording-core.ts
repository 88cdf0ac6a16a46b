/** A core that writes down what it is told. Questions that change nothing (status, hasReady …) are not written down. */
import type { ElectionTimeoutRange } from '../../core/config.ts';
import type { AloneOutcome, ApplyConfOutcome, AskOutcome, ProposeOutcome } from '../../core/outcome.ts';
import type { Farewell } from '../../core/protocol/proxy-vote.ts';
import type { RawNode } from '../../core/raw-node.ts';
import type { Status } from '../../core/status.ts';
import type { ConfChange, Index, LogReader, Message, NodeId, PersistMark, Ready } from '../../core/types.ts';
import type { CoreNode } from '../ports/core-node.ts';
import type { Tape } from './tape.ts';
import { packConfChange, packMessage, redactBytes } from './trace-codec.ts';
import type { CallName, TraceWriter } from './trace-format.ts';

export class RecordingCore implements CoreNode {
  readonly #core: RawNode;
  readonly #reader: LogReader;
  readonly #tape: Tape;

  constructor(core: RawNode, reader: LogReader, tape: Tape) {
    this.#core = core;
    this.#reader = reader;
    this.#tape = tape;
  }

  get id(): NodeId {
    return this.#core.id;
  }
  hasReady(): boolean {
    return this.#core.hasReady();
  }
  inLease(): boolean {
    return this.#core.inLease();
  }
  status(): Status {
    return this.#core.status();
  }

  tick(): void {
    this.#call('tick', undefined, () => this.#core.tick());
  }
  setTime(ms: number): void {
    this.#call(
      'setTime',
      (writer) => writer.signed(this.#tape.timeStep(ms)),
      () => this.#core.setTime(ms),
    );
  }
  step(message: Message): ProposeOutcome | undefined {
    return this.#call(
      'step',
      (writer) => writer.bytes(packMessage(message, this.#tape.redacted)),
      () => this.#core.step(message),
    );
  }
  campaign(): void {
    this.#call('campaign', undefined, () => this.#core.campaign());
  }
  propose(data: readonly Uint8Array[]): ProposeOutcome {
    return this.#call(
      'propose',
      (writer) => {
        writer.number(data.length);
        for (const one of data) writer.bytes(this.#tape.redacted ? redactBytes(one) : one);
      },
      () => this.#core.propose(data),
    );
  }
  proposeConfChange(change: ConfChange): ProposeOutcome {
    return this.#call(
      'proposeConfChange',
      (writer) => writer.bytes(packConfChange(change)),
      () => this.#core.proposeConfChange(change),
    );
  }
  applyConfChange(change: ConfChange): ApplyConfOutcome {
    return this.#call(
      'applyConfChange',
      (writer) => writer.bytes(packConfChange(change)),
      () => this.#core.applyConfChange(change),
    );
  }
  readIndex(context: string): AskOutcome {
    return this.#call('readIndex', text(context), () => this.#core.readIndex(context));
  }
  transferLeader(target: NodeId): AskOutcome {
    return this.#call('transferLeader', text(target), () => this.#core.transferLeader(target));
  }
  goAlone(): AloneOutcome {
    return this.#call('goAlone', undefined, () => this.#core.goAlone());
  }
  giveProxyVote(candidates: readonly NodeId[]): Farewell | undefined {
    return this.#call(
      'giveProxyVote',
      (writer) => {
        writer.number(candidates.length);
        for (const id of candidates) writer.text(id);
      },
      () => this.#core.giveProxyVote(candidates),
    );
  }
  forgetLeader(): boolean {
    return this.#call('forgetLeader', undefined, () => this.#core.forgetLeader());
  }
  reportUnreachable(id: NodeId): void {
    this.#call('reportUnreachable', text(id), () => this.#core.reportUnreachable(id));
  }
  reportSnapshot(id: NodeId, arrived: boolean): void {
    this.#call(
      'reportSnapshot',
      (writer) => {
        writer.text(id);
        writer.byte(arrived ? 1 : 0);
      },
      () => this.#core.reportSnapshot(id, arrived),
    );
  }
  reportSnapshotProgress(id: NodeId): void {
    this.#call('reportSnapshotProgress', text(id), () => this.#core.reportSnapshotProgress(id));
  }
  ready(): Ready {
    return this.#call('ready', undefined, () => {
      const ready = this.#core.ready();
      this.#tape.ready(ready);
      return ready;
    });
  }
  persisted(mark: PersistMark): void {
    const { term, index, logTerm, snapshotIndex, commitWith = 0 } = mark;
    this.#call(
      commitWith === 0 ? 'persisted' : 'persistedDeciding',
      (writer) => {
        for (const value of [term, index, logTerm, snapshotIndex]) writer.number(value);
        if (commitWith > 0) writer.number(commitWith);
      },
      () => this.#core.persisted(mark),
    );
  }
  applied(index: Index): void {
    this.#call('applied', number(index), () => this.#core.applied(index));
  }
  advance(): void {
    this.#call('advance', undefined, () => this.#core.advance());
  }
  onEntriesFetched(): void {
    this.#call('onEntriesFetched', undefined, () => this.#core.onEntriesFetched());
  }
  resumeAfterPause(missedTicks: number): void {
    this.#call('resumeAfterPause', number(missedTicks), () => this.#core.resumeAfterPause(missedTicks));
  }
  setPriority(priority: number): void {
    this.#call(
      'setPriority',
      (writer) => writer.signed(priority),
      () => this.#core.setPriority(priority),
    );
  }
  setCheckQuorum(on: boolean): void {
    this.#call('setCheckQuorum', number(on ? 1 : 0), () => this.#core.setCheckQuorum(on));
  }
  setElectionTimeoutRange(range: ElectionTimeoutRange): void {
    this.#call(
      'setElectionTimeoutRange',
      (writer) => {
        writer.number(range.minTicks);
        writer.number(range.maxTicks);
      },
      () => this.#core.setElectionTimeoutRange(range),
    );
  }
  setElectionTimeout(ticks: number): void {
    this.#call('setElectionTimeout', number(ticks), () => this.#core.setElectionTimeout(ticks));
  }
  hasUnappliedConfChange(): boolean {
    // A question, but one that reads the log and so moves what the core remembers of it.
    return this.#call('hasUnappliedConfChange', undefined, () => this.#core.hasUnappliedConfChange());
  }

  #call<T>(call: CallName, write: ((writer: TraceWriter) => void) | undefined, run: () => T): T {
    if (this.#tape.ending !== undefined) return run();
    this.#tape.beginCall(this.#reader, call, write);
    try {
      return run();
    } catch (error) {
      this.#tape.threw(error);
      throw error;
    } finally {
      this.#tape.end();
    }
  }
}

function text(value: string): (writer: TraceWriter) => void {
  return (writer) => writer.text(value);
}

function number(value: number): (writer: TraceWriter) => void {
  return (writer) => writer.number(value);
}
