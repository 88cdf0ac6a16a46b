/** Reading stored segments: nothing is handed out that was not checked against its checksum, its neighbours and the terms. */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index } from '../../core/types.ts';
import type { Medium } from './medium.ts';
import { entryBytes } from './recent.ts';
import { decodeSegment, type Segment } from './segment.ts';
import type { TermIndex } from './term-index.ts';

/** Segments asked for at once: the first answer comes soon, a long read takes few round trips. */
const SCAN_SEGMENTS_MIN = 8;
const SCAN_SEGMENTS_MAX = 128;

export interface LogSpan {
  readonly generation: number;
  readonly terms: TermIndex;
}

/**
 * Entries [from, to) from the disk, at least one, then as many as fit. Stops early when the log is rewritten under it;
 * the caller looks at `terms.rewrites` and asks again.
 */
export async function readEntries(medium: Medium, log: LogSpan, from: Index, to: Index, bytesMax: number): Promise<Entry[]> {
  const { rewrites } = log.terms;
  const taken: Entry[] = [];
  let bytes = 0;
  let limit = SCAN_SEGMENTS_MIN;
  while (from + taken.length < to) {
    const at = from + taken.length;
    const segments = await scanSegments(medium, at, limit);
    if (log.terms.rewrites !== rewrites) return taken;
    // What a segment holds is hidden from where the next one starts: the last of a full answer is not known whole.
    const complete = segments.length < limit ? segments.length : segments.length - 1;
    for (let i = 0; i < complete && from + taken.length < to; i += 1) {
      const segment = segments[i];
      if (segment === undefined) break;
      const end = Math.min(to, segment.last + 1, segments[i + 1]?.first ?? to);
      for (const entry of requireSpan(segment, log, from + taken.length, end)) {
        bytes += entryBytes(entry);
        if (bytes > bytesMax && taken.length > 0) return taken;
        taken.push(entry);
      }
    }
    if (at === from + taken.length) throw missing(at);
    limit = Math.min(limit * 4, SCAN_SEGMENTS_MAX);
  }
  return taken;
}

/** Errors: index-compacted, invariant (entries that were never there). */
export function requireRange({ firstIndex, lastIndex }: TermIndex, from: Index, to: Index): void {
  if (from < firstIndex) {
    const details = { index: firstIndex };
    throw new RaftError('index-compacted', `The log starts at ${firstIndex}; ${from} is no longer there.`, details);
  }
  if (to > lastIndex + 1 || from > to) {
    throw new RaftError('invariant', `Entries ${from} to ${to} were asked of a log that ends at ${lastIndex}.`);
  }
}

export async function scanSegments(medium: Medium, at: Index, limit: number): Promise<Segment[]> {
  const stored = await medium.scan('log', at, limit);
  return stored.map(({ key, value }) => decodeSegment(key, value));
}

function requireSpan(segment: Segment, log: LogSpan, from: Index, to: Index): readonly Entry[] {
  if (segment.generation !== log.generation || segment.first > from || segment.last < from) throw missing(from);
  const before = log.terms.term(segment.first - 1);
  if (before !== undefined && before !== segment.prevTerm) {
    throw new RaftError('corrupt', `The log segment that starts at ${segment.first} does not fit the one before it.`, {
      index: segment.first,
    });
  }
  const entries = segment.entries.slice(from - segment.first, to - segment.first);
  for (const entry of entries) {
    const term = log.terms.term(entry.index);
    if (term !== undefined && term !== entry.term) {
      throw new RaftError('corrupt', `Log entry ${entry.index} has term ${entry.term}, but term ${term} was written.`, {
        index: entry.index,
      });
    }
  }
  return entries;
}

function missing(index: Index): RaftError {
  return new RaftError('corrupt', `Log entry ${index} is missing: the log has a hole there.`, { index });
}
