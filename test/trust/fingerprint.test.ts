import { describe, expect, test } from 'vitest';
import { fingerprintOf, fingerprintOfCertificate } from '../../src/trust/fingerprint.ts';

const pairs = (n: number): string => Array.from({ length: 32 }, () => n.toString(16).padStart(2, '0').toUpperCase()).join(':');
const line = (n: number, algorithm = 'sha-256'): string => `a=fingerprint:${algorithm} ${pairs(n)}`;
const sdp = (...lines: readonly string[]): string =>
  ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', ...lines, 'a=setup:actpass', ''].join('\r\n');

describe('the fingerprint of a description', () => {
  test('is what it names, once or in every section', () => {
    expect(fingerprintOf(sdp(line(171)))).toEqual(new Uint8Array(32).fill(171));
    expect(fingerprintOf(sdp(line(171), 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', line(171).toLowerCase()))).toEqual(
      new Uint8Array(32).fill(171),
    );
    expect(fingerprintOf(sdp(line(171)).replaceAll('\r\n', '\n'))).toEqual(new Uint8Array(32).fill(171));
  });

  test.each([
    ['none', sdp()],
    ['two', sdp(line(1), line(2))],
    ['two, one of them of another kind', sdp(line(1), line(2, 'sha-1'))],
    ['one of another kind', sdp(line(1, 'sha-1'))],
    ['one that is hidden from us', sdp(line(1), ` ${line(2)}`)],
    ['one written otherwise', sdp(line(1), line(2).replace('a=fingerprint', 'a=Fingerprint'))],
    ['one behind a lone carriage return', `${sdp(line(1))}x\r${line(2)}`],
    ['two in one line', sdp(`${line(1)} ${line(2)}`)],
    ['one that was cut', sdp(line(1).slice(0, -3))],
    ['one with too much', sdp(`${line(1)}:00`)],
    ['one of letters', sdp(line(1).replaceAll('01', 'zz'))],
  ])('that names %s is refused', (_what, text) => {
    expect(() => fingerprintOf(text)).toThrow(expect.objectContaining({ code: 'proof-failed' }));
  });

  test('of a certificate is its hash', async () => {
    expect(await fingerprintOfCertificate(new Uint8Array(0))).toHaveLength(32);
  });
});
