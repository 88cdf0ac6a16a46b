/** Limits of the wire. What exceeds one is refused where it is made with `too-large`, and where it arrives with `message-invalid`. */

/** Bytes of one encoded message: bounds what a peer can make us hold per lane while it is reassembled. */
export const MESSAGE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Bytes of a message of numbers and ids, and so of all kinds that carry no more: some twenty times the longest honest one. */
export const SHORT_BYTES_MAX: number = 4 * 1024;
/** Bytes of a message that may carry a configuration, or the contexts of its members: 64 members with 4 KiB of context each. */
export const CONFIGURATION_BYTES_MAX: number = 320 * 1024;
/** Bytes of any message before the sender's hello has been accepted: bounds what a stranger can make us look through. */
export const STRANGER_BYTES_MAX: number = 64 * 1024;
/** Bytes of the body of a call or of its answer: bounds one forwarded batch of commands, and one result. */
export const CALL_BODY_BYTES_MAX: number = 8 * 1024 * 1024;
/** Entries of one append or forwarded proposal: bounds the work that one message can cause. */
export const MESSAGE_ENTRIES_MAX = 65_536;
/** Bytes of one snapshot chunk. Senders use far smaller ones; this bounds what a receiver holds. */
export const SNAPSHOT_CHUNK_BYTES_MAX: number = 1024 * 1024;
/** Bytes of a whole snapshot, as its sender declares them. */
export const SNAPSHOT_BYTES_MAX: number = 4 * 1024 * 1024 * 1024;
/** Bytes of what a member shows of itself: a cursor, a name, a line that is being typed. */
export const PRESENCE_BYTES_MAX: number = 2 * 1024;
/** Longest time that it may be shown without being said again, in ms. */
export const PRESENCE_TTL_MS_MAX: number = 60_000;
/** Characters of a boot nonce, a cluster id, a digest, and the context of a read. */
export const TOKEN_CHARS_MAX = 256;
/** Characters of a node's name for people. */
export const NAME_CHARS_MAX = 128;
/** Characters of an error's text; senders cut it. */
export const ERROR_CHARS_MAX = 1_000;
/** Terms that a message may be ahead of ours: a larger step is a forged term that would end all elections. */
export const TERM_REACH_MAX = 1_000_000;

/** Bytes of one frame. One data channel message: larger ones delay what is urgent, above 256 KiB they fail. */
export const FRAME_BYTES_MAX: number = 16 * 1024;
/** Bytes waiting on a link's urgent lane: beyond it the peer takes nothing in; sending returns false. */
export const URGENT_QUEUE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Bytes waiting on a link's bulk lane: senders pace themselves by it; sending returns false. */
export const BULK_QUEUE_BYTES_MAX: number = 4 * 1024 * 1024;
