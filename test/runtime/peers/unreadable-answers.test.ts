/** A peer that answers what cannot be read: nothing is thrown into the node, and whoever waits is told. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import type { ConsensusNode } from '../../../src/runtime/node/consensus-node.ts';
import { NodeMembership } from '../../../src/runtime/node/public-membership.ts';
import type { CallResult } from '../../../src/runtime/peers/peers.ts';
import { Reports } from '../../../src/runtime/standing/reports.ts';
import type { Speakers } from '../../../src/runtime/standing/speakers.ts';
import type { Standing } from '../../../src/runtime/standing/standing.ts';

/** No bytes; bytes that end early; some that are left over; what is no array; what is one, of other things. */
const UNREADABLE: readonly Uint8Array[] = [[], [0x92], [0x01, 0x01], [0xc0], [0x91, 0xc3], [0xdd, 0xff, 0xff, 0xff, 0xff]].map(
  (bytes) => Uint8Array.from(bytes),
);

test('a report that cannot be read is none', () => {
  const waiting: ((result: CallResult) => void)[] = [];
  const peer = { id: 'b', trusted: true };
  const peers = {
    all: () => [peer],
    call: (_peer: string, _method: string, _body: Uint8Array, _timeoutMs: number, done: (result: CallResult) => void) =>
      waiting.push(done),
  };
  let nowMs = 1_000_000;
  const standing = { clock: { monotonicMs: () => nowMs }, peers, role: 'follower', term: 1, leaderId: '' };
  const never = (): void => {
    throw new Error('nothing was told');
  };
  const reports = new Reports(standing as unknown as Standing, { ownVersion: 0 } as unknown as Speakers, never, never);
  for (const body of UNREADABLE) {
    nowMs += 10_000;
    reports.tick();
    waiting.at(-1)?.({ body, error: undefined });
  }
  expect(waiting.length).toBe(UNREADABLE.length);
});

test('a membership change whose answer cannot be read may have been made, and its caller is told so', async () => {
  for (const body of UNREADABLE.filter((one) => one[0] !== 0x01)) {
    const consensus = {
      options: { clock: nodeClock(), tuning: { callTimeoutMs: 1_000 } },
      standing: { state: { kind: 'member' } },
      member: { conf: { ...EMPTY_CONF, voters: ['a', 'b'] } },
      duties: {
        admission: {
          change: (_by: unknown, _r: unknown, _b: unknown, _d: unknown, done: (result: CallResult) => void) =>
            done({ body, error: undefined }),
        },
      },
    };
    const asked = new NodeMembership(consensus as unknown as ConsensusNode).remove('b');
    await expect(asked).rejects.toMatchObject({ code: 'outcome-unknown', mayHaveApplied: true });
  }
});
