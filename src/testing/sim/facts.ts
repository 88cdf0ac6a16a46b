/** Small questions about entries, disks and configurations. */
import type { ConfState, Entry, Index, Term } from '../../core/types.ts';
import type { DurableView } from './ghost.ts';

/** Whether a disk has an entry, or a snapshot in its place. */
export function holds({ log, snapshot }: DurableView, index: Index, term: Term): boolean {
  if (snapshot !== undefined && snapshot.meta.index >= index) return true;
  if (index < log.firstIndex) return true;
  return log.term(index) === term;
}

export function hashOf(entry: Entry): number {
  let hash = entry.type === 'conf' ? 7 : 3;
  for (const byte of entry.data) hash = (Math.imul(hash, 31) + byte) | 0;
  if (entry.change !== undefined)
    for (const step of entry.change.steps)
      for (const letter of `${step.op}${step.id}`) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  return hash;
}

export function describeConf({ voters, votersOutgoing, learners, learnersNext, autoLeave }: ConfState): string {
  const parts = [`voters ${voters.join(' ')}`];
  if (votersOutgoing.length > 0) parts.push(`outgoing ${votersOutgoing.join(' ')}${autoLeave ? ' auto' : ''}`);
  if (learners.length > 0) parts.push(`learners ${learners.join(' ')}`);
  if (learnersNext.length > 0) parts.push(`next ${learnersNext.join(' ')}`);
  return `(${parts.join(', ')})`;
}
