/** Bare data channels between the leader's tab (place 0) and the others, introduced over a BroadcastChannel. */
import { channel } from './quiet-channels.ts';

interface Signal {
  readonly from: number;
  readonly to: number;
  readonly description?: RTCSessionDescriptionInit;
  readonly candidate?: RTCIceCandidateInit | undefined;
  readonly here?: true;
}

/** In the leader's tab one channel per follower, by place; in a follower's the one to the leader. */
export async function dial(room: string, place: number, tabs: number): Promise<readonly RTCDataChannel[]> {
  const words = channel(`links-${room}`);
  const peers = place === 0 ? Array.from({ length: tabs - 1 }, (_, i) => i + 1) : [0];
  return Promise.all(peers.map((peer) => connect(words, place, peer)));
}

function connect(words: BroadcastChannel, self: number, peer: number): Promise<RTCDataChannel> {
  return new Promise((resolve) => {
    const connection = new RTCPeerConnection();
    // The same channel on both ends, without asking.
    const link = connection.createDataChannel('log', { negotiated: true, id: 1 });
    link.binaryType = 'arraybuffer';
    link.onopen = () => resolve(link);
    const say = (more: Partial<Signal>): void => words.postMessage({ from: self, to: peer, ...more } satisfies Signal);
    let offered = false;
    const early: RTCIceCandidateInit[] = [];
    connection.onicecandidate = ({ candidate }) => {
      if (candidate !== null) say({ candidate: candidate.toJSON() });
    };
    const announce = async (): Promise<void> => {
      await connection.setLocalDescription();
      const { localDescription } = connection;
      if (localDescription !== null) say({ description: { type: localDescription.type, sdp: localDescription.sdp } });
    };
    const hear = async ({ here, description, candidate }: Signal): Promise<void> => {
      clearInterval(calling);
      if (here === true && self === 0 && !offered) {
        offered = true;
        await announce();
      }
      if (description !== undefined) {
        await connection.setRemoteDescription(description);
        if (description.type === 'offer') await announce();
        for (const one of early.splice(0)) await connection.addIceCandidate(one);
      }
      if (candidate !== undefined) {
        if (connection.remoteDescription === null) early.push(candidate);
        else await connection.addIceCandidate(candidate);
      }
    };
    words.addEventListener('message', ({ data }: MessageEvent<Signal>) => {
      if (data.to === self && data.from === peer) void hear(data);
    });
    // The leader's tab offers when it hears of somebody; it may not be listening yet.
    const calling = self === 0 ? undefined : setInterval(() => say({ here: true }), 100);
  });
}
