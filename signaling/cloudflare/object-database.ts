/** An object's own SQLite as the storage of nodes takes it. */
import type { SqlDatabase, SqlRow, SqlValue } from '../../src/storage/sqlite/sql.ts';
import type { ObjectContext } from './platform.ts';

/** Cloudflare's limit of one object: bytes. */
const OBJECT_BYTES_MAX = 10_000_000_000;

export class ObjectDatabase implements SqlDatabase {
  readonly quotaBytes: number = OBJECT_BYTES_MAX;
  readonly #storage: ObjectContext['storage'];
  #rowsWritten = 0;

  constructor({ storage }: Pick<ObjectContext, 'storage'>) {
    this.#storage = storage;
  }

  exec(query: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    const cursor = this.#storage.sql.exec(query, ...values);
    const rows = cursor.toArray();
    this.#rowsWritten += cursor.rowsWritten;
    return rows;
  }

  transaction(work: () => void): void {
    this.#storage.transactionSync(work);
  }

  sync(): Promise<void> {
    return this.#storage.sync();
  }

  /** Through here, since the object was made: what is billed. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  get sizeBytes(): number {
    return this.#storage.sql.databaseSize;
  }
}
