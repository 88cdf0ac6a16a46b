/**
 * A link made by simple-peer, the default. What it lacks is made up for around it: who offers is decided by id (two initiators
 * destroy each other, none waits for ever), a timeout, redialling instead of ICE restart, its own STUN defaults switched off.
 */
import SimplePeer from 'simple-peer/simplepeer.min.js';
import { EARLY_FRAMES_MAX } from '../link/limits.ts';
import { fingerprintsOf } from './fingerprints.ts';
import { LossMeter } from './loss.ts';
import type { LinkSignal, MakeWebrtcLink, WebrtcLink } from './raw-link.ts';

export const makeSimplePeerLink: MakeWebrtcLink = (options, events) => {
  const peer = new SimplePeer({
    initiator: options.initiator,
    trickle: true,
    objectMode: true, // keeps the boundaries of frames
    config: options.configuration,
    wrtc: { RTCPeerConnection: options.rtc, RTCSessionDescription: plain, RTCIceCandidate: plain },
  });
  let open = false;
  let closed = false;
  const finish = (error: unknown): void => {
    if (closed) return;
    closed = true;
    events.onClose(error);
  };
  const earlyFrames: unknown[] = [];
  const opened = (): void => {
    if (open || closed) return;
    open = true;
    peer._channel?.addEventListener('bufferedamountlow', () => {
      if (!closed) events.onDrain();
    });
    events.onOpen();
    for (const frame of earlyFrames.splice(0)) hear(frame);
  };
  const hear = (frame: unknown): void => {
    if (closed) return;
    if (frame instanceof Uint8Array) events.onFrame(frame);
    else peer.destroy(new Error('a text message'));
  };
  peer.on('signal', (data) => {
    const signal = toLinkSignal(data);
    if (signal !== undefined && !closed) events.onSignal(signal);
  });
  peer.on('iceStateChange', (_connection, gathering) => {
    if (closed) return;
    events.onProgress();
    if (gathering === 'complete') events.onGathered();
  });
  peer.on('connect', opened);
  peer.on('data', (frame) => {
    // Its `connect` comes late: it first looks at statistics, by timers. What arrives shows that the channel is open, or
    // is just about to say so.
    if (!open) {
      if (earlyFrames.push(frame) > EARLY_FRAMES_MAX) peer.destroy(new Error('too much before the channel is open'));
      if (peer._channelReady) opened();
      else if (earlyFrames.length === 1) peer._channel?.addEventListener('open', opened, { once: true });
    } else hear(frame);
  });
  peer.on('error', finish);
  peer.on('close', () => finish(undefined));
  const meter = new LossMeter();
  const link: WebrtcLink = {
    signal: (signal) => {
      try {
        peer.signal(signal.description ?? { type: 'candidate', candidate: signal.candidate });
      } catch {
        // Destroyed meanwhile, or a candidate the browser does not understand.
      }
    },
    fingerprints: () => fingerprintsOf(peer._pc),
    send: (frame) => peer.send(frame),
    bufferedBytes: () => peer.bufferSize,
    loss: async () => (peer._pc === null ? undefined : meter.read(peer._pc)),
    close: () => {
      closed = true;
      peer.destroy();
    },
  };
  return link;
};

/** The constructors of descriptions and candidates are deprecated: connections take plain objects. */
function plain(value: object): object {
  return value;
}

function toLinkSignal(data: unknown): LinkSignal | undefined {
  const { type, sdp, candidate } = data as { type?: unknown; sdp?: unknown; candidate?: Partial<RTCIceCandidateInit> };
  if ((type === 'offer' || type === 'answer') && typeof sdp === 'string') return { description: { type, sdp } };
  if (typeof candidate?.candidate !== 'string') return undefined;
  const { sdpMid = null, sdpMLineIndex = null } = candidate;
  return { candidate: { candidate: candidate.candidate, sdpMid, sdpMLineIndex } };
}
