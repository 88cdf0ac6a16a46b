import { describe, expect, test } from 'vitest';
import { OWN_WAY } from '../../src/core/compat.ts';
import { type Config, type ConfigInput, defaultEntryBytes, makeConfig, validateRange } from '../../src/core/config.ts';
import { RaftError } from '../../src/core/errors.ts';
import * as limits from '../../src/core/limits.ts';
import { seededRandom } from '../../src/core/random.ts';
import { NO_LIMIT } from '../../src/core/types.ts';
import { entry } from './messages.ts';

const random = (): number => 0;
const base: ConfigInput = { id: 'a', random };

/** The message of the invalid-argument that making it ends with; '' when it is made. */
function complaint(make: () => unknown): string {
  try {
    make();
    return '';
  } catch (error) {
    if (!RaftError.is(error, 'invalid-argument')) throw error;
    return error.message;
  }
}

describe('the configuration of a node', () => {
  test('is, where nothing is said, the safe one with everything on', () => {
    expect(makeConfig(base)).toEqual({
      ...base,
      electionTicks: limits.ELECTION_TICKS,
      heartbeatTicks: limits.HEARTBEAT_TICKS,
      electionTimeoutRange: undefined,
      preVote: true,
      checkQuorum: true,
      priority: 0,
      goesAlone: false,
      proxyVotes: false,
      maxAppendBytes: limits.APPEND_BYTES_MAX,
      maxAppendEntries: limits.APPEND_ENTRIES_MAX,
      maxInflightMessages: limits.INFLIGHT_MESSAGES_MAX,
      maxInflightBytes: limits.INFLIGHT_BYTES_MAX,
      maxUncommittedBytes: limits.UNCOMMITTED_BYTES_MAX,
      maxCommittedBytes: limits.COMMITTED_BYTES_MAX,
      maxEntryBytes: limits.ENTRY_BYTES_MAX,
      entryBytes: defaultEntryBytes,
      broadcastCommit: true,
      asyncStorageWrites: true,
      snapshotTimeoutTicks: limits.ELECTION_TICKS * limits.SNAPSHOT_TIMEOUT_ELECTIONS,
      forwardProposals: true,
      validateConfChanges: true,
      readMode: 'safe',
      maxReads: limits.READS_MAX,
      compat: OWN_WAY,
      checkInvariants: false,
      trace: undefined,
    });
  });

  test('keeps what is said, and measures the patience with snapshots in the election timeouts that are said', () => {
    const config = makeConfig({ ...base, electionTicks: 7, preVote: false, maxReads: 3 });
    expect(config).toMatchObject({ electionTicks: 7, preVote: false, maxReads: 3 });
    expect(config.snapshotTimeoutTicks).toBe(7 * limits.SNAPSHOT_TIMEOUT_ELECTIONS);
    expect(makeConfig({ ...base, snapshotTimeoutTicks: 0 }).snapshotTimeoutTicks).toBe(0);
  });

  test('a switch of compat is turned off alone; one that does not exist, or is no boolean, is refused by name', () => {
    const { compat } = makeConfig({ ...base, compat: { batchReads: false } });
    expect(compat).toEqual({ ...OWN_WAY, batchReads: false });
    expect(Object.values(OWN_WAY)).toEqual(new Array(9).fill(true));
    const wrong = (switches: unknown): string => complaint(() => makeConfig({ ...base, compat: switches as Config['compat'] }));
    expect(wrong({ batchRead: false })).toContain("'batchRead'");
    expect(wrong({ batchReads: undefined })).toContain('compat.batchReads');
    expect(wrong({ toString: false })).toContain("'toString'");
    for (const none of [null, 7, 'off']) expect(wrong(none)).toContain('compat');
  });

  test('an entry counts for its command and a little', () => {
    expect(defaultEntryBytes(entry(1, 1, 'abc'))).toBe(3 + limits.ENTRY_OVERHEAD_BYTES);
    expect(defaultEntryBytes(entry(1, 1))).toBe(limits.ENTRY_OVERHEAD_BYTES);
  });

  test('is refused out of its ranges, naming the option and what is allowed', () => {
    const least: Partial<Record<keyof Config, number>> = {
      electionTicks: 2,
      heartbeatTicks: 1,
      priority: Number.MIN_SAFE_INTEGER,
      maxAppendBytes: 0,
      maxAppendEntries: 1,
      maxInflightMessages: 1,
      maxInflightBytes: 1,
      maxUncommittedBytes: 1,
      maxCommittedBytes: 1,
      maxEntryBytes: 1,
      snapshotTimeoutTicks: 0,
      maxReads: 1,
    };
    const wide = { ...base, electionTicks: 1_000_000 };
    for (const [name, min] of Object.entries(least)) {
      const max = name.endsWith('Ticks') && name !== 'snapshotTimeoutTicks' ? 1_000_000 : NO_LIMIT;
      const made = (value: number): string => complaint(() => makeConfig({ ...wide, [name]: value }));
      const heartbeats = name === 'electionTicks' ? { heartbeatTicks: 1 } : {};
      expect(complaint(() => makeConfig({ ...wide, ...heartbeats, [name]: min }))).toBe('');
      const below = name === 'priority' ? min - 2 : min - 1;
      const broken = name === 'priority' ? 0.5 : min + 0.5;
      for (const value of [below, broken, max + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(made(value), `${name} ${value}`).toContain(`${name}: ${value} is not a whole number from ${min} to ${max}`);
      }
    }
    for (const name of ['maxReads', 'maxAppendBytes', 'priority', 'snapshotTimeoutTicks']) {
      expect(complaint(() => makeConfig({ ...base, [name]: NO_LIMIT }))).toBe('');
    }
    expect(complaint(() => makeConfig({ ...base, electionTicks: 1_000_000 }))).toBe('');
  });

  test('is refused when its parts do not go together', () => {
    expect(complaint(() => makeConfig({ ...base, id: '' }))).toMatch(/^id: must be 1 to 64 characters/);
    expect(complaint(() => makeConfig({ ...base, electionTicks: 5, heartbeatTicks: 5 }))).toMatch(/heartbeatTicks.*\(5\)/);
    expect(complaint(() => makeConfig({ ...base, electionTicks: 5, heartbeatTicks: 4 }))).toBe('');
    for (const readMode of ['lease', 'lease-unchecked', 'lease-on-request'] as const) {
      expect(complaint(() => makeConfig({ ...base, readMode, checkQuorum: false }))).toMatch(/readMode.*checkQuorum/);
      expect(complaint(() => makeConfig({ ...base, readMode }))).toBe('');
    }
    expect(complaint(() => makeConfig({ ...base, checkQuorum: false }))).toBe('');
    const range = (minTicks: number, maxTicks: number): string =>
      complaint(() => makeConfig({ ...base, electionTicks: 10, electionTimeoutRange: { minTicks, maxTicks } }));
    expect([range(10, 11), range(15, 30)]).toEqual(['', '']);
    for (const [min, max] of [
      [9, 20],
      [12, 12],
      [12, 11],
      [10.5, 20],
      [10, 20.5],
    ] as const) {
      expect(range(min, max), `${min} ${max}`).toMatch(/electionTimeoutRange.*\(10\)/);
    }
    expect(complaint(() => validateRange({ minTicks: 4, maxTicks: 5 }, 4))).toBe('');
  });
});

describe('the seeded random source', () => {
  test('says the same for the same seed, for ever: recorded runs depend on it', () => {
    const drawn = (seed: number): number[] => {
      const next = seededRandom(seed);
      return [next(10), next(1000), next(1_000_000), next(2 ** 32)];
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).toEqual([6, 680, 174_333, 3_011_703_609]);
    expect(drawn(2 ** 32 + 1)).toEqual(drawn(1));
    expect(drawn(-5)).toEqual([2, 245, 471_609, 3_460_411_464]);
  });

  test('draws everything below the bound about equally often, and nothing else', () => {
    const next = seededRandom(7);
    const counts = new Map<number, number>();
    for (let i = 0; i < 10_000; i++) {
      const value = next(10);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
