/** One text form of everything the core deals in: for logs, tests and tools. One line each, stable, meant to be compared. */
import { SPENT } from './conf/node-id.ts';
import type { Status } from './status.ts';
import type { TraceEvent } from './trace.ts';
import type { ConfChange, ConfChangeOp, ConfState, Entry, HardState, Message, NodeId, Ready, SnapshotMeta } from './types.ts';

export interface DescribeOptions {
  /** How a command is shown. Default: its length in bytes, or as text where it is short printable ASCII. */
  readonly command?: (data: Uint8Array) => string;
}

const TEXT_BYTES_MAX = 40;

function commandText(data: Uint8Array, options: DescribeOptions | undefined): string {
  if (options?.command !== undefined) return options.command(data);
  let text = '';
  for (const byte of data) {
    if (byte < 0x20 || byte > 0x7e || data.length > TEXT_BYTES_MAX) return `<${data.length} bytes>`;
    text += String.fromCharCode(byte);
  }
  return JSON.stringify(text);
}

const SIGNS: Readonly<Record<ConfChangeOp, string>> = { voter: '+', learner: '~', witness: '?', remove: '-', update: '=' };

/** `+a -b explicit`; `leave` when there are no steps. */
export function describeConfChange(change: ConfChange): string {
  const steps = change.steps.map(({ op, id, context }) => `${SIGNS[op]}${id}${context === undefined ? '' : '*'}`);
  if (steps.length === 0) steps.push(change.context === undefined ? 'leave' : 'context');
  return change.transition === 'auto' ? steps.join(' ') : [...steps, change.transition].join(' ');
}

/** `term/index`, then the command, the change, or nothing for a no-op. */
export function describeEntry(entry: Entry, options?: DescribeOptions): string {
  const place = `${entry.term}/${entry.index}`;
  if (entry.change !== undefined) return `${place} conf ${describeConfChange(entry.change)}`;
  return entry.data.length === 0 ? place : `${place} ${commandText(entry.data, options)}`;
}

/** `(a b)&&(a) learners=(c)`. */
export function describeConf(conf: ConfState): string {
  const parts = [`(${conf.voters.join(' ')})`];
  if (conf.votersOutgoing.length > 0) parts[0] += `&&(${conf.votersOutgoing.join(' ')})`;
  const lists: readonly (readonly [string, readonly NodeId[]])[] = [
    ['learners', conf.learners],
    ['next', conf.learnersNext],
    ['witnesses', conf.witnesses],
  ];
  for (const [name, ids] of lists) if (ids.length > 0) parts.push(`${name}=(${ids.join(' ')})`);
  if (conf.autoLeave) parts.push('auto-leave');
  return parts.join(' ');
}

export function describeHardState({ term, vote, commit }: HardState): string {
  const voted = vote === SPENT ? 'spent' : vote;
  return `term=${term}${voted === '' ? '' : ` vote=${voted}`} commit=${commit}`;
}

export function describeSnapshot({ index, term, conf }: SnapshotMeta): string {
  return `${term}/${index} ${describeConf(conf)}`;
}

/** `a->b append @3 1/10 commit=9 [3/11 "x"]`: the term after @. */
export function describeMessage(message: Message, options?: DescribeOptions): string {
  const head = `${message.from}->${message.to}`;
  const term = message.term === 0 ? '' : ` @${message.term}`;
  return `${head} ${bodyOf(message, term, options)}`;
}

function bodyOf(message: Message, term: string, options: DescribeOptions | undefined): string {
  switch (message.type) {
    case 'append-request': {
      const entries = message.entries.map((entry) => describeEntry(entry, options)).join(', ');
      return `append${term} ${message.prevTerm}/${message.prevIndex} commit=${message.commit}${entries && ` [${entries}]`}`;
    }
    case 'append-response':
      if (message.reject) return `append refused${term} ${message.index} hint=${message.hintTerm}/${message.hintIndex}`;
      return `append ok${term} ${message.index}`;
    case 'heartbeat-request':
      return `heartbeat${term} commit=${message.commit}${roundText(message.round)}`;
    case 'heartbeat-response':
      return `heartbeat ok${term}${roundText(message.round)}`;
    case 'vote-request': {
      const kind = message.pre ? 'pre-vote?' : 'vote?';
      return `${kind}${term} ${message.lastTerm}/${message.lastIndex}${message.transfer ? ' transfer' : ''}`;
    }
    case 'vote-response':
      return `${message.pre ? 'pre-vote' : 'vote'} ${message.reject ? 'refused' : 'granted'}${term}`;
    case 'snapshot-request':
      return `snapshot${term} ${describeSnapshot(message.snapshot)}`;
    case 'transfer-request':
      return `transfer to ${message.target}?${term}`;
    case 'timeout-now':
      return `timeout now${term}`;
    case 'proxy-vote':
      return `proxy vote${term} ${message.lastTerm}/${message.lastIndex}${message.sealed ? ' sealed' : ''}`;
    case 'transfer-refused':
      return `transfer refused${term}`;
    case 'propose-request':
      return `propose [${message.entries.map((entry) => describeEntry(entry, options)).join(', ')}]`;
    case 'read-index-request':
      return `read? ${message.context}`;
    case 'read-index-response':
      return message.reject ? `read refused${term} ${message.context}` : `read ok${term} ${message.context} at ${message.index}`;
  }
}

function roundText(round: number): string {
  return round === 0 ? '' : ` round=${round}`;
}

/** Several lines; empty for a Ready with nothing in it. */
export function describeReady(ready: Ready, options?: DescribeOptions): string {
  const lines: string[] = [];
  if (ready.softState !== undefined) lines.push(`${ready.softState.role} leader=${ready.softState.leader || 'none'}`);
  if (ready.hardState !== undefined) lines.push(`save ${describeHardState(ready.hardState)}`);
  if (ready.snapshot !== undefined) lines.push(`save snapshot ${describeSnapshot(ready.snapshot)}`);
  for (const entry of ready.entries) lines.push(`save ${describeEntry(entry, options)}`);
  for (const entry of ready.committedEntries) lines.push(`apply ${describeEntry(entry, options)}`);
  for (const message of ready.messages) lines.push(`send ${describeMessage(message, options)}`);
  for (const message of ready.messagesAfterPersist) lines.push(`then ${describeMessage(message, options)}`);
  for (const { context, index, rejected } of ready.readStates)
    lines.push(`read ${context} ${rejected ? 'rejected' : `at ${index}`}`);
  return lines.join('\n');
}

/** A line for the node, then one for each member it leads. */
export function describeStatus(status: Status): string {
  const { id, role, term, leader, commitIndex, appliedIndex, lastIndex, lastTerm, conf } = status;
  const own = `${id} ${role} term=${term} leader=${leader || 'none'} log=${lastTerm}/${lastIndex} commit=${commitIndex} applied=${appliedIndex} ${describeConf(conf)}`;
  const members = status.progress.map((progress) => {
    const flags = [
      progress.learner && 'learner',
      progress.witness && 'witness',
      progress.paused && 'paused',
      !progress.recentActive && 'silent',
    ];
    const inflight = progress.inflightMessages > 0 ? [`inflight=${progress.inflightMessages}`] : [];
    const place = `match=${progress.matchIndex} next=${progress.nextIndex}`;
    return [`  ${progress.id} ${progress.state} ${place}`, ...inflight, ...flags.filter((flag) => flag !== false)].join(' ');
  });
  return [own, ...members].join('\n');
}

/** One line. */
export function describeTrace(event: TraceEvent, options?: DescribeOptions): string {
  switch (event.kind) {
    case 'received':
      return `received ${describeMessage(event.message, options)}`;
    case 'sent':
      return `${event.afterPersist ? 'sent after write' : 'sent'} ${describeMessage(event.message, options)}`;
    case 'dropped':
      return `dropped ${describeMessage(event.message, options)}: ${event.why}`;
    case 'conf':
      return `conf ${describeConf(event.conf)}`;
    case 'read':
      return `read ${event.read.context} ${event.read.rejected ? 'rejected' : `at ${event.read.index}`}`;
    default: {
      const { kind, ...facts } = event;
      return [kind, ...Object.entries(facts).map(([name, value]) => `${name}=${String(value) || 'none'}`)].join(' ');
    }
  }
}
