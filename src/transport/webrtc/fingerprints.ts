/** The hashes of both ends' certificates, from the descriptions in force: DTLS has checked that the keys fit them. */

export function fingerprintsOf(
  connection: Pick<RTCPeerConnection, 'currentLocalDescription' | 'currentRemoteDescription'> | null | undefined,
): { readonly own: string; readonly theirs: string } | undefined {
  const own = fingerprintIn(connection?.currentLocalDescription?.sdp);
  const theirs = fingerprintIn(connection?.currentRemoteDescription?.sdp);
  return own === undefined || theirs === undefined ? undefined : { own, theirs };
}

/** All that it names, in one order: any of them may be the one in use. */
function fingerprintIn(sdp: string | undefined): string | undefined {
  const all = [...(sdp ?? '').matchAll(/^a=fingerprint:(\S+) ([0-9A-Fa-f:]+)\s*$/gm)];
  const texts = all.map(([, hash = '', digits = '']) => `${hash.toLowerCase()} ${digits.toUpperCase()}`);
  return texts.length === 0 ? undefined : [...new Set(texts)].sort().join(',');
}
