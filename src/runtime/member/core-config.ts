/** How a node's options in milliseconds become the core's in ticks. */
import { type Config, makeConfig } from '../../core/config.ts';
import { ENTRY_OVERHEAD_BYTES } from '../../core/limits.ts';
import type { NodeId } from '../../core/types.ts';
import type { TuningOptions } from '../api/api.ts';
import type { NodeOptions } from '../api/options.ts';
import type { Clock } from '../ports/clock.ts';

/** Ticks in one heartbeat interval: enough grain for election timeouts to differ. */
const TICKS_PER_HEARTBEAT = 3;
/** Of so many voters one that is reluctant leads: it does not go, and only a leader may go on alone when the other is gone. */
export const RELUCTANT_LEADS_MAX = 2;
/** What an envelope adds to a command, in bytes, at the most. */
const ENVELOPE_BYTES_MAX = 1024;

export function tickMs(tuning: TuningOptions): number {
  return Math.max(1, tuning.heartbeatMs / TICKS_PER_HEARTBEAT);
}

/** Of the shortest election timeout. A lease is half of it, counted in ticks: late ticks and the time since the last may add a quarter. */
const LEASE_SLACK_SHARE = 1 / 8;

/** By so much, in ms, ticks may be late before a lease is void, and again by so much the last may lie back when it is used. */
export function leaseSlackMs(tuning: TuningOptions): number {
  return tuning.electionTimeoutMs[0] * LEASE_SLACK_SHARE;
}

export function coreConfig(
  self: NodeId,
  tuning: TuningOptions,
  priority: number,
  clock: Clock,
  inspect: NodeOptions['inspect'],
): Config {
  const tick = tickMs(tuning);
  const [low, high] = tuning.electionTimeoutMs;
  const minTicks = Math.max(TICKS_PER_HEARTBEAT + 1, Math.round(low / tick));
  const maxTicks = Math.max(minTicks + 1, Math.round(high / tick));
  return makeConfig({
    id: self,
    random: (below) => Math.floor(clock.random() * below),
    electionTicks: minTicks,
    heartbeatTicks: TICKS_PER_HEARTBEAT,
    electionTimeoutRange: { minTicks, maxTicks },
    priority,
    maxAppendBytes: tuning.appendBytesMax,
    maxInflightMessages: tuning.inflightMessagesMax,
    maxEntryBytes: tuning.commandBytesMax + ENVELOPE_BYTES_MAX + ENTRY_OVERHEAD_BYTES,
    readMode: tuning.leaseReads ? 'lease-on-request' : 'safe',
    // Proposals are forwarded by the runtime, which can tell the caller what became of them.
    forwardProposals: false,
    asyncStorageWrites: true,
    // To the last tab: docs/CORE.md, "The last voter".
    goesAlone: true,
    proxyVotes: true,
    ...inspect,
  });
}
