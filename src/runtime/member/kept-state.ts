/**
 * What the log makes, on a keeper: of the commands nothing, of the sessions and of who may come in the same as everywhere. It makes
 * snapshots out of what is stored: the snapshot in force, which a member with the machine made, and the entries since.
 */
import { RaftError } from '../../core/errors.ts';
import type { Entry, Index } from '../../core/types.ts';
import { formatOf, KEPT_FORMAT, type KeptPart, writeKept } from '../../state/kept-snapshot.ts';
import { type Applied, ReplicatedState } from '../../state/replicated-state.ts';
import type { SessionLimits } from '../../state/sessions.ts';
import { readFrames } from '../../state/snapshot-stream.ts';
import type { Machine } from '../../state/state-machine.ts';
import type { MemberRoles } from '../../state/trust-part.ts';
import type { NodeStore, StoredSnapshot } from '../../storage/storage.ts';
import { decodeSettings } from './configuration.ts';

const NOTHING: Applied = { kind: 'noop' };
/** Bytes of log read at once for a snapshot. */
const READ_BYTES = 1024 * 1024;

interface LimitsAt {
  readonly index: Index;
  readonly limits: SessionLimits;
}

export class KeptState extends ReplicatedState {
  readonly #store: NodeStore;
  #applied: Index = 0;
  /** Where the limits of sessions changed, since the log began here. As many as the operator has changed settings, and one. */
  #limits: LimitsAt[] = [];

  constructor(machine: Machine, limits: SessionLimits, store: NodeStore) {
    super(machine, limits);
    this.#store = store;
  }

  override apply(entry: Entry): Applied {
    const applied = super.apply(entry);
    this.#applied = entry.index;
    // What commands came to here is not what they came to.
    return applied.kind === 'command' ? NOTHING : applied;
  }

  override configured(index: Index, limits: SessionLimits, roles?: MemberRoles): void {
    super.configured(index, limits, roles);
    const { sessionsMax, sessionTtlMs } = limits;
    this.#applied = index;
    const last = this.#limits.at(-1)?.limits;
    if (last?.sessionsMax === sessionsMax && last.sessionTtlMs === sessionTtlMs) return;
    this.#limits.push({ index, limits: { sessionsMax, sessionTtlMs } });
  }

  /** The stored bytes up to the index that was applied at the call. Errors, while they are read: those of storage. */
  override snapshot(): AsyncIterable<Uint8Array> {
    return writeKept(this.#parts(this.#applied, [...this.#limits]));
  }

  /** Reads all of it, so that damage is found now and not by who needs it. Errors: corrupt, version-mismatch. */
  override async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await super.restore(chunks);
    this.#applied = 0;
  }

  override async reset(): Promise<void> {
    await super.reset();
    this.#applied = 0;
    this.#limits = [];
  }

  async *#parts(to: Index, limits: readonly LimitsAt[]): AsyncIterable<KeptPart> {
    const stored = await this.#store.snapshot();
    if (stored !== undefined) yield* partsUnder(stored);
    let from = (stored?.meta.index ?? 0) + 1;
    for (const { index, limits: changed } of limits) {
      if (index < from || index > to) continue;
      yield* this.#entries(from, index);
      yield { kind: 'limits', limits: changed };
      from = index + 1;
    }
    yield* this.#entries(from, to);
  }

  async *#entries(from: Index, to: Index): AsyncIterable<KeptPart> {
    for (let next = from; next <= to; ) {
      const entries = await this.#store.entries(next, to + 1, READ_BYTES);
      if (entries.length === 0) throw new RaftError('corrupt', `Entry ${next} should be in the log, and is not.`);
      yield { kind: 'entries', entries };
      next += entries.length;
    }
  }
}

/** Of a keeper's snapshot its own parts, so that one never lies inside another. */
async function* partsUnder(stored: StoredSnapshot): AsyncIterable<KeptPart> {
  let isKept: boolean | undefined;
  for await (const frame of readFrames(stored.chunks())) {
    if (isKept === true) yield { kind: 'frame', frame };
    isKept ??= formatOf(frame) === KEPT_FORMAT;
    if (!isKept) break;
  }
  if (isKept === true) return;
  for await (const chunk of stored.chunks()) yield { kind: 'base', chunk };
  yield { kind: 'limits', limits: decodeSettings(stored.meta.conf.context) };
}
