/** A recorded call, read back and made ready to be made again. The mirror of recording-core.ts. */
import { describeConfChange, describeMessage } from '../../core/describe.ts';
import { RaftError } from '../../core/errors.ts';
import type { CoreNode } from '../ports/core-node.ts';
import { unpackConfChange, unpackMessage } from './trace-codec.ts';
import type { CallName, TraceReader } from './trace-format.ts';

export interface PlayedCall {
  readonly run: () => void;
  /** Its arguments in words. */
  readonly text: string;
}

/** `time` turns a recorded step of the clock into the time. Errors: corrupt, message-invalid. */
export function makeCall(
  call: Exclude<CallName, 'ready'>,
  core: CoreNode,
  reader: TraceReader,
  time: (step: number) => number,
): PlayedCall {
  switch (call) {
    case 'tick':
    case 'campaign':
    case 'forgetLeader':
    case 'advance':
    case 'onEntriesFetched':
    case 'hasUnappliedConfChange':
    case 'goAlone':
      return { text: '', run: () => core[call]() };
    case 'setTime':
      return withNumber(time(reader.signed()), (ms) => core.setTime(ms));
    case 'setPriority':
      return withNumber(reader.signed(), (priority) => core.setPriority(priority));
    case 'setCheckQuorum':
      return withNumber(reader.number(), (on) => core.setCheckQuorum(on === 1));
    case 'applied':
    case 'resumeAfterPause':
    case 'setElectionTimeout':
      return withNumber(reader.number(), (value) => core[call](value));
    case 'readIndex':
    case 'transferLeader':
    case 'reportUnreachable':
    case 'reportSnapshotProgress': {
      const text = reader.text();
      return { text, run: () => core[call](text) };
    }
    case 'reportSnapshot': {
      const id = reader.text();
      const arrived = reader.byte() === 1;
      return { text: `${id} ${arrived ? 'arrived' : 'lost'}`, run: () => core.reportSnapshot(id, arrived) };
    }
    case 'step': {
      const message = unpackMessage(reader.bytes());
      return { text: describeMessage(message), run: () => core.step(message) };
    }
    case 'propose': {
      const data = readMany(reader, () => reader.bytes());
      return { text: `${data.length} commands`, run: () => core.propose(data) };
    }
    case 'proposeConfChange':
    case 'applyConfChange': {
      const change = unpackConfChange(reader.bytes());
      return { text: describeConfChange(change), run: () => core[call](change) };
    }
    case 'giveProxyVote': {
      const candidates = readMany(reader, () => reader.text());
      return { text: candidates.join(' '), run: () => core.giveProxyVote(candidates) };
    }
    case 'persisted':
    case 'persistedDeciding': {
      const stored = { term: reader.number(), index: reader.number(), logTerm: reader.number(), snapshotIndex: reader.number() };
      const mark = { ...stored, commitWith: call === 'persisted' ? 0 : reader.number() };
      return { text: `${mark.logTerm}/${mark.index}`, run: () => core.persisted(mark) };
    }
    case 'setElectionTimeoutRange': {
      const range = { minTicks: reader.number(), maxTicks: reader.number() };
      return { text: `${range.minTicks} ${range.maxTicks}`, run: () => core.setElectionTimeoutRange(range) };
    }
  }
}

export function callText(call: CallName, text: string): string {
  return text === '' ? call : `${call} ${text}`;
}

function withNumber(value: number, run: (value: number) => void): PlayedCall {
  return { text: String(value), run: () => run(value) };
}

/** A count, then so many byte strings or texts: each takes a byte at least, so the count is bounded by what is there. */
function readMany<T>(reader: TraceReader, read: () => T): T[] {
  const count = reader.number();
  const data: T[] = [];
  while (data.length < count) {
    if (reader.atEnd) throw new RaftError('corrupt', 'The trace ends early.');
    data.push(read());
  }
  return data;
}
