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
    inherit: (records) => inner.inherit(structuredClone(records)),
    flush: () => inner.flush(),
    tick: () => inner.tick(),
    stood: () => inner.stood(),
    removed: () => inner.removed(),
    stopping: () => inner.stopping(),
    ended: () => inner.ended(),
    lastRecords: async () => structuredClone(await inner.lastRecords()),
    decide: (...given) => inner.decide(...structuredClone(given)),
    digest: async (...given) => structuredClone(await inner.digest(...structuredClone(given))),
    client: async (...given) => structuredClone(await inner.client(...structuredClone(given))),
    resyncFailed: () => inner.resyncFailed(),
  };
}

/** The consensus side as the application reaches it over a crossing. */
export function clonedConsensus(inner: Consensus): Consensus {
  return {
    applied: (index: Index) => inner.applied(structuredClone(index)),
    failed: (error: ErrorData) => inner.failed(structuredClone(error)),
    leadership: (): Leadership | undefined => structuredClone(inner.leadership()),
    propose: (batch: ProposalBatch) => inner.propose(structuredClone(batch)),
    proposeFor: (...given) => inner.proposeFor(...structuredClone(given)),
    askReadRound: (context: string) => inner.askReadRound(structuredClone(context)),
    wake: () => inner.wake(),
    decided: (ledger: Uint8Array) => inner.decided(structuredClone(ledger)),
    keep: (batch) => inner.keep(structuredClone(batch)),
    store: (batch) => inner.store(structuredClone(batch)),
    uncommitted: async () => structuredClone(await inner.uncommitted()),
    entries: async (...given) => structuredClone(await inner.entries(...structuredClone(given))),
    tellDigest: (question) => inner.tellDigest(structuredClone(question)),
    askDigest: async (...given) => structuredClone(await inner.askDigest(...structuredClone(given))),
    stateHolders: async () => structuredClone(await inner.stateHolders()),
    resync: (question) => inner.resync(structuredClone(question)),
    sendState: (peer) => inner.sendState(structuredClone(peer)),
  };
}

async function* clonedChunks(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) yield structuredClone(chunk);
}
