/**
 * Simulated clients: each calls one operation after the other at any node, and tries again at another one, with the
 * same key, when it does not learn what became of it.
 */
import { packValue } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Runtime } from '../../runtime/node/runtime.ts';
import { holdsLease } from '../../runtime/standing/freshness.ts';
import type { History, Operation } from '../history/history.ts';
import type { Prng } from '../prng.ts';
import type { Evidence } from './evidence.ts';
import { type ObjectsCommand, type ObjectsState, readObject } from './machine.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimNode } from './sim-node.ts';
import type { Witness } from './witness.ts';

export interface ClientOptions {
  readonly name: string;
  readonly keys: readonly string[];
  /** Pause between an answer and the next call, in ms. */
  readonly thinkMs: readonly [min: number, max: number];
  readonly timeoutMs: number;
  readonly reads: number;
  /** Shares of the writes that may not be forwarded, and that expire soon. Default: 0. */
  readonly unforwarded: number | undefined;
  readonly expiring: number | undefined;
  /** Times an operation is tried again elsewhere. */
  readonly retries: number;
  /** Commands of another machine than `objectsMachine`; then there are no reads. */
  readonly command: ((random: Prng, id: string) => AnyCommand) | undefined;
}

export interface AnyCommand {
  readonly type: string;
}

interface Manner {
  readonly forward: boolean;
  /** By the clock of the node that is asked, in ms; 0: never. */
  readonly expiresAfterMs: number;
}

type Ending = Pick<Operation, 'outcome' | 'result'>;

export interface ClientWorld {
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly nodes: () => readonly SimNode[];
  /** The greatest index committed anywhere. */
  readonly committed: () => number;
  readonly evidence: Evidence;
  readonly witness: Witness;
  /** The run is near its end: no new calls. */
  readonly closing: () => boolean;
}

export class SimClient {
  acknowledged = 0;
  busy = false;
  readonly #options: ClientOptions;
  readonly #world: ClientWorld;
  readonly #random: Prng;
  readonly #manners: Prng;
  #number = 0;

  constructor(options: ClientOptions, world: ClientWorld, random: Prng) {
    this.#options = options;
    this.#world = world;
    this.#random = random;
    this.#manners = random.fork('manners');
    this.#next();
  }

  #next(): void {
    this.busy = false;
    this.#world.scheduler.after(this.#random.span(...this.#options.thinkMs), '', () => {
      if (!this.#world.closing()) this.#call();
    });
  }

  #call(): void {
    const key = this.#random.pick(this.#options.keys);
    if (this.#options.command === undefined && this.#random.chance(LOCAL_LOOKS)) this.#look(key);
    this.#number += 1;
    this.busy = true;
    const id = `${this.#options.name}.${this.#number}`;
    const command = this.#random.chance(this.#options.reads) ? undefined : this.#command(key, id);
    const { scheduler, history } = this.#world;
    const kind = command?.type ?? 'read';
    const end = history.begin({ process: this.#options.name, key, kind, input: inputOf(command), start: scheduler.events });
    const finish = (ending: Ending): void => {
      if (ending.outcome === 'ok') this.acknowledged += 1;
      end({ ...ending, end: scheduler.events });
      this.#next();
    };
    if (command === undefined) {
      if (!this.#random.chance(BY_LEASE) || !this.#readByLease(key, finish)) this.#read(key, this.#options.retries, finish);
    }
    // Without a key nothing but the session keeps a write that is sent twice from being applied twice.
    else if (this.#random.chance(WITHOUT_KEY)) this.#write(command, '', this.#manner(true), 0, false, finish);
    else this.#write(command, id, this.#manner(false), this.#options.retries, false, finish);
  }

  #command(key: string, id: string): AnyCommand {
    return this.#options.command?.(this.#random, id) ?? this.#objectsCommand(key, id);
  }

  #objectsCommand(key: string, id: string): ObjectsCommand {
    if (key.startsWith('list:')) return { type: 'append', key, value: id };
    if (key.startsWith('counter:')) return { type: 'add', key, amount: this.#random.between(1, 5) };
    if (this.#random.chance(0.5)) return { type: 'write', key, value: id };
    return { type: 'cas', key, expected: this.#guess(key), next: id };
  }

  /** What some node believes the value to be, so that a compare-and-set has a chance. */
  #guess(key: string): string | null {
    const engine = this.#node()?.engine;
    const value = engine === undefined ? null : readObject(engine.state.machine.state as ObjectsState, key);
    return typeof value === 'string' ? value : null;
  }

  #node(): SimNode | undefined {
    const running = this.#world.nodes().filter((node) => node.running && node.process?.frozen === false);
    return running.length === 0 ? undefined : this.#random.pick(running);
  }

  /** How a write asks to be treated. Only what is not tried elsewhere expires: the same key says the same everywhere. */
  #manner(mayExpire: boolean): Manner {
    const { unforwarded = 0, expiring = 0 } = this.#options;
    const forward = unforwarded === 0 || !this.#manners.chance(unforwarded);
    const expires = mayExpire && expiring > 0 && this.#manners.chance(expiring);
    return { forward, expiresAfterMs: expires ? this.#manners.between(1, 1_500) : 0 };
  }

  #write(
    command: AnyCommand,
    key: string,
    manner: Manner,
    retries: number,
    unsure: boolean,
    finish: (ending: Ending) => void,
  ): void {
    const node = this.#node();
    const again = (maybe: boolean): void => {
      const open = unsure || maybe;
      if (retries === 0) return finish({ outcome: open ? 'unknown' : 'no', result: undefined });
      this.#world.scheduler.after(this.#random.span(5, 100), '', () =>
        this.#write(command, key, manner, retries - 1, open, finish),
      );
    };
    const engine = node?.engine;
    if (node === undefined || engine === undefined) return again(false);
    const once = this.#patience(engine, node, () => again(true));
    engine.application.writes.submit({
      command: packValue(command),
      key,
      forward: manner.forward,
      expectedTerm: 0,
      notAfter: manner.expiresAfterMs === 0 ? 0 : engine.options.clock.wallMs() + manner.expiresAfterMs,
      deadlineMs: engine.options.clock.monotonicMs() + this.#options.timeoutMs,
      done: (result) =>
        once(() => {
          if (!manner.forward) this.#world.evidence.mark('write:unforwarded');
          if (result.kind === 'failed') return again(result.error.mayHaveApplied);
          if (manner.expiresAfterMs > 0)
            this.#world.evidence.mark(`write:expiring ${result.outcome.kind === 'error' ? result.outcome.code : 'done'}`);
          this.#world.witness.acknowledged(node.id, result.index);
          try {
            finish({ outcome: 'ok', result: engine.state.machine.answer(result.outcome) });
          } catch (error) {
            again(!RaftError.is(error) || error.mayHaveApplied);
          }
        }),
    });
  }

  /** A read that asks nobody, of the same key at two nodes: what it shows may be old, but must have been. */
  #look(key: string): void {
    for (const node of [this.#node(), this.#node()]) {
      const member = node?.engine?.member;
      if (node?.engine === undefined || member === undefined || member.appliedIndex === 0) continue;
      const value = JSON.stringify(readObject(node.engine.state.machine.state as ObjectsState, key));
      this.#world.witness.read(node.id, member, key, member.appliedIndex, value);
    }
  }

  /**
   * Where leases are on, a read of the leader that asks nobody. The call is made in the page: one that is frozen comes
   * to it when it thaws, before anything has told it that time went by.
   */
  #readByLease(key: string, finish: (ending: Ending) => void): boolean {
    const leaders = this.#world.nodes().filter(({ isLeader, engine }) => isLeader && engine?.options.tuning.leaseReads === true);
    const node = leaders.length === 0 ? undefined : this.#random.pick(leaders);
    const engine = node?.engine;
    if (node === undefined || engine === undefined) return false;
    const once = this.#patience(engine, node, () => finish({ outcome: 'no', result: undefined }));
    node.process?.enter(() => {
      if (!holdsLease(engine.standing)) return once(() => this.#read(key, this.#options.retries, finish));
      const floor = this.#world.committed();
      once(() => this.#finishRead(engine, node.id, key, floor, finish));
      this.#world.evidence.mark('lease-read');
    });
    return true;
  }

  #finishRead(engine: Runtime, id: NodeId, key: string, floor: number, finish: (ending: Ending) => void): void {
    // Whatever was committed before the call, by whomever, is in what is read.
    const applied = engine.member?.appliedIndex ?? 0;
    this.#world.evidence.check(
      'I29',
      applied >= floor,
      () => `${id} answers a read at ${applied}; ${floor} was committed before it was asked`,
    );
    finish({ outcome: 'ok', result: readObject(engine.state.machine.state as ObjectsState, key) });
  }

  #read(key: string, retries: number, finish: (ending: Ending) => void): void {
    const node = this.#node();
    const again = (): void => {
      if (retries === 0) return finish({ outcome: 'no', result: undefined });
      this.#world.scheduler.after(this.#random.span(5, 100), '', () => this.#read(key, retries - 1, finish));
    };
    const engine = node?.engine;
    if (node === undefined || engine === undefined || engine.ended !== undefined) return again();
    const floor = this.#world.committed();
    const once = this.#patience(engine, node, again);
    engine.application.reads.submit({
      deadlineMs: engine.options.clock.monotonicMs() + this.#options.timeoutMs,
      done: (error) =>
        once(() => {
          if (error !== undefined) return again();
          this.#finishRead(engine, node.id, key, floor, finish);
        }),
    });
  }

  /** The first of: an answer, or the node's death (it will not answer any more). */
  #patience(engine: Runtime, node: SimNode, lost: () => void): (run: () => void) => void {
    let open = true;
    const once = (run: () => void): void => {
      if (!open) return;
      open = false;
      run();
    };
    const watch = (): void => {
      if (!open) return;
      if (node.engine !== engine) once(lost);
      else this.#world.scheduler.after(WATCH_MS, '', watch);
    };
    this.#world.scheduler.after(WATCH_MS, '', watch);
    return once;
  }
}

/** Share of the writes that carry no key of their own, and are not tried at another node. */
const WITHOUT_KEY = 0.5;
/** Share of the reads that try the leader's lease, where there are leases. */
const BY_LEASE = 0.5;
/** Share of the calls before which a client also looks at what nodes show without asking anybody. */
const LOCAL_LOOKS = 0.3;
/** How often a client looks whether the node it waits for still lives, in ms. */
const WATCH_MS = 500;

function inputOf(command: AnyCommand | undefined): unknown {
  if (command === undefined) return null;
  const objects = command as ObjectsCommand;
  if (objects.type === 'cas') return [objects.expected, objects.next];
  if (objects.type === 'add') return objects.amount;
  return objects.type === 'write' || objects.type === 'append' ? objects.value : command;
}
