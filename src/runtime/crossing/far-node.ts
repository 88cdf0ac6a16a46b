/** A node whose application side stands here, and whose consensus stands at the other end of a line. */
import { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { ReplicatedState } from '../../state/replicated-state.ts';
import type { NodeIdentity } from '../../storage/storage.ts';
import type { WriterRole } from '../../trust/roles.ts';
import type { Surroundings } from '../../wire/bodies.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Admin, Membership, TraceEvent, TuningOptions } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { Present } from '../api/presence.ts';
import type { Registration } from '../api/registration.ts';
import type { Freshness } from '../api/view.ts';
import { tickMs } from '../member/core-config.ts';
import { ApplicationNode } from '../node/application-node.ts';
import type { NodeParts } from '../node/node-parts.ts';
import { type Act, judgeOf } from '../node/proposal-guard.ts';
import type { Clock } from '../ports/clock.ts';
import { errorData } from '../ports/error-data.ts';
import type { Line } from '../ports/line.ts';
import type { ErrorData } from '../ports/seam.ts';
import { Traces } from '../watch/traces.ts';
import { Waiters } from '../watch/waiters.ts';
import { Bridge } from './bridge.ts';
import type { Greeting } from './engine-host.ts';
import { type EventData, eventFrom, type FarEvent } from './events-data.ts';
import { serveApplication } from './far-application.ts';
import { FarConsensus } from './far-consensus.ts';
import { FarAdmin, FarMembership } from './far-control.ts';
import { FarPresence } from './far-presence.ts';
import type { Brief, Image } from './image.ts';
import { Mirror } from './mirror.ts';

interface FarNodeParts {
  readonly line: Line;
  readonly greeting: Greeting;
  readonly identity: NodeIdentity;
  readonly state: ReplicatedState;
  readonly room: string;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly emitter: Emitter;
}

export class FarNode implements NodeParts {
  readonly room: string;
  readonly view: Mirror;
  readonly clock: Clock;
  readonly tuning: TuningOptions;
  readonly emitter: Emitter;
  readonly application: ApplicationNode;
  readonly presence: FarPresence;
  readonly membership: Membership;
  readonly admin: Admin;
  readonly recorder: undefined = undefined;
  readonly #bridge: Bridge;
  readonly #traces: Traces;
  readonly #ticking: { stop(): void };
  readonly #endings: (() => void)[] = [];
  #applied = 0;
  #tellPresent: (told: readonly Present[]) => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(parts: FarNodeParts) {
    const { line, greeting, identity, state, clock, tuning, emitter } = parts;
    this.room = parts.room;
    this.clock = clock;
    this.tuning = tuning;
    this.emitter = emitter;
    const bridge = new Bridge(line);
    this.#bridge = bridge;
    const own = {
      appliedIndex: () => this.#applied,
      pendingWrites: () => this.application.writes.size,
      isFresh: (freshness: Freshness) => this.#isFresh(freshness),
    };
    const view = new Mirror(identity.nodeId, own, greeting.brief, greeting.image);
    this.view = view;
    const waiters = new Waiters({ clock, timeoutMs: tuning.callTimeoutMs, ended: () => view.ended });
    const flush = (): void => this.application.flush();
    const applied = (index: number): void => {
      this.#applied = Math.max(this.#applied, index);
    };
    const consensus = new FarConsensus({ bridge, mirror: view, clock, flush, applied });
    this.application = new ApplicationNode({ identity, state, clock, tuning, emitter, view, waiters, consensus });
    const { reportListenerError } = this.application;
    const hear = (take: (told: readonly Present[]) => void): void => {
      this.#tellPresent = take;
    };
    this.presence = new FarPresence({ bridge, clock, reportError: reportListenerError, hear });
    this.membership = new FarMembership(bridge, view);
    this.admin = new FarAdmin({ bridge, view, state, divergence: this.application.divergence });
    this.#traces = new Traces((on) => bridge.call('trace', on), reportListenerError);
    bridge.serve(this.#served(state));
    // By this thread's own clock: whoever waits is told in time, whatever becomes of the other end.
    this.#ticking = clock.startTicks(tickMs(tuning), () => this.#tick());
  }

  /** Whoever has it comes in; it may change. */
  get roomLink(): string | undefined {
    return this.view.roomLink;
  }

  /** Errors: those of ConsensusNode.start. */
  async start(): Promise<void> {
    await this.#bridge.ask('start');
  }

  pause(): void {
    this.#bridge.call('pause');
  }

  resume(): void {
    this.#bridge.call('resume');
  }

  /** What slows this device down, as the page sees it. */
  tellSurroundings(own: Partial<Surroundings>): void {
    this.#bridge.call('surroundings', own);
  }

  kill(): void {
    this.#bridge.call('kill');
    this.#end(new RaftError('stopped', 'The node was killed.'));
  }

  /** The other end is gone, and does not come back. */
  lost(error: RaftError): void {
    if (this.view.ended !== undefined) return;
    this.#end(error);
    this.#bridge.end(error);
    this.emitter.emit('fatal', { error });
  }

  onEnd(run: () => void): void {
    this.#endings.push(run);
  }

  trace(listener: (event: TraceEvent) => void, signal?: AbortSignal): Registration {
    return this.#traces.add(listener, signal);
  }

  stop(reason: Goodbye['reason']): Promise<void> {
    this.#stopped ??= this.#stop(reason);
    return this.#stopped;
  }

  async #stop(reason: Goodbye['reason']): Promise<void> {
    await this.#bridge.ask('stop', reason).catch(() => {});
    const error = new RaftError('stopped', 'The node was stopped.');
    this.#end(error);
    this.#bridge.end(error);
  }

  #served(state: ReplicatedState): Record<string, (...given: never[]) => unknown> {
    const { application, emitter } = this;
    const judge = judgeOf(state);
    const served = serveApplication(application.side, this.#bridge);
    return {
      ...served,
      // Before whoever waits for it is told: what is looked at then has its index.
      opened: (applied: number) => this.#appliedTo(applied, application.side.opened),
      installed: (applied: number) => this.#appliedTo(applied, application.side.installed),
      caughtUp: (applied: number) => this.#appliedTo(applied, application.side.caughtUp),
      stands: (brief: Brief, image: Image | undefined) => this.#stands(brief, image),
      over: (error: ErrorData) => this.#end(error),
      event: (type: FarEvent, data: EventData) => {
        emitter.emit(type, eventFrom(data));
        application.waiters.ask();
      },
      listenerFailed: (text: string) => application.reportListenerError(text),
      present: (others: readonly Present[]) => this.#tellPresent(others),
      traced: (event: TraceEvent) => this.#traces.tell(event),
      ownerOf: (session: number) => judge.ownerOf(session),
      refusal: async (by: NodeId, role: WriterRole, act: Act) => {
        const error = await judge.refusal(by, role, act);
        return error === undefined ? undefined : errorData(error);
      },
    };
  }

  #appliedTo(applied: number, tell: (this: ApplicationNode['side'], applied: number) => void): void {
    this.#applied = applied;
    tell.call(this.application.side, applied);
  }

  #stands(brief: Brief, image: Image | undefined): void {
    this.#bridge.call('seen');
    const isMore = this.view.take(brief, image);
    if (isMore) this.emitter.emit('commit', { index: brief.commitIndex });
    this.application.leaderWork.follow();
    this.application.waiters.ask();
    this.application.flush();
  }

  #end(error: ErrorData | RaftError): void {
    if (this.view.ended !== undefined) return;
    this.view.end(error);
    this.#ticking.stop();
    this.application.side.halt();
    this.application.ended();
    this.#tellPresent([]);
    this.application.waiters.ask();
    for (const run of this.#endings.splice(0)) run();
  }

  #tick(): void {
    this.application.tick();
    this.application.waiters.ask();
    this.application.flush();
  }

  /** What is known there was true after it was asked: as much time may have gone by since. */
  async #isFresh(freshness: Freshness): Promise<boolean> {
    const askedMs = this.clock.monotonicMs();
    try {
      if (freshness === 'lease') return (await this.#bridge.ask('holdsLease')) === true;
      const staleMs = (await this.#bridge.ask('stalenessMs')) as number;
      const passedMs = this.clock.monotonicMs() - askedMs;
      return staleMs + passedMs <= freshness.maxStaleMs;
    } catch {
      return false;
    }
  }
}
