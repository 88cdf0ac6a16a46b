/** Limits of the codec: what is refused before anything is allocated or decoded. */

/** Nesting of what members say to each other. The deepest message of ours has 5 levels; more is `message-invalid`. */
export const MESSAGE_DEPTH_MAX = 8;
/**
 * Values in what members say to each other: arrays, maps and everything in them. The most is a snapshot's offer with a thousand members
 * in every part of its configuration; more is `message-invalid` before anything is built, since each costs far more memory than bytes.
 */
export const MESSAGE_ITEMS_MAX: number = 16 * 1024;
/**
 * Nesting of the bytes of a command, both when it is made and when it is read: less than that of a state, so that whatever can
 * be read as a command can be kept in a state and written again. Deeper ones are refused with `invalid-argument`.
 */
export const COMMAND_DEPTH_MAX = 192;
/** Nesting of application values: a command inside a state of 64 levels. Deeper ones are refused with `invalid-argument` before they are encoded. */
export const VALUE_DEPTH_MAX: number = COMMAND_DEPTH_MAX + 64;
/** Nesting of the bytes of an application value: a Map or Set takes three levels (mark, parts, content). */
export const ENCODED_VALUE_DEPTH_MAX: number = 3 * VALUE_DEPTH_MAX;
/** Entry times are below this, in ms: steps between them, doubled, stay safe integers. */
export const ENTRY_TIME_MAX: number = 2 ** 51;
/** Bytes of one entry's payload. Its length must fit into a header of 31 bits; more is `too-large`. */
export const ENTRY_BYTES_MAX: number = 64 * 1024 * 1024;
/** Bytes of one of msgpackr's pools: enough for some hundred small messages. */
export const POOL_BYTES: number = 64 * 1024;
/** Bytes of a message, or of all but its bulk, that are decoded in place. */
export const SMALL_BYTES_MAX = 1024;
/** Bytes of a buffer that is kept as the one read last: a message, or a segment of the log. Larger ones are let go. */
export const READ_BYTES_MAX: number = 1024 * 1024;
/** Bytes of msgpackr's pool that are kept between calls. A larger pool is given back to the collector after use. */
export const POOL_BYTES_MAX: number = 1024 * 1024;
/** Runs of entries whose encoding is remembered, so that all followers and the disk share one encoding. */
export const RUNS_REMEMBERED_MAX = 4;
/** Bytes of one run above which its encoding is not remembered: the saving no longer pays for the memory. */
export const RUN_REMEMBERED_BYTES_MAX: number = 2 * 1024 * 1024;
/** Bytes of memory that outgoing messages share: some hundred small ones, or four of the largest that go there. */
export const SLAB_BYTES: number = 64 * 1024;
/** Bytes of a message above which it gets memory of its own: less than a quarter of a slab is left empty at its end. */
export const SLAB_MESSAGE_BYTES_MAX: number = 16 * 1024;
/** Bytes of a message's last part above which it goes around msgpackr's pool, which would grow to four times its size. */
export const BULK_BYTES_MIN = 1024;
/** Members of one kind in a configuration. A larger one from a peer or a disk is `message-invalid`. */
export const CONFIGURATION_MEMBERS_MAX = 1024;
