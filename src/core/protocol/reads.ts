/** Verbs of reads below the roles: to answer one, and to refuse all that wait. */
import type { Raft } from '../state.ts';
import type { Index } from '../types.ts';
import type { ReadQueue, ReadRequest } from './read-queue.ts';
import { sendNow } from './send.ts';

/** The read may be served once `index` is applied where it was asked; or it will not be confirmed. */
export function answerRead(raft: Raft, request: ReadRequest, index: Index, rejected: boolean): void {
  const { context, from } = request;
  if (raft.trace !== undefined) raft.trace({ kind: 'read', read: { context, index, rejected } });
  if (from === raft.id) raft.readStates.push({ context, index, rejected });
  else {
    sendNow(raft, { type: 'read-index-response', from: raft.id, to: from, term: raft.term, context, index, reject: rejected });
  }
}

/** Leadership is gone: those who wait are told so. Without explicit refusals they wait for their own timeouts. */
export function refuseReads(raft: Raft, reads: ReadQueue): void {
  const rounds = reads.takeAll();
  if (!raft.config.compat.explicitRefusals) return;
  for (const { requests } of rounds) for (const request of requests) answerRead(raft, request, 0, true);
  for (const request of raft.waitingReads.splice(0)) answerRead(raft, request, 0, true);
}
