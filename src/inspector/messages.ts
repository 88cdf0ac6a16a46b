/** Which messages are drawn: all are counted, a few are shown. */
import type { NodeId, TraceEvent } from '../index.ts';

/** What a message is to somebody who watches. */
export const MESSAGE_KINDS = ['append', 'answer', 'heartbeat', 'vote', 'snapshot', 'call', 'other'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

const KINDS: Readonly<Record<string, MessageKind>> = {
  'append-request': 'append',
  'append-response': 'answer',
  'heartbeat-request': 'heartbeat',
  'heartbeat-response': 'heartbeat',
  'vote-request': 'vote',
  'vote-response': 'vote',
  'proxy-vote': 'vote',
  'timeout-now': 'vote',
  'transfer-request': 'vote',
  'snapshot-request': 'snapshot',
  'snapshot-offer': 'snapshot',
  'snapshot-chunk': 'snapshot',
  'snapshot-ack': 'snapshot',
  call: 'call',
  reply: 'call',
  'propose-request': 'call',
  'read-index-request': 'call',
  'read-index-response': 'call',
};

export function kindOf(kind: string): MessageKind {
  return Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? 'other') : 'other';
}

/** A message that is drawn. */
export interface Mark {
  readonly peer: NodeId;
  readonly direction: TraceEvent['direction'];
  readonly kind: MessageKind;
}

/** Marks that wait to be drawn: what comes in between two drawings beyond that is counted only. */
export const MARKS_WAITING_MAX = 24;
/** Of one peer, direction and kind between two drawings: one says that there are some. */
const ALIKE_MAX = 1;

export class MessageSampler {
  #marks: Mark[] = [];
  readonly #alike = new Map<string, number>();
  #count = 0;

  /** Called for every message: must cost next to nothing. */
  note({ peer, direction, kind }: Pick<TraceEvent, 'peer' | 'direction' | 'kind'>): void {
    this.#count += 1;
    if (this.#marks.length >= MARKS_WAITING_MAX) return;
    const key = `${direction}${kind}${peer}`;
    const alike = this.#alike.get(key) ?? 0;
    if (alike >= ALIKE_MAX) return;
    this.#alike.set(key, alike + 1);
    this.#marks.push({ peer, direction, kind: kindOf(kind) });
  }

  /** The marks since the last call, votes first: they are few and tell the most. */
  take(): readonly Mark[] {
    const marks = this.#marks;
    this.#marks = [];
    this.#alike.clear();
    return marks.sort((a, b) => Number(b.kind === 'vote') - Number(a.kind === 'vote'));
  }

  /** Messages seen since the inspector was opened. */
  get count(): number {
    return this.#count;
  }
}
