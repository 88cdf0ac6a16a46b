/** What a configuration says of its members and of the cluster. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import type { ConfState } from '../../../src/core/types.ts';
import {
  clusterConfig,
  contextOf,
  decodeSettings,
  encodeMember,
  encodeSettings,
  MEMBER_DEFAULTS,
  SETTINGS_DEFAULTS,
} from '../../../src/runtime/member/configuration.ts';

function confWith(meta: unknown): ConfState {
  const context = encodeMember({ ...MEMBER_DEFAULTS, name: 'first', priority: 7, meta });
  return { ...EMPTY_CONF, voters: ['a'], members: [{ id: 'a', context }] };
}

test('callers may change the meta that they are given: the next one gets what the log says', () => {
  const conf = confWith({ tags: ['x'] });
  const given = clusterConfig(conf, 1).members[0]?.meta as { tags: string[] };
  given.tags.push('mine');
  expect(clusterConfig(conf, 1).members[0]?.meta).toEqual({ tags: ['x'] });
  expect(contextOf(conf, 'a')).toMatchObject({ name: 'first', priority: 7, meta: { tags: ['x'] } });
});

test('what is known of one context is not told of another, nor of a member that is not there', () => {
  const before = confWith(1);
  const after = confWith(2);
  expect([contextOf(before, 'a').meta, contextOf(after, 'a').meta, contextOf(before, 'a').meta]).toEqual([1, 2, 1]);
  expect(contextOf(before, 'b')).toEqual(MEMBER_DEFAULTS);
  const settings = [5, 3].map((votersTarget) => encodeSettings({ ...SETTINGS_DEFAULTS, votersTarget }));
  expect([...settings, ...settings].map((context) => decodeSettings(context).votersTarget)).toEqual([5, 3, 5, 3]);
  expect(decodeSettings(Uint8Array.of(0xc1))).toEqual(SETTINGS_DEFAULTS);
});
