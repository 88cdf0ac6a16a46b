/** What two transports say to each other through signaling, and the check of what comes from there. */

import { CANDIDATE_CHARS_MAX, SDP_CHARS_MAX } from './limits.ts';
import type { Candidate, LinkSignal, SessionDescription } from './raw-link.ts';

/**
 * The node with the smaller id offers; the other asks it to (`dial`). `instance` names one start of a transport: a new one
 * means that its links are gone. `session` names one try: what belongs to another try is ignored.
 */
export type PeerSignal =
  | { readonly instance: string; readonly dial: true; readonly queued?: undefined }
  /** Your offer, or your wish to be dialled, has arrived and waits for its turn. */
  | { readonly instance: string; readonly queued: true; readonly session?: string | undefined; readonly dial?: undefined }
  | ({
      readonly instance: string;
      readonly session: string;
      readonly dial?: undefined;
      readonly queued?: undefined;
    } & LinkSignal);

const TOKEN: RegExp = /^[\w-]{1,64}$/;

/** undefined for anything that is not exactly one. Never throws. */
export function parsePeerSignal(data: unknown): PeerSignal | undefined {
  if (!isRecord(data)) return undefined;
  const { instance, session, dial, queued, description, candidate } = data;
  if (typeof instance !== 'string' || !TOKEN.test(instance)) return undefined;
  if (dial === true) return { instance, dial };
  if (queued === true && session === undefined) return { instance, queued };
  if (typeof session !== 'string' || !TOKEN.test(session)) return undefined;
  if (queued === true) return { instance, queued, session };
  if (isDescription(description)) {
    const { type, sdp } = description;
    return { instance, session, description: { type, sdp } };
  }
  const checked = candidateFrom(candidate);
  return checked === undefined ? undefined : { instance, session, candidate: checked };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isDescription(value: unknown): value is SessionDescription {
  if (!isRecord(value) || (value['type'] !== 'offer' && value['type'] !== 'answer')) return false;
  return typeof value['sdp'] === 'string' && value['sdp'].length <= SDP_CHARS_MAX;
}

function candidateFrom(value: unknown): Candidate | undefined {
  if (!isRecord(value)) return undefined;
  const { candidate, sdpMid, sdpMLineIndex } = value;
  if (typeof candidate !== 'string' || candidate.length > CANDIDATE_CHARS_MAX) return undefined;
  if (!(sdpMid === null || (typeof sdpMid === 'string' && sdpMid.length <= 64))) return undefined;
  if (!(sdpMLineIndex === null || (typeof sdpMLineIndex === 'number' && Number.isInteger(sdpMLineIndex)))) return undefined;
  return sdpMid === null && sdpMLineIndex === null ? undefined : { candidate, sdpMid, sdpMLineIndex };
}
