/** `tabraft/testing`: acceptance suites for adapters, and what to test with. Not for what a page ships. */
export { type ReplayDifference, type ReplayOptions, type ReplayReport, replay } from '../runtime/record/replay.ts';
export { type DiskEvent, type DiskHook, type DiskStep, ModelledDisk } from './modelled-disk.ts';
export { type StorageCase, type StorageSuiteOptions, storageSuite } from './storage-suite.ts';
export { type TransportCase, type TransportSuiteOptions, transportSuite } from './transport-suite.ts';
