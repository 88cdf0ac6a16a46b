/**
 * tabraft/testing: what this library is tested with, for those who build on it. A cluster in virtual time for your own
 * state machine, a linearizability checker, and the acceptance suites of the storage and transport ports.
 */
export {
  type PlayedStep,
  type ReplayDifference,
  type ReplayOptions,
  type ReplayReport,
  replay,
  TracePlayer,
} from '../runtime/record/replay.ts';
export { decodeHistory, encodeHistory, History, type Operation, type OperationOutcome } from './history/history.ts';
export { type CheckOptions, checkLinearizable, describeVerdict, type Verdict } from './history/linearizability.ts';
export { counterModel, listModel, type Model, modelOfKey, registerModel, type Value } from './history/models.ts';
export { type DiskEvent, type DiskHook, type DiskStep, ModelledDisk } from './modelled-disk.ts';
export { Prng } from './prng.ts';
export * from './sim/index.ts';
export { type MachineRun, type MachineWorkload, simulateMachine } from './sim/simulate-machine.ts';
export { type StorageCase, type StorageSuiteOptions, storageSuite } from './storage-suite.ts';
export { type TransportCase, type TransportSuiteOptions, transportSuite } from './transport-suite.ts';
