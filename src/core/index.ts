/** The core's public face: a Raft without input, output, clock or randomness of its own. */

export type { Compat } from './compat.ts';
export { EMPTY_CONF, isJoint, LEAVE_JOINT } from './conf/conf-change.ts';
export { allVoters, canLead, isMember, isVoter } from './conf/conf-state.ts';
export { type Config, type ConfigInput, type ElectionTimeoutRange, makeConfig, type ReadMode } from './config.ts';
export * from './describe.ts';
export { ERROR_CODES, isErrorCode, RaftError, type RaftErrorCode } from './errors.ts';
export { MemoryLog } from './log/memory-log.ts';
export type { ApplyConfOutcome, AskOutcome, ProposeOutcome, RefusalReason } from './outcome.ts';
export { type RandomSource, seededRandom } from './random.ts';
export { type InitialState, RawNode } from './raw-node.ts';
export type { ProgressStateName, ProgressStatus, Status } from './status.ts';
export type { TraceEvent, TraceSink } from './trace.ts';
export * from './types.ts';
