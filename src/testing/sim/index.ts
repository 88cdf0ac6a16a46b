/** The simulator's front door. */
export {
  type CampaignOptions,
  describeSummary,
  emptySummary,
  mergeSummary,
  missingEvidence,
  runCampaign,
  type Summary,
} from './campaign.ts';
export { describeStrike, SimCluster } from './cluster.ts';
export { type Choice, CoreModel, type ModelLimits } from './core-model.ts';
export {
  type CrashPoint,
  type CrashRun,
  countBoundaries,
  crashPointsOf,
  crashScenarios,
  searchCrashes,
  simulateWithCrashes,
} from './crash-points.ts';
export { CALM_DISK, VirtualDisk } from './disk.ts';
export { Evidence, type Violation } from './evidence.ts';
export { EXPLORE_DEFAULTS, type Exploration, type ExploreOptions, explore, replayChoices } from './explore.ts';
export { Ghost } from './ghost.ts';
export { objectsMachine } from './machine.ts';
export { CALM_NETWORK, type NetworkFaults, VirtualNetwork, VirtualTransport } from './network.ts';
export { type Fault, type FaultKind, type Plan, type PlanOptions, planOf, type Strike } from './plan.ts';
export { type ClockFaults, VirtualProcess } from './process.ts';
export { Scheduler } from './scheduler.ts';
export { type Shrunk, shrink } from './shrink.ts';
export { VirtualRoom, VirtualSignaling } from './signaling.ts';
export type { CrashKind, DiskFaults } from './sim-disk.ts';
export { SimNode, type World } from './sim-node.ts';
export { type RunReport, type SimulateOptions, simulate } from './simulate.ts';
export { TAB_LIVES, type TabLife, tabLifePlan, watchLiveness } from './tab-life.ts';
export { describeNotes, type Note, recordNotes, timelineSvg } from './timeline.ts';
