/** The member of this node from one opening of its storage to the next: made from what storage holds, given up when that fails. */
import { RaftError } from '../../core/errors.ts';
import type { NodeStore, StagedSnapshot } from '../../storage/storage.ts';
import type { Emitter } from '../api/emitter.ts';
import type { NodeOptions } from '../api/options.ts';
import { rolesIn } from '../member/configuration.ts';
import { Member, type MemberHooks } from '../member/member.ts';
import { storageErrorOf } from '../member/storage-error.ts';
import type { Application } from '../ports/seam.ts';
import type { Recorder } from '../record/recorder.ts';
import type { StandingRecord } from '../standing/standing.ts';

/** A node whose storage failed looks whether it works again this often, in ms. */
const STORAGE_RETRY_MS = 2_000;

interface MemberLifeParts {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly standing: StandingRecord;
  readonly application: () => Application;
  readonly recorder: Recorder | undefined;
  readonly emitter: Emitter;
}

interface MemberLifeHooks {
  readonly member: MemberHooks;
  onOpened(): void;
  onRoleChange(): void;
  /** It cannot write any more: if it leads, somebody else shall, and not after a timeout. */
  standAside(): void;
  end(error: RaftError): void;
}

export class MemberLife {
  readonly #parts: MemberLifeParts;
  readonly #hooks: MemberLifeHooks;
  /** Counts openings: of two under way only the later goes on. */
  #openings = 0;

  constructor(parts: MemberLifeParts, hooks: MemberLifeHooks) {
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** Makes the member, if this node belongs to a cluster. Errors: corrupt, version-mismatch, storage, quota. */
  async open(): Promise<void> {
    const { options, store, standing, recorder } = this.#parts;
    const opening = ++this.#openings;
    const isCurrent = (): boolean => opening === this.#openings && standing.state.kind !== 'ended';
    const loaded = await store.load();
    if (!isCurrent()) return;
    // Its storage failed before it belonged to a cluster: it goes on looking for one.
    if (loaded.cluster === undefined) {
      standing.seek();
      return this.#hooks.onRoleChange();
    }
    const { clock, tuning, priority, inspect, reluctant = false } = options;
    const application = this.#parts.application();
    const parts = {
      self: standing.id,
      store,
      application,
      clock,
      tuning,
      priority,
      reluctant,
      inspect,
      recorder,
      hooks: this.#hooks.member,
    };
    const member = await Member.open(parts, loaded);
    if (!isCurrent()) return member.stop(new RaftError('stopped', 'Another opening has taken its place.'));
    standing.belong(member, loaded.cluster);
    application.opened(member.appliedIndex);
    // Of the snapshot: entries behind it are applied as its members applied them, whatever this node was opened with.
    if (member.appliedIndex > 0) application.configured(member.appliedIndex, member.conf.context, rolesIn(member.conf));
    member.pump();
    this.#hooks.onOpened();
  }

  /** The member cannot go on. A full or failing disk may recover; anything else ends the node. */
  fail(error: RaftError): void {
    const { standing, emitter } = this.#parts;
    const application = this.#parts.application();
    const { kind } = standing.state;
    if (kind === 'ended') return;
    this.#openings++;
    if (isOfDisk(error)) this.#hooks.standAside();
    standing.member?.stop(error);
    application.halt();
    if (!mayRecover(error)) return this.#hooks.end(error);
    // Suspended first: a listener sees the node as it is.
    standing.suspend(error);
    emitter.emit('fault', { error });
    // Told of a second fault while it waits: one look at its storage is enough for both.
    if (kind === 'suspended') return;
    this.#hooks.onRoleChange();
    application.leaderChanged();
    this.#reopenLater();
  }

  /** The page is put away: this life ends here, and what the next one is, storage says. */
  pause(): void {
    const { standing } = this.#parts;
    const application = this.#parts.application();
    const { member } = standing;
    // It was on its way back: then it is not any more.
    if (standing.state.kind === 'paused') this.#openings++;
    if (member === undefined) return;
    this.#openings++;
    member.stop(new RaftError('leadership-lost', 'The page of this node was put away.'));
    application.halt();
    standing.pause();
    this.#hooks.onRoleChange();
    application.leaderChanged();
  }

  /** This life ends, `work` is done to the store at rest, and another life begins, whatever became of the work. Errors: those of `work`. */
  async renew<T>(work: () => Promise<T>): Promise<T> {
    this.pause();
    try {
      return await work();
    } finally {
      await this.open().catch((error: unknown) => this.fail(storageErrorOf(error)));
    }
  }

  /** The page is back. */
  resume(): void {
    if (this.#parts.standing.state.kind !== 'paused') return;
    this.open().catch((error: unknown) => this.fail(storageErrorOf(error)));
  }

  #reopenLater(): void {
    const { options, standing, emitter } = this.#parts;
    options.clock.after(STORAGE_RETRY_MS, () => {
      if (standing.state.kind !== 'suspended') return;
      const again = (failure?: unknown): void => {
        if (standing.state.kind !== 'suspended') return;
        if (failure !== undefined) {
          const error = storageErrorOf(failure);
          if (!mayRecover(error)) return this.#hooks.end(error);
          emitter.emit('fault', { error });
        }
        this.#reopenLater();
      };
      // Another fault may have taken the place of this opening: then it is tried again as well.
      this.open().then(() => again(), again);
    });
  }

  /** Takes the leader's state for its own and applies the rest of its log to it. Never rejects. */
  async reopenFrom(staged: StagedSnapshot): Promise<void> {
    const { standing, store } = this.#parts;
    try {
      standing.member?.stop(new RaftError('leadership-lost', 'This node takes its state anew.'));
      await store.write({ snapshot: { staged, keepLogAfter: true } });
      await this.open();
    } catch (error) {
      this.fail(storageErrorOf(error));
    }
  }
}

/** Its log is what it has told the others, and only writing has failed: who takes over may go by it. */
function isOfDisk({ code }: RaftError): boolean {
  return code === 'quota' || code === 'storage' || code === 'storage-closed';
}

function mayRecover({ code }: RaftError): boolean {
  return code === 'quota' || code === 'storage';
}
