/** Every limit of the core: its unit, why it is what it is, and what happens when it is hit. */

/** Ticks without a leader until an election; ten heartbeats, so that a few lost ones cost nothing. */
export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 1;

/** Bytes of entries in one append: below what one data-channel message may carry with room to spare. The rest goes in the next. */
export const APPEND_BYTES_MAX: number = 48 * 1024;

/** Entries in one append: bounds the work one message can cause. The rest goes in the next. */
export const APPEND_ENTRIES_MAX = 1024;

/** Appends in flight to one follower. When full, only empty appends go out until one is answered. */
export const INFLIGHT_MESSAGES_MAX = 256;

/** Bytes in flight to one follower: what a tab can be asked to buffer. When full, as above. */
export const INFLIGHT_BYTES_MAX: number = 4 * 1024 * 1024;

/** Bytes of commands a leader holds that are not committed yet. When hit: `busy`. */
export const UNCOMMITTED_BYTES_MAX: number = 32 * 1024 * 1024;

/** Bytes of committed entries handed out and not applied yet: a long catch-up must not freeze the page. The rest follows. */
export const COMMITTED_BYTES_MAX: number = 1024 * 1024;

/** Bytes of one command. When hit: `too-large`. */
export const ENTRY_BYTES_MAX: number = 8 * 1024 * 1024;

/** Reads a leader holds that are not confirmed yet. When hit: `busy`, or a rejection to who asked. */
export const READS_MAX = 4096;

/** Election timeouts without any report or answer until a snapshot is taken for lost, and the follower probed again. */
export const SNAPSHOT_TIMEOUT_ELECTIONS = 10;

/** What one entry costs besides its data, in memory and on the wire: index, term, type, time. */
export const ENTRY_OVERHEAD_BYTES = 16;

/** Bytes of entries that a leader sends along with its last vote: what a page can still send while it is closed. More: no proxy vote. */
export const PROXY_BYTES_MAX: number = 64 * 1024;

/** Characters of a node id. Ours have 22. More: `config-invalid`, `invalid-argument` for the node's own. */
export const NODE_ID_CHARS_MAX = 64;

/**
 * Bytes of what a configuration keeps about one member (key, name, domain …), and of what it keeps about the cluster: every
 * snapshot, and every offer of one, carries them all. More: `config-invalid`.
 */
export const MEMBER_CONTEXT_BYTES_MAX: number = 4 * 1024;
export const CLUSTER_CONTEXT_BYTES_MAX: number = 16 * 1024;

/** Bytes of all members' contexts together: what one message can carry beside them. More: `config-invalid`. */
export const CONTEXTS_BYTES_MAX: number = 1024 * 1024;

/** Steps of one membership change: every member goes and as many come. More: `config-invalid`. */
export const CHANGE_STEPS_MAX = 2_048;

/** Members of one configuration: quorum maths and broadcasts are linear in it. More: `config-invalid`. */
export const MEMBERS_MAX = 1024;
