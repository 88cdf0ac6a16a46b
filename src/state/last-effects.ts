/**
 * Where commands have taken effect last: by the last member that wrote one, and by any other. Enough to tell each writer whether
 * somebody else has changed the state since an index. Part of the replicated state, and in its snapshots.
 */
import type { Index, NodeId } from '../core/types.ts';

/** Plain form, for snapshots. */
export type EffectsImage = readonly [index: Index, by: NodeId, byOthers: Index];

export class LastEffects {
  /** Of the last command that took effect, and who wrote it. */
  #index: Index = 0;
  #by: NodeId = '';
  /** Of the last one that somebody else wrote. */
  #byOthers: Index = 0;

  note(index: Index, by: NodeId): void {
    if (by !== this.#by) this.#byOthers = this.#index;
    this.#by = by;
    this.#index = index;
  }

  /** Where the last command took effect that is not this member's; 0 for nowhere. */
  ofOthers(than: NodeId): Index {
    return than === this.#by ? this.#byOthers : this.#index;
  }

  image(): EffectsImage {
    return [this.#index, this.#by, this.#byOthers];
  }

  /** Of a snapshot; undefined where nothing is known: from a build before this, or a state without commands. */
  load(image: EffectsImage | undefined): void {
    [this.#index, this.#by, this.#byOthers] = image ?? [0, '', 0];
  }
}
