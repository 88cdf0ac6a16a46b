/** Loss, from the counts that a browser keeps of its connectivity checks. */
import { expect, test } from 'vitest';
import { LossMeter } from '../../src/transport/webrtc/loss.ts';

type Counted = Readonly<Record<string, unknown>>;

const counts = (requestsSent: number, responsesReceived: number, more: Counted = {}): Counted => ({
  type: 'candidate-pair',
  nominated: true,
  state: 'succeeded',
  requestsSent,
  responsesReceived,
  ...more,
});

function connection(...entries: readonly Counted[]): Pick<RTCPeerConnection, 'getStats'> {
  return { getStats: () => Promise.resolve(new Map(entries.entries()) as unknown as RTCStatsReport) };
}

test('a check that is on its way is not lost', async () => {
  const meter = new LossMeter();
  expect(await meter.read(connection(counts(2, 1)))).toBeUndefined();
  expect(await meter.read(connection(counts(9, 8)))).toBe(0);
  expect(await meter.read(connection(counts(11, 10)))).toBe(0);
  expect(await meter.read(connection(counts(19, 19)))).toBe(0);
});

test('what stays without an answer is lost, lately', async () => {
  const meter = new LossMeter();
  expect(await meter.read(connection(counts(11, 5)))).toBe(0.5);
  expect(await meter.read(connection(counts(15, 5)))).toBe(0.5);
  expect(await meter.read(connection(counts(22, 5)))).toBe(1);
  expect(await meter.read(connection(counts(33, 16)))).toBe(0);
});

test('checks for consent count, other pairs do not, and a new pair counts anew', async () => {
  const meter = new LossMeter();
  const idle = counts(900, 0, { nominated: false });
  expect(await meter.read(connection(idle, counts(1, 9, { consentRequestsSent: 10 })))).toBeCloseTo(0.1);
  expect(await meter.read(connection(counts(3, 3)))).toBeCloseTo(0.1);
  expect(await meter.read(connection(counts(14, 14)))).toBe(0);
  expect(await meter.read(connection(idle))).toBeUndefined();
});
