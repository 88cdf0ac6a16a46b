/** Who cannot be taken in, whoever asks for it. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import { RaftError } from '../../../src/core/errors.ts';
import { MEMBER_CONTEXT_BYTES_MAX } from '../../../src/core/limits.ts';
import { type ConfChangeStep, type ConfState, NO_BYTES } from '../../../src/core/types.ts';
import { nodeClock } from '../../../src/front-door/node-clock.ts';
import { planOf } from '../../../src/runtime/duties/admission.ts';
import { Join } from '../../../src/runtime/duties/join.ts';
import { MEMBER_DEFAULTS, SETTINGS_DEFAULTS } from '../../../src/runtime/member/configuration.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';

const three: ConfState = { ...EMPTY_CONF, voters: ['a', 'b', 'c'] };
const long = new Uint8Array(MEMBER_CONTEXT_BYTES_MAX + 1);

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof RaftError ? error.code : `not a RaftError: ${String(error)}`;
  }
  return 'no error';
}

test.each<readonly [string, string, Uint8Array]>([
  ['no id', '', NO_BYTES],
  ['an id of 65 characters', 'x'.repeat(65), NO_BYTES],
  ['an id with a control character', 'd\u0000', NO_BYTES],
  ['more context than 4 KiB', 'd', long],
])('a newcomer with %s is not taken in, nor is a change with one planned', (_what, nodeId, context) => {
  for (const op of ['learner', 'voter'] as const) {
    const planned = (step: Pick<ConfChangeStep, 'id' | 'context'>): ReturnType<typeof planOf> =>
      planOf({ steps: [{ op, ...step }], transition: 'auto', ifVersion: 0 }, three, 5);
    expect(planned({ id: 'd', context: NO_BYTES })?.steps).toHaveLength(1);
    expect(codeOf(() => planned({ id: nodeId, context }))).toBe('config-invalid');
  }
});

test.each(['enter', 'create'] as const)(
  'a node that would keep too much in the configuration says so at once (%s)',
  async (mode) => {
    const hopeless: string[] = [];
    const store = new MemoryStorage().open({ room: 'test' });
    const never = (): void => {
      throw new Error('not expected');
    };
    const member = { ...MEMBER_DEFAULTS, publicKey: long };
    const join = new Join({ self: 'm', mode, member, settings: SETTINGS_DEFAULTS }, store, nodeClock(), {
      candidates: () => [{ id: 'a', clusterId: 'cluster' }],
      call: never,
      onMember: never,
      onIntroduced: never,
      onNoQuorum: never,
      onFault: never,
      onHopeless: (error) => void hopeless.push(error.code),
    });
    if (mode === 'create') join.onGrant();
    else join.tick();
    join.tick();
    expect(hopeless).toEqual(['config-invalid']);
  },
);
