/** One line about a message between nodes: for traces and panels. */
import { describeMessage } from '../../core/describe.ts';
import type { PeerMessage } from '../../wire/peer-message.ts';

export function describePeerMessage(message: PeerMessage): string {
  switch (message.kind) {
    case 'raft':
      return describeMessage(message.message);
    case 'hello':
      return `hello from ${message.nodeId} of cluster ${message.clusterId || 'none'}, epoch ${message.epoch}`;
    case 'call':
      return `call ${message.id} ${message.method} (${message.body.length} bytes)`;
    case 'reply':
      return message.error === null ? `reply ${message.id}` : `reply ${message.id} ${message.error.code}`;
    case 'snapshot-offer':
      return `snapshot ${message.request.snapshot.index} of ${message.bytes} bytes offered`;
    case 'snapshot-chunk':
      return `snapshot chunk ${message.sequence}${message.last ? ', the last' : ''}`;
    case 'snapshot-ack':
      return message.refused ? 'snapshot refused' : `snapshot stored below chunk ${message.next}`;
    case 'presence':
      return message.data === null ? 'shows nothing' : `shows ${message.data.length} bytes for ${message.ttlMs} ms`;
    case 'goodbye':
      return `goodbye (${message.reason})`;
    case 'refusal':
      return `refused: ${message.reason}`;
  }
}
