/** For tests and tools around tabraft, not for what a page ships. */
export { type ReplayDifference, type ReplayOptions, type ReplayReport, replay } from '../runtime/record/replay.ts';
