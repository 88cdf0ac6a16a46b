/**
 * Background work on stored segments: small ones are merged, those that compaction left behind are deleted. Each step
 * is one short transaction that the pipeline lets in between writes; a crash between steps leaves only work undone.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index, Term } from '../../core/types.ts';
import type { Medium, Operation } from './medium.ts';
import type { Pipeline } from './pipeline.ts';
import { decodeSegment, type EncodedSegment, encodeSegments, SEGMENT_BYTES_MAX, type Segment } from './segment.ts';

/** Small segments that may pile up before they are merged: bounds what a reopening reads, and how often entries are rewritten. */
const SMALL_SEGMENTS_MAX = 64;
/** Segments below this are worth merging: rewriting a larger one saves a reader little. */
const SMALL_SEGMENT_BYTES: number = SEGMENT_BYTES_MAX / 4;
/** Segments deleted per step: about two milliseconds that an append may have to wait. */
const SEGMENTS_PER_DELETE = 32;
/** What upkeep asks of its store. */
export interface UpkeepHost {
  readonly generation: number;
  /** On the disk. */
  readonly firstIndex: Index;
  /** Counts replacements of entries: what was read under another count is stale. */
  rewrites(): number;
  /** The operation that remembers how far merging went. */
  mergedTo(index: Index): Operation;
  /** Damage found by background work: there is no caller to tell. */
  damaged(error: RaftError): void;
}

export class Upkeep {
  readonly #medium: Medium;
  readonly #pipeline: Pipeline;
  readonly #host: UpkeepHost;
  /** Segments that hold this index or more are not merged yet, of this session and of earlier ones. */
  #cursor: Index;
  /** Segments written since the last merging that are worth it. */
  #smallWritten = 0;
  #merging = false;
  #purging: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(medium: Medium, pipeline: Pipeline, host: UpkeepHost, mergedTo: Index) {
    this.#medium = medium;
    this.#pipeline = pipeline;
    this.#host = host;
    this.#cursor = mergedTo + 1;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Segments became durable; those from `deleteFrom` on were replaced. */
  written(deleteFrom: Index | undefined, segments: readonly EncodedSegment[]): void {
    if (deleteFrom !== undefined) this.#cursor = Math.min(this.#cursor, deleteFrom);
    for (const { value } of segments) {
      if (value.length < SMALL_SEGMENT_BYTES) this.#smallWritten += 1;
    }
    if (this.#smallWritten > SMALL_SEGMENTS_MAX) void this.#merge();
  }

  async #merge(): Promise<void> {
    if (this.#merging || this.#stopped) return;
    this.#merging = true;
    try {
      let more = true;
      while (more && !this.#stopped) {
        this.#smallWritten = 0;
        more = await this.#mergeAtCursor();
      }
    } catch (error) {
      // A failed transaction stopped the pipeline, which tells the owner; damage it would not hear of.
      this.#stopped = true;
      if (RaftError.is(error, 'corrupt')) this.#host.damaged(error);
    } finally {
      this.#merging = false;
    }
  }

  /** Merges what one scan shows; true when more lies behind it. */
  async #mergeAtCursor(): Promise<boolean> {
    const rewrites = this.#host.rewrites();
    const cursor = Math.max(this.#cursor, this.#host.firstIndex);
    const stored = await this.#medium.scan('log', cursor, SMALL_SEGMENTS_MAX + 1);
    const segments = stored.map(({ key, value }) => ({ ...decodeSegment(key, value), bytes: value.length }));
    // The newest stays as it is; of a full scan's last segment it is not known where the next one hides it.
    const spans = segments.slice(0, -1).map((segment, i) => cut(segment, segments[i + 1]?.first ?? segment.last + 1));
    for (const group of groups(spans.filter((span) => span.generation === this.#host.generation))) {
      const done = await this.#pipeline.exclusive(() => this.#mergeGroup(group, rewrites));
      if (!done) return false;
    }
    return stored.length > SMALL_SEGMENTS_MAX;
  }

  /** False when the log was rewritten since the group was read. */
  async #mergeGroup(group: readonly Span[], rewrites: number): Promise<boolean> {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return true;
    if (this.#stopped || this.#host.rewrites() !== rewrites) return false;
    // A group that does not fill a segment is where the next merging starts.
    const full = group.reduce((bytes, span) => bytes + span.bytes, 0) > SEGMENT_BYTES_MAX / 2;
    this.#cursor = full ? last.end : first.first;
    if (group.length === 1) return true;
    const entries = group.flatMap((span) => span.entries);
    const puts = encodeSegments(entries, first.prevTerm, first.generation).map(
      ({ first: key, value }): Operation => ({ kind: 'put', table: 'log', key, value }),
    );
    const gone: Operation = { kind: 'delete-range', table: 'log', from: first.first, to: last.end };
    await this.#medium.commit([gone, ...puts, this.#host.mergedTo(this.#cursor - 1)], 'relaxed');
    return true;
  }

  /** Deletes what lies wholly below the first index, in steps. Resolves when it is done. */
  purge(): Promise<void> {
    const purged = this.#purging.then(() => this.#purge());
    this.#purging = purged.catch(() => undefined);
    return purged;
  }

  async #purge(): Promise<void> {
    let more = true;
    while (more && !this.#stopped) more = await this.#pipeline.exclusive(() => this.#purgeStep());
  }

  /** Runs alone, so that the first index is the disk's. */
  async #purgeStep(): Promise<boolean> {
    const [holding] = await this.#medium.scan('log', this.#host.firstIndex, 1);
    const upTo = Math.min(this.#host.firstIndex, holding?.key ?? this.#host.firstIndex);
    const keys = await this.#medium.keys('log', 0, upTo, SEGMENTS_PER_DELETE);
    const [from, last] = [keys[0], keys.at(-1)];
    if (from === undefined || last === undefined) return false;
    await this.#medium.commit([{ kind: 'delete-range', table: 'log', from, to: last + 1 }], 'relaxed');
    return keys.length === SEGMENTS_PER_DELETE;
  }
}

interface Span {
  readonly generation: number;
  readonly prevTerm: Term;
  readonly first: Index;
  /** Exclusive. */
  readonly end: Index;
  readonly entries: readonly Entry[];
  readonly bytes: number;
}

function cut(segment: Segment & { readonly bytes: number }, nextFirst: Index): Span {
  const end = Math.min(segment.last + 1, nextFirst);
  const { generation, prevTerm, first, bytes } = segment;
  return { generation, prevTerm, first, end, bytes, entries: segment.entries.slice(0, end - first) };
}

/** Neighbours that fit into one segment together. */
function groups(spans: readonly Span[]): Span[][] {
  const all: Span[][] = [];
  let group: Span[] = [];
  let bytes = 0;
  for (const span of spans) {
    if (group.length > 0 && (bytes + span.bytes > SEGMENT_BYTES_MAX || group.at(-1)?.end !== span.first)) {
      all.push(group);
      group = [];
      bytes = 0;
    }
    group.push(span);
    bytes += span.bytes;
  }
  if (group.length > 0) all.push(group);
  return all;
}
