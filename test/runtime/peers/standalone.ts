/** The peers of a node that has nothing else: what they are told comes from the test, what they do is written down. */
import type { RaftError } from '../../../src/core/errors.ts';
import type { NodeId } from '../../../src/core/types.ts';
import { misfit } from '../../../src/runtime/peers/acquaintance.ts';
import type { Speaker } from '../../../src/runtime/peers/inbox.ts';
import { Peers } from '../../../src/runtime/peers/peers.ts';
import type { Clock } from '../../../src/runtime/ports/clock.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { decodePeerMessage } from '../../../src/wire/codec.ts';
import { type Hello, type PeerMessage, PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../../src/wire/peer-message.ts';

const SELF = 'a';
const CLUSTER = { clusterId: 'cluster', epoch: 2 };

export function helloFrom(nodeId: NodeId, more: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    versionMin: PROTOCOL_VERSION_MIN,
    versionMax: PROTOCOL_VERSION_MAX,
    nodeId,
    bootNonce: `boot of ${nodeId}`,
    clusterId: CLUSTER.clusterId,
    epoch: CLUSTER.epoch,
    machineVersion: 1,
    name: '',
    ...more,
  };
}

export interface Standalone {
  readonly peers: Peers;
  /** What was sent, as its receiver reads it. */
  readonly sent: PeerMessage[];
  readonly sentBytes: Uint8Array[];
  readonly dropped: NodeId[];
  readonly refusals: RaftError[];
  readonly goodbyes: NodeId[];
}

export function standaloneOf(speaker: Speaker = 'member'): Standalone {
  const sent: PeerMessage[] = [];
  const sentBytes: Uint8Array[] = [];
  const dropped: NodeId[] = [];
  const refusals: RaftError[] = [];
  const goodbyes: NodeId[] = [];
  const transport: Transport = {
    kind: 'test',
    start: () => Promise.resolve(),
    send: (id, bytes) => {
      sentBytes.push(bytes);
      sent.push(decodePeerMessage(bytes, { self: id, peer: SELF }));
      return true;
    },
    queuedBytes: () => 0,
    links: () => [],
    disconnect: (id) => void dropped.push(id),
    stop: () => Promise.resolve(),
  };
  const nothing = { stop: () => {} };
  const clock: Clock = {
    monotonicMs: () => 0,
    wallMs: () => 0,
    startTicks: () => nothing,
    soon: (run) => run(),
    after: () => nothing,
    random: () => 0,
  };
  const peers = new Peers(SELF, transport, clock);
  peers.attach({
    hello: () => helloFrom(SELF),
    judge: (hello) => misfit(hello, CLUSTER),
    view: { speaker: () => speaker, term: 1, knownTerm: 1, lastIndex: 1, leaderId: '' },
    onPeer: () => {},
    onNotMember: () => {},
    onRaft: () => {},
    onCall: () => {},
    onSnapshotOffer: () => {},
    onSnapshotChunk: () => {},
    onSnapshotAck: () => {},
    onPresence: () => {},
    onGoodbye: (id) => void goodbyes.push(id),
    onRefused: (_id, error) => void refusals.push(error),
    onTrace: () => {},
    onUnsendable: (error) => {
      throw error;
    },
  });
  return { peers, sent, sentBytes, dropped, refusals, goodbyes };
}
