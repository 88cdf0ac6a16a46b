/** Limits of WebRTC links. */

/** Peers linked or being linked. Chromium gives a page 499 connections; a mesh has far fewer. Others are left alone. */
export const LINKS_MAX = 64;
/** Bytes that may wait inside the data channel; the rest waits with us, where what is urgent can overtake. Measured: 64 KiB is
 * both the fastest and the quickest setting, larger ones delay heartbeats by seconds. */
export const BUFFERED_BYTES_MAX: number = 64 * 1024;
/** From the first offer to an open channel: ms. Then the try counts as failed. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** Without a single network candidate of our own by then, the try counts as failed: ms. */
export const CANDIDATES_TIMEOUT_MS = 3_000;
/** First and longest pause before a link is dialled again: ms. Each is drawn from the upper half of its range, doubling. */
export const REDIAL_MIN_MS = 200;
export const REDIAL_MAX_MS = 10_000;
/** A link open for so long was a success: the next redial starts with the shortest pause: ms. */
export const STABLE_MS = 10_000;
/** How long the last messages of a link may take to be acknowledged before it is cut: ms. */
export const FAREWELL_TIMEOUT_MS = 1_000;
/** A full channel that has not said that it drained is looked at again after: ms. */
export const NUDGE_AFTER_MS = 25;
/** How long a full channel may take to drain before its link is given up: ms. */
export const STALL_TIMEOUT_MS = 15_000;
/** How long a native link may be disconnected before its initiator restarts ICE, and before it is given up: ms. */
export const RESTART_AFTER_MS = 2_000;
export const RECOVER_TIMEOUT_MS = 15_000;
/** Characters of a session description, and of one candidate; candidates per try. More are ignored: they come from strangers. */
export const SDP_CHARS_MAX: number = 32 * 1024;
export const CANDIDATE_CHARS_MAX = 1_024;
export const CANDIDATES_MAX = 100;
