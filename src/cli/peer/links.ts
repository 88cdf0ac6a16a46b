/** The links of a process at the edge: WebRTC through the package node-datachannel where it is installed, and the relay. */
import { RaftError } from '../../core/errors.ts';
import type { EdgeLinks } from '../../front-door/edge.ts';
import type { ProcessLogger } from './logger.ts';
import type { PeerSettings } from './settings.ts';

export interface Links {
  readonly options: EdgeLinks;
  /** Its threads keep the process alive otherwise. */
  cleanup(): void;
}

const RELAY_ONLY: Links = { options: {}, cleanup: () => {} };

/** Errors: webrtc-unavailable when WebRTC was asked for and cannot be had. */
export async function linksFor(wanted: PeerSettings['links'], log: ProcessLogger): Promise<Links> {
  if (wanted === 'relay') return RELAY_ONLY;
  try {
    const { RTCPeerConnection } = await import('node-datachannel/polyfill');
    const { cleanup } = (await import('node-datachannel')).default;
    return {
      options: {
        RTCPeerConnection: RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection,
        relay: wanted !== 'native',
      },
      cleanup,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `node-datachannel cannot be loaded (${why}): install it beside tabraft with "npm i node-datachannel@0.33".`;
    if (wanted === 'native') throw new RaftError('webrtc-unavailable', text, { cause });
    log.process({
      level: 'warn',
      event: 'relay-only',
      message: `${text} Until then only peers that use the relay can be reached.`,
    });
    return RELAY_ONLY;
  }
}
