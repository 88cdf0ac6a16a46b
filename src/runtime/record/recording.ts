/** Recording, as an application sees it. */

/** Bytes of a trace unless asked otherwise: some hundred thousand small writes. */
export const RECORDING_BYTES_DEFAULT: number = 16 * 1024 * 1024;
export const RECORDING_BYTES_RANGE: readonly [min: number, max: number] = [1024, 1024 * 1024 * 1024];

export interface RecordOptions {
  /** `redact` writes commands as zeros of their length: the trace replays all the same. Default `keep`. */
  readonly payloads?: 'keep' | 'redact';
  /** The recording ends by itself when it would take more bytes. Default RECORDING_BYTES_DEFAULT. */
  readonly bytesMax?: number;
}

/** The inputs of one node since it opened. */
export interface Recording {
  /** Bytes so far. */
  readonly bytes: number;
  /** It was stopped, or has ended by itself because it was full. */
  readonly ended: boolean;
  /** The trace so far; the recording goes on. */
  copy(): Uint8Array;
  /** Ends the recording and gives the trace, for `replay` of tabraft/testing; again the same one when called again. */
  stop(): Uint8Array;
}
