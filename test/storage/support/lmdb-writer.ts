/** Run as a process of its own: `writer.mjs <path> <room> <count> <durability>`. */
import { writeSync } from 'node:fs';
import { LmdbStorage } from '../../../src/storage/lmdb/lmdb-storage.ts';
import { entriesOf } from '../../../src/testing/storage-suite/context.ts';

const [path = '', room = '', count = '0', durability] = process.argv.slice(2);
const store = await new LmdbStorage({ path, durability: durability === 'relaxed' ? 'relaxed' : 'strict' }).acquire({ room });
await store.load();
writeSync(1, `${store.identity.nodeId}\n`);
for (let index = 1; index <= Number(count); index += 1) {
  await store.write({ entries: entriesOf(index, index, 1, 100) });
  writeSync(1, `${index}\n`);
}
await store.close();
