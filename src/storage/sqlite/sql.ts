/** PORT: an SQLite database whose calls return at once, as that of a Durable Object. */

export type SqlValue = string | number | ArrayBuffer | null;
export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlDatabase {
  exec(query: string, ...values: readonly SqlValue[]): readonly SqlRow[];
  /** All of the work, or none of it when it throws. It does not wait for anything. */
  transaction(work: () => void): void;
  /** Resolves when everything that was written before is durable. */
  sync(): Promise<void>;
  readonly sizeBytes: number;
  /** How large it may become. */
  readonly quotaBytes: number;
}
