/** PORT, below a transport: one connection to one peer, whatever it runs over. Frames in, frames out, in order, none lost. */

/** Called until `close`, then never again. */
export interface RawLinkEvents {
  /** Frames can be sent now. Before the first onFrame. */
  onOpen(): void;
  onFrame(frame: Uint8Array): void;
  /** What was buffered has drained. */
  onDrain(): void;
  /** It is over; `error` says why, when there is a reason. */
  onClose(error: unknown): void;
}

export interface RawLink {
  /** Hands a frame over; it is copied before this returns. Throws when it cannot be. */
  send(frame: Uint8Array): void;
  /** Bytes handed over that have not left yet, as far as it can be seen from here. */
  bufferedBytes(): number;
  /** Closes at once; what is buffered may be lost. Idempotent. */
  close(): void;
  /** Part of what is sent that gets lost on the way and is sent again, 0 to 1, lately; undefined where it cannot be seen. */
  loss?(): Promise<number | undefined>;
}

export type MakeRawLink = (events: RawLinkEvents) => RawLink;
