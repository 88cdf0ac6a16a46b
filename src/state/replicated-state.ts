/**
 * Everything that the log makes: the machine, the sessions, log time. One entry in, one outcome out, the
 * same on every member; and the whole of it in and out of a snapshot.
 */
import { packValue, unpackValue } from '../codec/pack.ts';
import { RaftError } from '../core/errors.ts';
import type { Entry, Index, NodeId } from '../core/types.ts';
import { EntryContext } from './entry-context.ts';
import { type CommandEnvelope, readEnvelope, type TrustEnvelope } from './envelope.ts';
import { formatOf, KEPT_FORMAT, KeptReader } from './kept-snapshot.ts';
import { type EffectsImage, LastEffects } from './last-effects.ts';
import { type SessionLimits, Sessions, type SessionsImage } from './sessions.ts';
import { readFrames, writeFrames } from './snapshot-stream.ts';
import type { Machine, Outcome } from './state-machine.ts';
import { type MemberRoles, TrustPart } from './trust-part.ts';

/** What applying one entry meant, for whoever waits for it. */
export type Applied =
  | { readonly kind: 'noop' }
  /** Bytes that no build of tabraft can have meant: nothing is done, the same on every member. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'registered'; readonly clientId: string; readonly nonce: string; readonly session: number }
  | { readonly kind: 'closed'; readonly session: number }
  | {
      /** `trust`: for the ledger, not for the machine. */
      readonly kind: 'command' | 'trust';
      readonly session: number;
      readonly sequence: number;
      readonly command: Uint8Array;
      readonly outcome: Outcome;
      /** Where the command took effect: earlier than this entry for a duplicate. */
      readonly index: number;
      readonly term: number;
      readonly replayed: boolean;
    };

const NOOP: Applied = { kind: 'noop' };
const UNREADABLE: Applied = { kind: 'unreadable' };
const SESSION_EXPIRED: Outcome = {
  kind: 'error',
  code: 'session-expired',
  message: 'The session of this write has expired.',
};
const ANSWERED_BEFORE: Outcome = {
  kind: 'error',
  code: 'outcome-unknown',
  message: 'This write was answered or given up before.',
};
const NO_ROLES: MemberRoles = new Map();
/** Of a command that is run again past the sessions: it was allowed then. */
const NOBODY: NodeId = '';
/** One leap of log time counts for so small a share of a session's life. */
const SESSION_STEPS = 16;
type SnapshotHeader = readonly [
  format: number,
  version: number,
  logTime: number,
  sessions: SessionsImage,
  sessionTime?: number,
  leaderTime?: number,
  ledger?: Uint8Array | undefined,
  effects?: EffectsImage,
];
/** Version of the header of a snapshot. */
export const SNAPSHOT_FORMAT = 1;

export class ReplicatedState {
  readonly machine: Machine;
  readonly sessions: Sessions;
  readonly trust: TrustPart = new TrustPart();
  readonly #effects = new LastEffects();
  /** Log time: the greatest leader's clock seen, in ms since the epoch. */
  #logTime = 0;
  /** The time that sessions live by, in ms: log time, of which no step counts for more than a share of their life. */
  #sessionTime = 0;
  /** The leader's clock at the last entry, in ms since the epoch: it may go back, when another leads. */
  #leaderTime = 0;

  constructor(machine: Machine, limits: SessionLimits) {
    this.machine = machine;
    this.sessions = new Sessions(limits);
  }

  get now(): number {
    return this.#logTime;
  }

  /** A configuration took effect: the limits of sessions are the cluster's, and change in their place between the entries. */
  configured(_index: Index, limits: SessionLimits, roles: MemberRoles = NO_ROLES): void {
    this.sessions.setLimits(limits);
    this.trust.roles = roles;
  }

  /** Applies one committed `normal` entry. Errors: version-mismatch (the node must stop). */
  apply(entry: Entry): Applied {
    this.#advance(entry.time);
    this.sessions.expire(entry.index, this.#sessionTime);
    if (entry.data.length === 0) return NOOP;
    const envelope = readEnvelope(entry.data);
    if (envelope === undefined) return UNREADABLE;
    if (envelope.kind === 'command') return this.#applyCommand(envelope, entry);
    if (envelope.kind === 'trust') return this.#applyTrust(envelope, entry);
    if (envelope.kind === 'close') {
      this.sessions.close(envelope.session);
      return { kind: 'closed', session: envelope.session };
    }
    this.sessions.register(entry.index, envelope.clientId, this.#sessionTime);
    return { kind: 'registered', clientId: envelope.clientId, nonce: envelope.nonce, session: entry.index };
  }

  /**
   * One leader whose clock is wrong must not end every session, and with them what makes a write happen once: a leap counts for a
   * sixteenth of a session's life. A room that was idle keeps its sessions longer than it had to, which harms nobody. Steps are
   * counted from the clock at the entry before, not from log time: that stands still until the right clock has caught up with it,
   * and no session would ever end.
   */
  #advance(time: number): void {
    const step = time - this.#leaderTime;
    this.#leaderTime = time;
    if (step > 0) this.#sessionTime += Math.min(step, Math.max(1, Math.floor(this.sessions.lifeMs / SESSION_STEPS)));
    if (time > this.#logTime) this.#logTime = time;
  }

  #applyCommand(envelope: CommandEnvelope, entry: Entry): Applied {
    if (envelope.machineVersion > this.machine.version) {
      throw new RaftError(
        'version-mismatch',
        `Entry ${entry.index} was written for version ${envelope.machineVersion} of the state machine; this node runs version ${this.machine.version}. Reload it.`,
        { index: entry.index },
      );
    }
    const { key } = envelope;
    return this.#once(envelope, key, entry, (proposer) => this.#run(envelope, entry, proposer));
  }

  #applyTrust(envelope: TrustEnvelope, entry: Entry): Applied {
    return this.#once(envelope, '', entry, (writer) => this.trust.apply(envelope, entry, writer));
  }

  /** Whatever is written in a session happens once. */
  #once(envelope: CommandEnvelope | TrustEnvelope, key: string, entry: Entry, run: (writer: NodeId) => Outcome): Applied {
    const { kind, session, sequence, answeredBelow, command } = envelope;
    const found = this.sessions.lookup({ session, sequence, answeredBelow, key }, this.#sessionTime);
    const { index, term } = entry;
    if (found.kind === 'done') {
      const { stored } = found;
      const { outcome } = stored;
      return { kind, session, sequence, command, outcome, index: stored.index, term: stored.term, replayed: true };
    }
    if (found.kind !== 'new') {
      const outcome = found.kind === 'no-session' ? SESSION_EXPIRED : ANSWERED_BEFORE;
      return { kind, session, sequence, command, outcome, index, term, replayed: true };
    }
    const outcome = run(found.clientId);
    this.sessions.remember(found, { sequence, key }, { index, term, outcome }, this.#sessionTime);
    return { kind, session, sequence, command, outcome, index, term, replayed: false };
  }

  /** Applies an entry to a machine of its own, past the sessions: every command runs, as it did the first time. */
  rerun(entry: Entry): void {
    this.#advance(entry.time);
    if (entry.type !== 'normal' || entry.data.length === 0) return;
    const envelope = readEnvelope(entry.data);
    if (envelope?.kind === 'command') this.#run(envelope, entry, NOBODY);
  }

  #run(envelope: CommandEnvelope, entry: Entry, proposer: NodeId): Outcome {
    if (envelope.expectedTerm !== 0 && envelope.expectedTerm !== entry.term) {
      return {
        kind: 'error',
        code: 'term-mismatch',
        message: `Expected term ${envelope.expectedTerm}, the entry is of term ${entry.term}.`,
      };
    }
    // By the clock of the leader that took it, not by log time: that may have leapt ahead under another one.
    if (envelope.notAfter !== 0 && entry.time > envelope.notAfter) {
      return { kind: 'error', code: 'timeout', message: 'The write reached the log after its expiry and was not applied.' };
    }
    if (envelope.ifVersion !== undefined && proposer !== NOBODY && this.#effects.ofOthers(proposer) > envelope.ifVersion) {
      return {
        kind: 'error',
        code: 'state-changed',
        message: `Another member's command has taken effect at entry ${this.#effects.ofOthers(proposer)}, after ${envelope.ifVersion}.`,
      };
    }
    if (this.trust.authorize !== undefined && proposer !== NOBODY) {
      const refused = this.trust.refusalOf(proposer, this.machine.decode(envelope.command));
      if (refused !== undefined) return refused;
    }
    const outcome = this.machine.apply(envelope.command, new EntryContext(entry, this.#logTime, proposer));
    if (outcome.kind !== 'error') this.#effects.note(entry.index, proposer);
    return outcome;
  }

  /** The state at this moment as a stream of bytes; what is applied later does not change it. */
  snapshot(): AsyncIterable<Uint8Array> {
    const header = packValue([
      SNAPSHOT_FORMAT,
      this.machine.version,
      this.#logTime,
      this.sessions.image(),
      this.#sessionTime,
      this.#leaderTime,
      this.trust.isEmpty ? undefined : this.trust.bytes(),
      this.#effects.image(),
    ]);
    return writeFrames(header, this.machine.snapshot());
  }

  /** Replaces everything by a snapshot. Errors: corrupt, version-mismatch. */
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const frames = readFrames(chunks)[Symbol.asyncIterator]();
    const first = await frames.next();
    if (first.done === true) throw new RaftError('corrupt', 'The snapshot is empty.');
    if (formatOf(first.value) === KEPT_FORMAT) return this.#restoreKept(new KeptReader(frames));
    await this.#restoreImage(first.value, frames);
  }

  /** What a keeper has kept: a state, if there was one, and what was to be applied to it since. */
  async #restoreKept(kept: KeptReader): Promise<void> {
    const base = await kept.base();
    const header = await base?.next();
    if (base === undefined) await this.reset();
    else if (header?.done === false) await this.#restoreImage(header.value, base);
    else throw new RaftError('corrupt', "The snapshot inside a keeper's is empty.");
    for await (const part of kept.rest()) {
      if (part.kind === 'limits') this.sessions.setLimits(part.limits);
      else for (const entry of part.entries) if (entry.type === 'normal') this.apply(entry);
    }
  }

  async #restoreImage(header: Uint8Array, frames: AsyncIterator<Uint8Array>): Promise<void> {
    const [format, version, logTime, sessions, sessionTime, leaderTime, ledger, effects] = unpackValue(header) as SnapshotHeader;
    if (format !== SNAPSHOT_FORMAT || version > this.machine.version) {
      throw new RaftError(
        'version-mismatch',
        `The snapshot was taken by version ${version} of the state machine; this node runs version ${this.machine.version}. Reload it.`,
      );
    }
    await this.machine.restore({ [Symbol.asyncIterator]: () => frames }, version);
    this.sessions.load(sessions);
    this.trust.load(ledger);
    this.#effects.load(effects);
    this.#logTime = logTime;
    // Builds before it existed let sessions live by log time.
    this.#sessionTime = sessionTime ?? logTime;
    this.#leaderTime = leaderTime ?? logTime;
  }

  /** Errors: handler-failed. */
  async reset(): Promise<void> {
    try {
      await this.machine.reset();
    } catch (error) {
      throw new RaftError('handler-failed', `The state machine could not be reset: ${String(error)}`, { cause: error });
    }
    this.sessions.clear();
    this.trust.load(undefined);
    this.#effects.load(undefined);
    this.#logTime = 0;
    this.#sessionTime = 0;
    this.#leaderTime = 0;
  }
}
