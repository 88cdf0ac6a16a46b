/** Run as a process of its own: `files-writer.mjs <path> <count>`: appends one by one, and says which are durable. */
import { writeSync } from 'node:fs';
import { entriesOf } from '../../../src/testing/storage-suite/context.ts';
import { openOnFiles } from './files.ts';
import { nodeFolder } from './node-folder.ts';

const [path = '', count = '0'] = process.argv.slice(2);
const store = await openOnFiles(nodeFolder(path));
await store.load();
for (let index = 1; index <= Number(count); index += 1) {
  await store.write({ entries: entriesOf(index, index, 1, 100), hardState: { term: 1, vote: 'n', commit: index - 1 } });
  writeSync(1, `${index}\n`);
}
await store.close();
