/** What a test asks of an object besides the storage suite. */
import type { ObjectDatabase } from '../../../signaling/cloudflare/object-database.ts';
import { createTables, SqlMedium } from '../../../src/storage/sqlite/sql-medium.ts';
import { SqlStorage } from '../../../src/storage/sqlite/sql-storage.ts';
import { entriesOf } from '../../../src/testing/storage-suite/context.ts';

const MANY = 2 * 1024 * 1024 + 17;
const ROOM = 'kept';

export async function work(name: string, database: ObjectDatabase): Promise<unknown> {
  if (name === 'large') return large(database);
  if (name === 'half') return half(database);
  if (name === 'write') return write(database);
  if (name === 'read') return read(database);
  if (name === 'rows') return rows(database);
  throw new Error(`There is no work named ${name}.`);
}

function mediumIn(database: ObjectDatabase): SqlMedium {
  createTables(database);
  return new SqlMedium(database, 77, () => undefined);
}

/** A value of three rows, then one of one row in its place, then none. */
async function large(database: ObjectDatabase): Promise<unknown> {
  const medium = mediumIn(database);
  const value = new Uint8Array(MANY).map((_, i) => i % 251);
  await medium.commit([{ kind: 'put', table: 'chunks', key: 5, value }], 'strict');
  await medium.commit([{ kind: 'put', table: 'chunks', key: 6, value: Uint8Array.of(6) }], 'strict');
  const scanned = await medium.scan('chunks', 5, 2);
  const back = await medium.get('chunks', 5);
  const same = back?.length === MANY && back.every((byte, i) => byte === i % 251);
  await medium.commit([{ kind: 'put', table: 'chunks', key: 5, value: Uint8Array.of(1, 2) }], 'strict');
  const short = [...((await medium.get('chunks', 5)) ?? [])];
  await medium.destroy();
  const left = database.exec('SELECT COUNT(*) AS count FROM tabraft_chunks WHERE node = 77')[0]?.['count'];
  return { same, scanned: scanned.map((one) => [one.key, one.value.length]), short, left };
}

/** The second of two operations cannot be carried out. */
async function half(database: ObjectDatabase): Promise<unknown> {
  const medium = mediumIn(database);
  await medium.commit([{ kind: 'put', table: 'meta', key: 'a', value: Uint8Array.of(1) }], 'strict');
  database.exec("CREATE TRIGGER refuse BEFORE INSERT ON tabraft_meta WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
  const put = (key: string, value: number) => ({ kind: 'put', table: 'meta', key, value: Uint8Array.of(value) }) as const;
  const failed = await medium.commit([put('a', 2), put('bad', 3)], 'strict').catch((error: unknown) => error);
  database.exec('DROP TRIGGER refuse');
  const after = [...(await medium.all('meta'))].map(([key, value]) => [key, ...value]);
  await medium.destroy();
  return { code: (failed as { readonly code?: string }).code, after };
}

async function write(database: ObjectDatabase): Promise<unknown> {
  const store = await new SqlStorage(database).acquire({ room: ROOM });
  const hardState = { term: 3, vote: store.identity.nodeId, commit: 20 };
  await store.write({ cluster: { clusterId: 'c', epoch: 1 }, hardState, entries: entriesOf(1, 20, 3, 2_000) });
  return store.identity.nodeId;
}

/** After an eviction: the one that wrote never let go of it. */
async function read(database: ObjectDatabase): Promise<unknown> {
  const store = await new SqlStorage(database).acquire({ room: ROOM });
  const { cluster, hardState, lastIndex } = await store.load();
  const { nodeId, bootCount } = store.identity;
  const [entry] = await store.entries(20, 21, 10_000);
  await store.wipe();
  return { nodeId, bootCount, clusterId: cluster?.clusterId, ...hardState, lastIndex, bytes: entry?.data.length };
}

/** Rows written for each of a hundred small writes, as an object is billed for them. */
async function rows(database: ObjectDatabase): Promise<unknown> {
  const store = await new SqlStorage(database).acquire({ room: 'rows' });
  await store.write({ cluster: { clusterId: 'c', epoch: 1 }, hardState: { term: 1, vote: '', commit: 0 } });
  const before = database.rowsWritten;
  for (let index = 1; index <= 100; index++) await store.write({ entries: entriesOf(index, index, 1, 100) });
  const perWrite = (database.rowsWritten - before) / 100;
  await store.wipe();
  return perWrite;
}
