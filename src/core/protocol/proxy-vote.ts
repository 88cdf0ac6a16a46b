/**
 * The proxy vote (docs/CORE.md, rules P1 to P3 and S1): a leader that ends casts its vote of the next term for its
 * successor and writes nothing down. Its life ends with it, and its next life starts past that term.
 */
import { canLead } from '../conf/conf-state.ts';
import { SPENT } from '../conf/node-id.ts';
import type { Config } from '../config.ts';
import { PROXY_BYTES_MAX } from '../limits.ts';
import type { Progress } from '../progress/progress.ts';
import type { Leader, Raft } from '../state.ts';
import { type Entry, type HardState, type Message, NO_LIMIT, NO_NODE, type NodeId, type ProxyVote } from '../types.ts';
import type { Writable } from '../writable.ts';
import { tryCampaign } from './election.ts';
import { becomeFollower } from './roles.ts';
import { pendingChange } from './settled.ts';

/** What the environment sends, in this order, on the lane of appends; nothing else leaves this node any more. */
export interface Farewell {
  readonly to: NodeId;
  readonly messages: readonly Message[];
}

interface Successor {
  readonly progress: Progress;
  readonly missing: readonly Entry[];
  readonly bytes: number;
}

/**
 * P1: to the candidate that lacks the fewest bytes; among equals to the first. The life of this node ends with it.
 * undefined: nobody can take it, and everything goes on.
 */
export function giveProxyVote(raft: Raft, candidates: readonly NodeId[]): Farewell | undefined {
  const { role: leader, log, id, term } = raft;
  if (!raft.config.proxyVotes || leader.name !== 'leader' || raft.ended) return undefined;
  const successor = successorOf(raft, leader, candidates);
  if (successor === undefined) return undefined;
  const { progress } = successor;
  const to = progress.id;
  const messages: Message[] = appendsOf(raft, successor);
  messages.push({
    type: 'proxy-vote',
    from: id,
    to,
    term,
    lastIndex: log.last,
    lastTerm: log.lastTerm,
    sealed: isSealedHere(raft, leader),
  });
  messages.push({ type: 'timeout-now', from: id, to, term });
  const own: Writable<Raft, 'ended'> = raft;
  own.ended = true;
  if (raft.trace !== undefined) raft.trace({ kind: 'proxy-vote', to, term: term + 1 });
  becomeFollower(raft, term, NO_NODE, 'left its vote to another');
  return { to, messages };
}

/** Its own log holds its own seal, durably, and no change that it has not applied (P3). */
function isSealedHere(raft: Raft, leader: Leader): boolean {
  const { sealIndex, members } = leader;
  return sealIndex <= raft.log.last && (members.own?.match ?? 0) >= sealIndex && pendingChange(raft, leader) === 'none';
}

function successorOf(raft: Raft, leader: Leader, candidates: readonly NodeId[]): Successor | undefined {
  let best: Successor | undefined;
  for (const id of candidates) {
    const progress = leader.members.get(id);
    if (progress === undefined || id === raft.id || !canLead(raft.conf, id) || progress.state !== 'replicate') continue;
    const missing = raft.log.entries(progress.match + 1, raft.log.last + 1, NO_LIMIT, NO_LIMIT);
    if (typeof missing === 'string' || progress.match + missing.length < raft.log.last) continue;
    if (typeof raft.log.term(progress.match) !== 'number') continue;
    const bytes = missing.reduce((sum, entry) => sum + raft.config.entryBytes(entry), 0);
    if (bytes <= PROXY_BYTES_MAX && (best === undefined || bytes < best.bytes)) best = { progress, missing, bytes };
  }
  return best;
}

/** All that is not acknowledged, past the limits of the window: there is no later. */
function appendsOf(raft: Raft, { progress, missing }: Successor): Message[] {
  const { id, term, log, config } = raft;
  const appends: Message[] = [];
  let prevIndex = progress.match;
  // An empty one all the same: it carries the commit index.
  do {
    const from = prevIndex - progress.match;
    const entries = missing.slice(from, endOfAppend(missing, from, config));
    const prevTerm = log.term(prevIndex) as number;
    appends.push({
      type: 'append-request',
      from: id,
      to: progress.id,
      term,
      prevIndex,
      prevTerm,
      commit: log.committed,
      entries,
    });
    prevIndex += entries.length;
  } while (prevIndex < log.last);
  return appends;
}

/** At least one entry, then as many as an append may hold. */
function endOfAppend(entries: readonly Entry[], from: number, { maxAppendBytes, maxAppendEntries, entryBytes }: Config): number {
  let bytes = 0;
  let end = from;
  for (; end < entries.length && end - from < maxAppendEntries; end++) {
    bytes += entryBytes(entries[end] as Entry);
    if (end > from && bytes > maxAppendBytes) break;
  }
  return end;
}

/** P2: it counts where this log is the leader's. Kept in memory until the term it counts in is over. */
export function onProxyVote(raft: Raft, message: ProxyVote): void {
  const { role, log, config } = raft;
  const counts =
    config.proxyVotes &&
    role.name === 'follower' &&
    role.leader === message.from &&
    log.last === message.lastIndex &&
    log.lastTerm === message.lastTerm;
  if (!counts) {
    if (raft.trace !== undefined) raft.trace({ kind: 'dropped', message, why: 'not the log, or not the leader, of this node' });
    return;
  }
  const own: Writable<Raft, 'proxy'> = raft;
  own.proxy = { from: message.from, term: raft.term + 1, sealed: message.sealed };
}

/** It waited for a committed change to be applied: now it may be possible. */
export function retryProxyCampaign(raft: Raft): void {
  if (raft.proxy === undefined || raft.proxy.term !== raft.term + 1 || raft.log.hasUnappliedConfChange()) return;
  tryCampaign(raft, 'transfer');
}

/** S1: who voted for itself may have led, and so may have left its vote of the next term to another. */
export function hardStateAtStart(config: Config, stored: HardState): HardState {
  if (!config.proxyVotes || stored.vote !== config.id) return stored;
  return { term: stored.term + 1, vote: SPENT, commit: stored.commit };
}
