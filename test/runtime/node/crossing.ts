/** The seam as it will be crossed by messages: everything that goes over it is cloned, and only what survives that arrives. */
import type { Entry, Index, ReadState } from '../../../src/core/types.ts';
import type { Application, Consensus, ErrorData, Leadership, ProposalBatch } from '../../../src/runtime/ports/seam.ts';

/** The application side as consensus reaches it over a crossing. */
export function clonedApplication(inner: Application): Application {
  return {
    reset: () => inner.reset(),
    restore: (chunks) => inner.restore(clonedChunks(chunks)),
    opened: (applied: Index) => inner.opened(structuredClone(applied)),
    installed: (applied: Index) => inner.installed(structuredClone(applied)),
    committed: (entries: readonly Entry[]) => inner.committed(structuredClone(entries)),
    configured: (...given: Parameters<Application['configured']>) => inner.configured(...structuredClone(given)),
    caughtUp: (applied: Index) => inner.caughtUp(structuredClone(applied)),
    snapshot: () => clonedChunks(inner.snapshot()),
    proposed: (ticket: number, error: ErrorData | undefined) => inner.proposed(structuredClone(ticket), structuredClone(error)),
    confirmed: (read: ReadState) => inner.confirmed(structuredClone(read)),
    leaderChanged: () => inner.leaderChanged(),
    halt: () => inner.halt(),
  };
}

/** The consensus side as the application reaches it over a crossing. */
export function clonedConsensus(inner: Consensus): Consensus {
  return {
    applied: (index: Index) => inner.applied(structuredClone(index)),
    failed: (error: ErrorData) => inner.failed(structuredClone(error)),
    leadership: (): Leadership | undefined => structuredClone(inner.leadership()),
    propose: (batch: ProposalBatch) => inner.propose(structuredClone(batch)),
    askReadRound: (context: string) => inner.askReadRound(structuredClone(context)),
    wake: () => inner.wake(),
    decided: (ledger: Uint8Array) => inner.decided(structuredClone(ledger)),
  };
}

async function* clonedChunks(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) yield structuredClone(chunk);
}
