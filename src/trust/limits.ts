/** Limits of the trust room: what an unproven peer can make this node hold or do, and how much the replicated ledger keeps. */

/** From an open channel to a proven peer, in ms. Slower ones end with `proof-timeout`. */
export const PROOF_TIMEOUT_MS = 5_000;
/** Bytes taken in before the peer is proven, what it sends behind its proof included. More ends the handshake with `message-invalid`. */
export const PROOF_BYTES_MAX: number = 64 * 1024;
/** Messages taken in before the peer is proven: a thousand crumbs cost more than their bytes. More is `message-invalid`. */
export const PROOF_MESSAGES_MAX = 64;
/** Bytes of one message of the handshake. The longest of this version has 267; longer ones are `message-invalid`. */
export const HANDSHAKE_MESSAGE_BYTES_MAX = 1_024;
/** Identities whose last session is remembered for a cheap reconnect; the oldest go first. A node has fewer links than that. */
export const RESUMES_MAX = 256;
/** How long a session can be resumed, in ms of this process's monotonic clock. After it the full proof is asked for again. */
export const RESUME_TTL_MS: number = 24 * 60 * 60 * 1000;
/** Frames sealed under one key: AES-GCM's own limit for counted nonces is higher; beyond it the link must be made anew. */
export const SEALED_FRAMES_MAX: number = 2 ** 32;
/** Bytes being sealed at a time in one lane of a link, one larger message excepted. More is `busy` for the sender. */
export const SEALING_BYTES_MAX: number = 4 * 1024 * 1024;
/** Bytes being opened at a time in one lane: twice the longest message, as what arrives in one burst waits. More ends the link. */
export const OPENING_BYTES_MAX: number = 32 * 1024 * 1024;
/** What is sent to a proven peer before it has said a word as one, in bytes and messages: less than it takes in unproven. The rest waits. */
export const UNHEARD_BYTES_MAX: number = 16 * 1024;
export const UNHEARD_MESSAGES_MAX = 16;
/** Bytes of a lane that wait for the peer's first word, or to be sealed, with what waits below them: less than any channel takes. */
export const LANE_BYTES_MAX: { readonly urgent: number; readonly bulk: number } = {
  urgent: 12 * 1024 * 1024,
  bulk: 3_584 * 1024,
};
/** Messages of a lane being sealed at a time: of bulk one, so that what is urgent does not wait behind many of them. */
export const SEALING_MAX: { readonly urgent: number; readonly bulk: number } = { urgent: 16, bulk: 1 };
/** Messages, of at most HANDSHAKE_MESSAGE_BYTES_MAX each, that are kept of a peer whose proof is to be tried later. More end the link. */
export const EARLY_MESSAGES_MAX = 4;
/** First and longest pause before a peer whose proof has failed is tried again, in ms: it may be let in when more of the log is known. */
export const RETRY_MIN_MS = 100;
export const RETRY_MAX_MS = 2_000;
/** The same after a failure that does not pass by itself. Below the proof's own time, so that both ends meet. */
export const REFUSED_RETRY_MS = 4_000;
/** Peers whose failures are remembered; the oldest are forgotten. */
export const FAILURES_MAX = 256;

/** Bytes of a room's secret: at least 128 random bits, or it could be guessed; at most what a link can carry. */
export const SECRET_BYTES_MIN = 16;
export const SECRET_BYTES_MAX = 64;
/** Bytes of the secrets made here: 144 bits, 24 characters in a link without padding. */
export const SECRET_BYTES = 18;
/** Characters of a room link's fragment. Longer ones are refused before they are taken apart. */
export const FRAGMENT_CHARS_MAX = 1_024;

/** Invites that the ledger holds at a time. More are refused with `busy` while none of them has ended. */
export const INVITES_MAX = 256;
/** How often one invite may be used: a cluster has fewer members than that. */
export const INVITE_USES_MAX = 64;
/** Longest life of an invite, in ms. Whoever finds one later finds nothing. */
export const INVITE_TTL_MAX_MS: number = 30 * 24 * 60 * 60 * 1000;
/** How far two clocks may be apart before people are told, and before an invite of the future is refused: ms. */
export const CLOCK_SKEW_MAX_MS: number = 10 * 60 * 1000;
/** Identities put out that the ledger remembers. Beyond it the room's secret must be changed first (then the oldest are forgotten). */
export const REVOKED_MAX = 1_024;
/** Secrets made here whose fate is not known yet, kept beside the log. More are refused with `busy` until the log has said what became of them. */
export const SECRETS_MADE_MAX = 8;
