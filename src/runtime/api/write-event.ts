/** What is told of a write when it has its answer: for charts and logs. */
import type { RaftErrorCode } from '../../core/errors.ts';
import type { Index } from '../../core/types.ts';

export interface WriteEvent {
  /** From the call to its answer. */
  readonly ms: number;
  /** Undefined for a write that was applied. */
  readonly code: RaftErrorCode | undefined;
  /** Its place in the log, where it has one that is known here. */
  readonly index: Index | undefined;
}
