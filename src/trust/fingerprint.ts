/**
 * The fingerprints of the two DTLS certificates of a connection: what the proof binds, so that nobody can end the encryption
 * in the middle. A description that names more than one would let the attacker choose which of them is compared with what
 * the browser accepted: it is refused.
 */
import { trustErrorOf } from './errors.ts';
import { sha256 } from './primitives.ts';

const LINE = /^a=fingerprint:(\S+) ([0-9A-Fa-f:]+)$/;

/** The SHA-256 fingerprint of a session description. Errors: proof-failed. */
export function fingerprintOf(sdp: string): Uint8Array {
  // Anywhere in a line, in any case: what we would overlook, a browser may read.
  const lines = sdp.split(/[\r\n]/).filter((line) => /fingerprint/i.test(line));
  const found = new Set(lines.map(hexOf));
  const [hex] = found;
  if (found.size !== 1 || hex === undefined) {
    throw trustErrorOf('proof-failed', 'the description of the connection does not name exactly one certificate');
  }
  return Uint8Array.from(hex.split(':'), (pair) => Number.parseInt(pair, 16));
}

function hexOf(line: string): string | undefined {
  const [, algorithm, hex] = LINE.exec(line) ?? [];
  if (algorithm?.toLowerCase() !== 'sha-256' || hex === undefined) return undefined;
  return /^(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/i.test(hex) ? hex.toLowerCase() : undefined;
}

/** The same of a certificate itself (RTCDtlsTransport.getRemoteCertificates): what was used, not what was announced. */
export function fingerprintOfCertificate(der: Uint8Array): Promise<Uint8Array> {
  return sha256(der);
}
