/**
 * tabraft/testing: what this library is tested with, for those who build on it. A cluster in virtual time for your own
 * state machine, a linearizability checker, and the acceptance suites of the storage and transport ports.
 */
export { decodeHistory, encodeHistory, History, type Operation, type OperationOutcome } from './history/history.ts';
export { type CheckOptions, checkLinearizable, describeVerdict, type Verdict } from './history/linearizability.ts';
export { counterModel, listModel, type Model, modelOfKey, registerModel, type Value } from './history/models.ts';
export { Prng } from './prng.ts';
export * from './sim/index.ts';
export { type MachineRun, type MachineWorkload, simulateMachine } from './sim/simulate-machine.ts';
export * from './storage-suite.ts';
export * from './transport-suite.ts';
