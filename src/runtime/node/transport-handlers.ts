/** Where what a transport tells of goes. */
import type { TransportHandlers } from '../../transport/transport.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Peers } from '../peers/peers.ts';

export function transportHandlers(peers: Peers, emitter: Emitter): TransportHandlers {
  return {
    onMessage: (peer, bytes) => peers.onMessage(peer, bytes),
    onLink: (peer, state) => peers.onLink(peer, state),
    onEnded: (peer) => peers.onEnded(peer),
    onFault: (error) => emitter.emit('fault', { error }),
  };
}
