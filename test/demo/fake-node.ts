/** A cluster's facts made up by a test: what the page is shown, without a cluster. */

import type { Narrated } from '../../demo/narrator.ts';
import type { ClusterConfig, NodeStatus, PeerStatus, RaftEvents } from '../../src/index.ts';
import { type Registration, registration } from '../../src/runtime/api/registration.ts';

export function peer(id: string, given: Partial<PeerStatus> = {}): PeerStatus {
  return {
    id,
    name: '',
    suffrage: 'voter',
    role: 'follower',
    term: 3,
    commitIndex: 9,
    appliedIndex: 9,
    lastIndex: 9,
    leaderId: 'b',
    matchIndex: undefined,
    lagEntries: undefined,
    progress: 'unknown',
    link: 'open',
    linkKind: 'simple-peer',
    lastContactMs: 20,
    rttMs: 0.6,
    loss: undefined,
    slowedBy: [],
    sentBytes: 1_000,
    receivedBytes: 2_000,
    ...given,
  };
}

export function status(given: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id: 'a',
    room: 'r',
    access: 'secret',
    clusterId: 'c',
    epoch: 1,
    bootNonce: 'n',
    role: 'follower',
    suffrage: 'voter',
    term: 3,
    leaderId: 'b',
    commitIndex: 9,
    appliedIndex: 9,
    lastIndex: 9,
    durableIndex: 9,
    election: { elapsedMs: 100, timeoutMs: 1_000 },
    firstIndex: 1,
    snapshotIndex: 0,
    quorumAlive: true,
    failureTolerance: 1,
    copies: 2,
    signaling: 'open',
    storageKind: 'memory',
    storageFallback: '',
    pendingWrites: 0,
    peers: [peer('b', { role: 'leader' }), peer('c')],
    ...given,
  };
}

/** Members are named by their id in capitals. */
export function config(voters: readonly string[], learners: readonly string[] = []): ClusterConfig {
  return {
    version: 1,
    voters,
    learners,
    witnesses: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
    members: [...voters, ...learners].map((id) => ({
      id,
      suffrage: voters.includes(id) ? 'voter' : 'learner',
      name: id.toUpperCase(),
      priority: 0,
      meta: undefined,
    })),
  };
}

type Listener = (event: unknown) => void;

export class FakeNode implements Narrated {
  status: NodeStatus = status();
  config: ClusterConfig = config(['a', 'b', 'c']);
  readonly #listeners: Map<string, Listener[]> = new Map();

  get leaderId(): string | undefined {
    return this.status.leaderId;
  }

  on<K extends keyof RaftEvents>(
    type: K,
    listener: (event: RaftEvents[K]) => void,
    options: { readonly signal?: AbortSignal } = {},
  ): Registration {
    const list = this.#listeners.get(type) ?? [];
    const entry: Listener = (event) => {
      if (!options.signal?.aborted) listener(event as RaftEvents[K]);
    };
    this.#listeners.set(type, [...list, entry]);
    return registration(() => undefined);
  }

  emit<K extends keyof RaftEvents>(type: K, event: RaftEvents[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }

  /** The leader as everybody sees it now, with the event that says so. */
  lead(leaderId: string | undefined, term: number): void {
    const { leaderId: _old, ...rest } = this.status;
    this.status = { ...rest, leaderId, term };
    this.emit('leader', { leaderId, term });
  }
}
