/** Puts messages into the lane they belong to. */
import type { Raft } from '../state.ts';
import type { AppendResponse, Message } from '../types.ts';

/** Leaves at once; or, where terms come first, when the term it speaks in is durable. */
export function sendNow(raft: Raft, message: Message): void {
  const wait = raft.config.compat.durableTermFirst && raft.durableTerm < raft.term;
  if (raft.trace !== undefined) raft.trace({ kind: 'sent', message, afterPersist: wait });
  if (wait) raft.outbox.afterPersist(message);
  else raft.outbox.now(message);
}

/** Promises something: leaves when everything written so far is durable. */
export function sendAfterPersist(raft: Raft, message: Message): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'sent', message, afterPersist: true });
  raft.outbox.afterPersist(message);
}

export function sendAck(raft: Raft, message: AppendResponse): void {
  if (raft.trace !== undefined) raft.trace({ kind: 'sent', message, afterPersist: true });
  if (raft.config.compat.batchAppends) raft.outbox.afterPersistMerged(message);
  else raft.outbox.afterPersist(message);
}
