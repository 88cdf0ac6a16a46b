/** Limits of a link, whatever it runs over. */

/** Bytes that may wait inside the channel; the rest waits with us, where what is urgent can overtake. Measured on WebRTC: 64 KiB is
 * both the fastest and the quickest setting, larger ones delay heartbeats by seconds. */
export const BUFFERED_BYTES_MAX: number = 64 * 1024;
/** Bytes on their way that the peer has not acknowledged: bulk waits beyond the first, what is urgent beyond the second. A page that is busy
 * would otherwise pile up in its own queue what it has no time to read, and what is urgent behind it. */
export const BULK_IN_FLIGHT_MAX: number = 1024 * 1024;
export const URGENT_IN_FLIGHT_MAX: number = 4 * 1024 * 1024;
/** Received bytes that are acknowledged at once; less than that is within: ms. Only a window that fills needs to know soon, and it is
 * many times these bytes; each frame costs a page 0.2 to 0.9 ms, at both ends. */
export const ACKNOWLEDGE_BYTES: number = 64 * 1024;
export const ACKNOWLEDGE_AFTER_MS = 200;
/** How often the round trip is measured, on a link that is used: ms. */
export const MEASURE_EVERY_MS = 2_000;
/** How long the last messages of a link may take to be acknowledged before it is cut: ms. */
export const FAREWELL_TIMEOUT_MS = 1_000;
/** A full channel that has not said that it drained is looked at again after: ms. */
export const NUDGE_AFTER_MS = 25;
/** How long a full channel may take to drain before its link is given up: ms. */
export const STALL_TIMEOUT_MS = 15_000;
/** Frames that may arrive before a channel says that it is open: a few, by an oddity of browsers. More end the link. */
export const EARLY_FRAMES_MAX = 256;
