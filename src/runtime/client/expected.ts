/**
 * The expected state: what is applied, with this node's unanswered optimistic writes run over it by the same handlers and taken back.
 * Nothing of it touches the applied state. It is made when somebody looks, and again when what lies below it has changed.
 */
import { RaftError } from '../../core/errors.ts';
import { type Index, makeEntry, type NodeId } from '../../core/types.ts';
import { EntryContext } from '../../state/entry-context.ts';
import type { Machine, Outcome } from '../../state/state-machine.ts';
import { type Step, TypedMachine } from '../../state/typed-machine.ts';
import type { ExpectedWrite } from '../api/optimistic.ts';
import type { Clock } from '../ports/clock.ts';
import type { AppliedListener } from './application.ts';

/** Optimistic writes of one node without an answer: each change of the state runs all of them again. More are refused. */
export const OPTIMISTIC_MAX = 256;

export interface Overlaid extends Step {
  readonly told: ExpectedWrite;
}

interface Seen {
  readonly state: unknown;
  readonly outcomes: readonly Outcome[];
}

export class Expected implements AppliedListener {
  readonly #machine: Machine;
  readonly #self: NodeId;
  readonly #clock: Clock;
  readonly #onChange: (index: Index) => void;
  #writes: readonly Overlaid[] = [];
  #told: readonly ExpectedWrite[] = [];
  #applied: Index = 0;
  #lastId = 0;
  /** The expected state and what each write would answer; undefined when it must be made anew. */
  #seen: Seen | undefined;

  /** `onChange` is told after every change of the expected state. */
  constructor(machine: Machine, self: NodeId, clock: Clock, onChange: (index: Index) => void) {
    this.#machine = machine;
    this.#self = self;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get state(): unknown {
    if (this.#writes.length === 0) return this.#machine.publish(this.#machine.view);
    return this.#look().state;
  }

  get pending(): readonly ExpectedWrite[] {
    return this.#told;
  }

  /** Shows a write. Errors: busy, invalid-argument for a state machine that cannot be asked beforehand. */
  add(command: Uint8Array, key: string): Overlaid {
    if (this.#writes.length >= OPTIMISTIC_MAX)
      throw new RaftError('busy', `${OPTIMISTIC_MAX} optimistic writes wait for their answers.`, { retryAfterMs: 100 });
    const since = this.#clock.wallMs();
    const entry = makeEntry(this.#applied + 1 + this.#writes.length, 1, 'normal', since, command, undefined);
    this.#lastId += 1;
    const id = key === '' ? `optimistic-${this.#lastId}` : key;
    const told = { id, command: this.#machine.decode(command) as ExpectedWrite['command'], since };
    const write: Overlaid = { command, context: new EntryContext(entry, since, this.#self), told };
    const before = this.#writes;
    this.#set([...before, write]);
    try {
      this.#look();
    } catch (error) {
      this.#set(before);
      throw error;
    }
    return write;
  }

  /** What the write would answer now. */
  outcomeOf(write: Overlaid): Outcome | undefined {
    const at = this.#writes.indexOf(write);
    return at < 0 ? undefined : this.#look().outcomes[at];
  }

  /** The write has its answer, or will have none. */
  remove(write: Overlaid): void {
    if (this.#writes.includes(write)) this.#set(this.#writes.filter((one) => one !== write));
  }

  onOpened(applied: Index): void {
    this.onAppliedTo(applied);
  }

  onInstalled(applied: Index): void {
    this.onAppliedTo(applied);
  }

  /** Within a run somebody may look already. */
  onApplied(): void {
    this.#seen = undefined;
  }

  onAppliedTo(index: Index): void {
    this.#applied = index;
    this.#seen = undefined;
    this.#onChange(index);
  }

  #set(writes: readonly Overlaid[]): void {
    this.#writes = writes;
    this.#told = writes.map(({ told }) => told);
    this.#seen = undefined;
    this.#onChange(this.#applied);
  }

  #look(): Seen {
    const machine = this.#machine;
    this.#seen ??= machine instanceof TypedMachine ? machine.preview(this.#writes) : undefined;
    if (this.#seen === undefined)
      throw new RaftError(
        'invalid-argument',
        'Optimistic writes need a state of plain values (objects, arrays, Maps, Sets): the handler is run on it beforehand and taken back.',
      );
    return this.#seen;
  }
}
