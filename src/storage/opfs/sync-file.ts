/**
 * The files that a file medium stands on: a folder of its own, and files that are written and flushed in place. In a browser
 * they are OPFS sync access handles of a worker; in tests node:fs, and a modelled disk that loses power.
 */

/** Offsets and sizes are bytes. Every call may throw what the platform throws; a write may take fewer bytes than it was given. */
export interface SyncFile {
  /** How many bytes were there to read. */
  read(into: Uint8Array, at: number): number;
  write(bytes: Uint8Array, at: number): number;
  truncate(size: number): void;
  getSize(): number;
  /** Returns when everything written is durable. */
  flush(): void;
  close(): void;
}

export interface FileFolder {
  names(): Promise<readonly string[]>;
  /** Makes it when it is missing. At most one handle of a file is open at a time. */
  open(name: string): Promise<SyncFile>;
  /** Of a closed file. One that is missing is fine. */
  remove(name: string): Promise<void>;
  /** Removes the folder with all that is in it. All files are closed. */
  destroy(): Promise<void>;
  estimate(): Promise<{ readonly usageBytes: number; readonly quotaBytes: number } | undefined>;
}

/** Throws when the file does not take all of it, as a full disk does. */
export function writeWhole(file: SyncFile, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    const took = file.write(done === 0 ? bytes : bytes.subarray(done), at + done);
    if (took <= 0) throw new DOMException('The file takes no more bytes.', 'QuotaExceededError');
    done += took;
  }
}

/** Bytes [at, at + length), fewer where the file ends. */
export function readRange(file: SyncFile, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = file.read(bytes.subarray(done), at + done);
    if (got <= 0) return bytes.subarray(0, done);
    done += got;
  }
  return bytes;
}
