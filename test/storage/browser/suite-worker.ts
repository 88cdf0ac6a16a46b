/** The acceptance suite in a worker that holds the files itself. Says what failed, as one message. */
import { OpfsStorage } from '../../../src/storage/opfs/opfs-storage.ts';
import { storageSuite } from '../../../src/testing/storage-suite.ts';

const failed: string[] = [];
const suite = storageSuite({ open: () => new OpfsStorage() });
for (const { name, run } of suite) {
  try {
    await run();
  } catch (error) {
    failed.push(`${name}: ${error instanceof Error ? `${error.message}\n${error.stack}` : String(error)}`);
  }
}
postMessage({ cases: suite.length, failed });
