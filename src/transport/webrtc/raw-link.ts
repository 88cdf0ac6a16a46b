/** What a WebRTC connection, made by simple-peer or natively, has beyond any other link: the two ends must exchange signals to connect. */
import type { RawLink, RawLinkEvents } from '../link/raw-link.ts';

export interface SessionDescription {
  readonly type: 'offer' | 'answer';
  readonly sdp: string;
}
export interface Candidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}
/** What the two ends must exchange to connect. */
export type LinkSignal =
  | { readonly description: SessionDescription; readonly candidate?: undefined }
  | { readonly candidate: Candidate; readonly description?: undefined };

export interface WebrtcLinkOptions {
  readonly initiator: boolean;
  readonly configuration: RTCConfiguration;
  readonly rtc: typeof RTCPeerConnection;
}

/** Called until `close`, then never again. */
export interface WebrtcLinkEvents extends RawLinkEvents {
  onSignal(signal: LinkSignal): void;
  /** The connection has got a step further. */
  onProgress(): void;
  /** All candidates of our own have been found and told. */
  onGathered(): void;
}

export interface WebrtcLink extends RawLink {
  /** A signal of the other end, its shape checked, its content not. Never throws. */
  signal(signal: LinkSignal): void;
  /** The certificates that the two ends have promised to use, by their hashes; undefined before they have. */
  fingerprints(): { readonly own: string; readonly theirs: string } | undefined;
}

export type MakeWebrtcLink = (options: WebrtcLinkOptions, events: WebrtcLinkEvents) => WebrtcLink;
