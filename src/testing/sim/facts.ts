/** Small questions about entries, disks and configurations. */
import type { ConfState, Entry, HardState, Index, Term } from '../../core/types.ts';

/** What of a node is durable, whatever happens to its machine. */
export interface DurableView {
  readonly hardState: HardState;
  readonly snapshot: { readonly meta: { readonly index: Index; readonly term: Term } } | undefined;
  readonly log: {
    readonly firstIndex: Index;
    readonly lastIndex: Index;
    term(index: Index): Term | undefined;
    slice(from: Index, to: Index, bytesMax: number): readonly Entry[];
  };
}

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
