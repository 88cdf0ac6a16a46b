/**
 * The acceptance suite of a storage adapter: what Raft needs of a disk, as named cases that any runner can run.
 *
 *     for (const { name, run } of storageSuite({ open: () => new MyStorage('./data') })) test(name, run);
 */
import type { StorageProvider } from '../storage/storage.ts';
import { batchCases } from './storage-suite/batch-cases.ts';
import { type Context, StorageContext, type SuiteCase } from './storage-suite/context.ts';
import { identityCases } from './storage-suite/identity-cases.ts';
import { logCases } from './storage-suite/log-cases.ts';
import { snapshotCases } from './storage-suite/snapshot-cases.ts';

export interface StorageSuiteOptions {
  /** A provider as a process has it that starts now: called again for every restart, over the same disk. */
  open(): StorageProvider | Promise<StorageProvider>;
}

export interface StorageCase {
  readonly name: string;
  /** Rejects when the adapter does not keep the promise that the name states. */
  run(): Promise<void>;
}

export function storageSuite(options: StorageSuiteOptions): readonly StorageCase[] {
  const all: readonly SuiteCase[] = [...identityCases, ...logCases, ...batchCases, ...snapshotCases];
  return all.map(([name, body]) => ({ name, run: () => runCase(options, body) }));
}

async function runCase(options: StorageSuiteOptions, body: (context: Context) => Promise<void>): Promise<void> {
  const context = new StorageContext(() => options.open());
  try {
    await body(context);
  } finally {
    await context.end();
  }
}
