/**
 * From an older format to this one, one version at a time, each step one strict transaction: a crash leaves the old
 * format or the new one. Segments and chunks have versions of their own and stay as they are.
 */
import { RaftError } from '../../core/errors.ts';
import type { Medium, Operation, StoredRecord } from './medium.ts';
import { putHead, putMeta, readMeta } from './meta.ts';
import { decodeSegment } from './segment.ts';

type Step = (meta: ReadonlyMap<string, Uint8Array>, lastSegment: StoredRecord | undefined) => readonly Operation[];

const STEPS: Readonly<Record<number, Step>> = {
  1: (meta, lastSegment) => {
    const log = readMeta(meta, 'log');
    if (log === undefined) throw new RaftError('corrupt', "The stored record 'log' is missing.");
    const hardState = readMeta(meta, 'hard') ?? { term: 0, vote: '', commit: 0 };
    const segment = lastSegment === undefined ? undefined : decodeSegment(lastSegment.key, lastSegment.value);
    const end = segment?.generation === log.generation ? segment.last : 0;
    return [
      putHead({ hardState, lastIndex: Math.max(end, log.firstIndex - 1), tail: [] }),
      { kind: 'delete', table: 'meta', key: 'hard' },
    ];
  },
  // Only the number: builds that know 2 refuse the store from here on (`storage-newer`).
  2: () => [],
};

/** Takes one step. Errors: corrupt, storage, quota. */
export async function upgrade(
  medium: Medium,
  meta: ReadonlyMap<string, Uint8Array>,
  lastSegment: StoredRecord | undefined,
  format: number,
): Promise<void> {
  const step = STEPS[format];
  if (step === undefined) throw new RaftError('corrupt', `The database has format ${format}, which never was.`);
  await medium.commit([...step(meta, lastSegment), putMeta('format', format + 1)], 'strict');
}
