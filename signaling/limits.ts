/** Limits of the signaling server. Each names what happens when it is hit. */

/** Connections at once. A further one is refused with HTTP 503. */
export const CONNECTIONS_MAX = 10_000;
/** Connections from one address. A further one is refused with HTTP 429. Many tabs, many people behind one router. */
export const CONNECTIONS_PER_ADDRESS_MAX = 512;
/** Messages that a connection may send at once, and how many more per second: a node that enters a full room sends some ten
 * to each of its peers. Beyond it the connection is closed with 4429. */
export const MESSAGES_BURST_MAX = 1_000;
export const MESSAGES_PER_SECOND = 50;
/** Bytes that may wait for a slow reader. Beyond it the connection is cut. */
export const UNREAD_BYTES_MAX: number = 1024 * 1024;
/** From the upgrade to the hello: ms. Then the connection is closed with 4408. */
export const HELLO_TIMEOUT_MS = 10_000;
/** How often every connection is pinged, below the idle limit of proxies; without an answer by the next time it is cut: ms. */
export const PING_EVERY_MS = 20_000;
/** How long an old connection has to show that it is alive when its id comes again: ms. */
export const PROBE_MS = 2_000;
/** From a close to cutting the socket: ms. */
export const CLOSE_TIMEOUT_MS = 3_000;
/** For the header lines of a request, and for all of it, on servers of our own: ms. Half-open requests end. */
export const HEADERS_TIMEOUT_MS = 5_000;
export const REQUEST_TIMEOUT_MS = 10_000;
/** How often rooms and timeouts are looked at: ms. */
export const TICK_MS = 1_000;
