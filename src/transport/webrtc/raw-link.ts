/** PORT, inside WebRTC: one connection to one peer, made by simple-peer or natively. Frames in, frames out. */

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

export interface RawLinkOptions {
  readonly initiator: boolean;
  readonly configuration: RTCConfiguration;
  readonly rtc: typeof RTCPeerConnection;
}

/** Called until `close`, then never again. */
export interface RawLinkEvents {
  onSignal(signal: LinkSignal): void;
  /** The connection has got a step further. */
  onProgress(): void;
  /** All candidates of our own have been found and told. */
  onGathered(): void;
  /** Frames can be sent now. Before the first onFrame. */
  onOpen(): void;
  onFrame(frame: Uint8Array): void;
  /** What was buffered has drained below BUFFERED_BYTES_MAX. */
  onDrain(): void;
  /** It is over; `error` says why, when there is a reason. */
  onClose(error: unknown): void;
}

export interface RawLink {
  /** A signal of the other end, its shape checked, its content not. Never throws. */
  signal(signal: LinkSignal): void;
  /** Hands a frame over; it is copied before this returns. Throws when the channel is not open. */
  send(frame: Uint8Array): void;
  bufferedBytes(): number;
  /** Closes at once; what is buffered may be lost. Idempotent. */
  close(): void;
}

export type MakeRawLink = (options: RawLinkOptions, events: RawLinkEvents) => RawLink;
