/** What a hello must say to fit this node, and what a node that does not fit is told. */
import { RaftError } from '../../core/errors.ts';
import type { ClusterIdentity, NodeIdentity } from '../../storage/storage.ts';
import { type Hello, PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../wire/peer-message.ts';

/** What this node says of itself on a new link. */
export function helloOf(
  { nodeId, bootNonce }: NodeIdentity,
  cluster: ClusterIdentity | undefined,
  machineVersion: number,
  name: string,
): Hello {
  return {
    kind: 'hello',
    versionMin: PROTOCOL_VERSION_MIN,
    versionMax: PROTOCOL_VERSION_MAX,
    nodeId,
    bootNonce,
    clusterId: cluster?.clusterId ?? '',
    epoch: cluster?.epoch ?? 0,
    machineVersion,
    name,
  };
}

/** Why a peer does not belong here. A node without a cluster fits everywhere: it wants to join. */
export function misfit(hello: Hello, own: ClusterIdentity | undefined): RaftError | undefined {
  if (own === undefined || hello.clusterId === '') return undefined;
  if (hello.clusterId !== own.clusterId)
    return new RaftError('cluster-mismatch', `${hello.nodeId} belongs to another cluster than this node.`);
  if (hello.epoch < own.epoch)
    return new RaftError(
      'epoch-mismatch',
      `The cluster was recovered into epoch ${own.epoch}; ${hello.nodeId} is of epoch ${hello.epoch}.`,
    );
  // A newer epoch than ours: the peer refuses us, and says so.
  return hello.epoch > own.epoch
    ? new RaftError('epoch-mismatch', `This node is of epoch ${own.epoch}, ${hello.nodeId} of ${hello.epoch}.`)
    : undefined;
}

/** The peer's hello says that this node's cluster goes on in a later epoch. */
export function isOfLaterEpoch(hello: Hello | undefined, own: ClusterIdentity | undefined): boolean {
  return hello !== undefined && own !== undefined && hello.clusterId === own.clusterId && hello.epoch > own.epoch;
}
