/** Limits of WebRTC links. */

/** Peers linked or being linked. Chromium gives a page 499 connections; a mesh has far fewer. Others are left alone. */
export const LINKS_MAX = 64;
/** A try fails when nothing more has come of it for: ms. The peer's answer, a candidate, a state of the connection, or its word that it will
 * come to it begin the time anew, so that slow is told from dead. */
export const QUIET_MS = 10_000;
/** A timer that is later than that shows that this page was busy, and is no evidence against a peer: ms. */
export const LATE_MS = 1_000;
/** However much comes of it, a try ends after: ms. A stranger could keep it going. */
export const TRY_MS_MAX = 30_000;
/** A try that nobody has answered for so long gives way to one that waits: ms. */
export const STALE_MS = 4_000;
/** From the end of looking for candidates to the judgement that there are none: ms. */
export const GATHERED_GRACE_MS = 500;
/** Tries at once, our own and those of others: the rest wait for their turn. Seventeen tabs that each dialled all others at once had no
 * link for minutes. */
export const DIALS_MAX = 4;
export const ANSWERS_MAX = 8;
/** Between two new tries with one peer, whoever asks for them: ms. Each costs the browser a connection. */
export const TRY_EVERY_MS = 200;
/** Peers that signal to us before signaling has told that they are there. More are left alone. */
export const UNANNOUNCED_MAX = 4;
/** First and longest pause before a link is dialled again: ms. Each is drawn from the upper half of its range, doubling. */
export const REDIAL_MIN_MS = 200;
export const REDIAL_MAX_MS = 10_000;
/** A link open for so long was a success: the next redial starts with the shortest pause: ms. */
export const STABLE_MS = 10_000;
/** How long a native link may be disconnected before its initiator restarts ICE, how often it does, and for how long: ms. */
export const RESTART_AFTER_MS = 2_000;
export const RESTART_EVERY_MS = 4_000;
export const RECOVER_TIMEOUT_MS = 15_000;
/** Characters of a session description, and of one candidate; candidates per try. More are ignored: they come from strangers. */
export const SDP_CHARS_MAX: number = 32 * 1024;
export const CANDIDATE_CHARS_MAX = 1_024;
export const CANDIDATES_MAX = 100;
