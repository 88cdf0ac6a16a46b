/** What a status is made of, gathered from the parts of the consensus side. */
import type { NodeStore } from '../../storage/storage.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Discovery } from '../duties/discovery.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import type { StatusSources } from '../watch/status.ts';

interface Parts {
  readonly standing: Standing;
  readonly reports: Reports;
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly trust: Trust;
  readonly discovery: Discovery;
}

export function sourcesOf(
  { standing, reports, options, store, trust, discovery }: Parts,
  pendingWrites: () => number,
): StatusSources {
  return {
    standing,
    reports,
    room: options.room,
    access: () => trust.access,
    bootNonce: store.identity.bootNonce,
    kept: store.identity.kept ?? { kind: options.storage.kind, fallback: '' },
    pendingWrites,
    links: () => options.transport.links(),
    signaling: () => discovery,
  };
}
