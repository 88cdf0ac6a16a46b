/** Limits of the signaling server. Each names what happens when it is hit. "Address": IPv4, or the /64 of an IPv6 address. */
import type { BucketSize } from './buckets.ts';

/** Connections at once. A further one is refused with HTTP 503. */
export const CONNECTIONS_MAX = 10_000;
/** Connections from one address. A further one is refused with HTTP 429. Many tabs, many people behind one router. */
export const CONNECTIONS_PER_ADDRESS_MAX = 512;
/** New connections from one address: all that may be open, once, and then so many per second. Beyond it HTTP 429. */
export const CONNECTION_RATE: BucketSize = { burst: 1_024, perSecond: 20 };
/** Hellos from one address. Beyond it the hello is answered `busy`. */
export const HELLO_RATE: BucketSize = { burst: 1_024, perSecond: 20 };
/** Hellos from one address to rooms without a cluster and with nobody in them: one a minute. Beyond it `busy`. */
export const NEW_ROOM_RATE: BucketSize = { burst: 100, perSecond: 1 / 60 };
/** Messages of one connection: a node that enters a full room sends some ten to each of its peers. Beyond it 4429. */
export const MESSAGES_BURST_MAX = 1_000;
export const MESSAGES_PER_SECOND = 50;
/** Bytes of one connection: 63 offers with all their candidates are half a MiB. Beyond it 4429. */
export const BYTE_RATE: BucketSize = { burst: 2 * 1024 * 1024, perSecond: 128 * 1024 };
/** Bytes of all connections of one address. Beyond it the connection that sends is closed with 4429. */
export const ADDRESS_BYTE_RATE: BucketSize = { burst: 64 * 1024 * 1024, perSecond: 4 * 1024 * 1024 };
/** Signals from one node to one other: a try to connect takes some twelve. Beyond it a signal is dropped. */
export const PAIR_RATE: BucketSize = { burst: 200, perSecond: 40 };
/** Addresses, and peers of one connection, whose rates are kept; the one least recently heard of is forgotten first. */
export const ADDRESSES_MAX = 100_000;
export const PAIRS_MAX = 256;
/** Signals that may wait for a slow reader: bytes. Beyond it they are dropped, at the expense of who sends them. */
export const UNREAD_SIGNAL_BYTES_MAX: number = 256 * 1024;
/** Messages that a signal to a reader who does not read counts for in its sender's rate. */
export const UNREAD_SIGNAL_COST = 20;
/** Bytes of the server's own messages that may wait besides. Beyond it the connection is cut: it would miss who comes and goes. */
export const UNREAD_BYTES_MAX: number = 1024 * 1024;
/** From the upgrade to the hello: ms. Then the connection is closed with 4408. */
export const HELLO_TIMEOUT_MS = 10_000;
/** How often every connection is pinged, below the idle limit of proxies; a ping unanswered for so long cuts it: ms. */
export const PING_EVERY_MS = 20_000;
/** How long an old connection has to show that it is alive when its id comes again: ms. */
export const PROBE_MS = 2_000;
/** From a close to cutting the socket: ms. */
export const CLOSE_TIMEOUT_MS = 3_000;
/** From a connection to the last header line of its request: ms. Then it is cut. */
export const HEADERS_TIMEOUT_MS = 5_000;
/** For all of a request, on servers of our own: ms. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Connections without a whole request. A further one cuts the oldest. */
export const HALF_OPEN_MAX = 2_000;
/** How often rooms and timeouts are looked at: ms. */
export const TICK_MS = 1_000;
/** What a refused connection is told about when to come again: seconds. */
export const RETRY_AFTER_SECONDS = 5;
/** Lines of the rooms' file that are damaged and kept aside, and characters of each that are. */
export const DAMAGED_LINES_MAX = 1_000;
export const DAMAGED_CHARS_MAX = 1_000;
/** Relayed bytes of one connection, and of all of one address. Beyond it the connection is not read until
 * it is within again, or RELAY_PAUSE_MS_MAX: nothing is lost, its links are as slow as the rate. */
export const RELAY_RATE: BucketSize = { burst: 4 * 1024 * 1024, perSecond: 512 * 1024 };
export const RELAY_ADDRESS_RATE: BucketSize = { burst: 64 * 1024 * 1024, perSecond: 4 * 1024 * 1024 };
export const RELAY_PAUSE_MS_MAX = 5_000;
/** Relayed bytes that may wait for one reader, and for all of them. Beyond it frames are dropped, and their senders told. */
export const UNREAD_RELAY_BYTES_MAX: number = 8 * 1024 * 1024;
export const UNREAD_RELAY_TOTAL_MAX: number = 256 * 1024 * 1024;
