/** The consensus side at its end of a line: what the application side asks is done, and how the node stands is told. */
import { unpackCommand } from '../../codec/pack.ts';
import type { RaftError } from '../../core/errors.ts';
import type { Entry, NodeId } from '../../core/types.ts';
import { opensSession } from '../../state/envelope.ts';
import type { WriterRole } from '../../trust/roles.ts';
import type { Surroundings } from '../../wire/bodies.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import { Emitter } from '../api/emitter.ts';
import type { Present, ShowOptions } from '../api/presence.ts';
import type { Registration } from '../api/registration.ts';
import type { ConsensusNode } from '../node/consensus-node.ts';
import type { Act, ProposalJudge } from '../node/proposal-guard.ts';
import { ConsensusAdmin } from '../node/public-admin.ts';
import { NodeMembership } from '../node/public-membership.ts';
import { errorData, errorFrom } from '../ports/error-data.ts';
import type { Line } from '../ports/line.ts';
import type { ErrorData } from '../ports/seam.ts';
import { stalenessMs } from '../standing/freshness.ts';
import { Bridge } from './bridge.ts';
import { serveCalls } from './calls-served.ts';
import { eventData, FAR_EVENTS } from './events-data.ts';
import { FarApplication } from './far-application.ts';
import { serveConsensus } from './far-consensus.ts';
import { type Brief, type Image, sameBrief } from './image.ts';

/** Whose sessions are remembered here; of others the application side is asked. The oldest are forgotten. */
const OWNERS_MAX = 4_096;
/**
 * Events, traces and images that are under way to an application side which has not said that it sees them. While it stands still
 * more are dropped, and it is told how it stands when it goes on; runs of entries are bounded by themselves, one at a time.
 */
export const UNSEEN_MAX = 1_000;

/** What the application side begins with. */
export interface Greeting {
  readonly brief: Brief;
  readonly image: Image;
}

export class EngineHost {
  readonly bridge: Bridge;
  readonly emitter: Emitter;
  readonly #owners = new Map<number, NodeId>();
  #node: ConsensusNode | undefined;
  #told: Brief | undefined;
  #endTold = false;
  /** Told since the application side last said that it sees what it is told. */
  #unseen = 0;
  /** Something was not told meanwhile. */
  #missed = false;
  #others: readonly Present[] = [];
  #tracing: Registration | undefined;

  constructor(line: Line) {
    this.bridge = new Bridge(line);
    this.emitter = new Emitter((error) => this.bridge.call('listenerFailed', String(error)));
  }

  /** Asked of the application side, which has the sessions and the application's hook. */
  judge(hasHook: boolean): ProposalJudge {
    return {
      ownerOf: (session) => this.#owners.get(session) ?? this.#askOwner(session),
      refusal: (by, role, act) => (hasHook ? this.#askRefusal(by, role, act) : undefined),
    };
  }

  /** Joins the two ends; called once, before the node starts. */
  attach(node: ConsensusNode): Greeting {
    this.#node = node;
    const handed = (entries: readonly Entry[]): void => this.#noteOwners(entries);
    const teller = { brief: () => this.#tellBrief(), all: () => this.#tellAll(), now: () => this.#tellNow(), handed };
    node.join(new FarApplication(this.bridge, teller));
    for (const type of FAR_EVENTS)
      this.emitter.on(type, (event) => {
        this.#tellAll();
        this.#tell('event', type, eventData(event));
      });
    node.duties.presence.subscribe((others) => {
      this.#others = others;
      this.#tell('present', others);
    });
    const admin = new ConsensusAdmin(node);
    const membership = new NodeMembership(node);
    const reject = (context: string): void => this.bridge.call('confirmed', { context, index: 0, rejected: true });
    this.bridge.serve({
      ...serveConsensus(node.side, reject),
      ...serveCalls(this.bridge, admin, membership),
      start: () => node.start(),
      stop: (reason: Goodbye['reason']) => node.ending.stop(reason),
      kill: () => node.ending.kill(),
      pause: () => node.pause(),
      resume: () => node.resume(),
      surroundings: (own: Partial<Surroundings>) => void Object.assign(node.reports.own, own),
      stalenessMs: () => stalenessMs(node.standing),
      holdsLease: () => node.view.isFresh('lease'),
      show: (data: Uint8Array | null, options: ShowOptions) =>
        node.duties.presence.set(data === null ? undefined : unpackCommand(data), options),
      trace: (on: boolean) => this.#trace(on),
      seen: () => this.#onSeen(),
    });
    return { brief: this.#brief(node), image: this.#image(node) };
  }

  async #askOwner(session: number): Promise<NodeId | undefined> {
    const owner = (await this.bridge.ask('ownerOf', session)) as NodeId | undefined;
    if (owner !== undefined) this.#remember(session, owner);
    return owner;
  }

  /** A session opens where its entry is applied: whose it is need not be asked while the application side stands still. */
  #noteOwners(entries: readonly Entry[]): void {
    for (const { index, data } of entries) {
      const owner = opensSession(data);
      if (owner !== undefined) this.#remember(index, owner);
    }
  }

  #remember(session: number, owner: NodeId): void {
    const [oldest] = this.#owners.keys();
    if (this.#owners.size >= OWNERS_MAX && oldest !== undefined) this.#owners.delete(oldest);
    this.#owners.set(session, owner);
  }

  async #askRefusal(by: NodeId, role: WriterRole, act: Act): Promise<RaftError | undefined> {
    const error = (await this.bridge.ask('refusal', by, role, act)) as ErrorData | undefined;
    return error === undefined ? undefined : errorFrom(error);
  }

  #trace(on: boolean): void {
    this.#tracing?.();
    this.#tracing = on
      ? this.#node?.traces.add(({ at, direction, peer, kind, text }) => this.#tell('traced', { at, direction, peer, kind, text }))
      : undefined;
  }

  /** What may be dropped while nobody sees it. */
  #tell(name: string, ...given: readonly unknown[]): void {
    if (this.#unseen >= UNSEEN_MAX) {
      this.#missed = true;
      return;
    }
    this.#unseen++;
    this.bridge.call(name, ...given);
  }

  #onSeen(): void {
    this.#unseen = 0;
    if (!this.#missed) return;
    this.#missed = false;
    this.#tellAll();
    this.#tell('present', this.#others);
  }

  /** Once in a tick, to whoever sees it. */
  #tellNow(): void {
    if (this.#unseen === 0) this.#tellAll();
    else this.#tellBrief();
  }

  #tellBrief(): void {
    if (this.#node === undefined) return;
    const brief = this.#brief(this.#node);
    if (this.#told !== undefined && sameBrief(brief, this.#told)) return;
    this.#told = brief;
    this.#tell('stands', brief, undefined);
  }

  #tellAll(): void {
    if (this.#node === undefined) return;
    this.#told = this.#brief(this.#node);
    this.#tell('stands', this.#told, this.#image(this.#node));
    const { ended } = this.#node;
    if (ended === undefined || this.#endTold) return;
    this.#endTold = true;
    this.bridge.call('over', errorData(ended));
  }

  #brief({ view, standing, side }: ConsensusNode): Brief {
    return {
      role: view.role,
      term: view.term,
      leaderId: view.leaderId,
      isReachable: side.leadership() !== undefined,
      takesPart: view.takesPart,
      isMember: standing.member !== undefined,
      isLeader: view.isLeader,
      leads: view.leads,
      hasCaughtUp: view.hasCaughtUp,
      commitIndex: standing.member?.hard.commit ?? 0,
    };
  }

  #image({ view, trust }: ConsensusNode): Image {
    return {
      clusterId: view.clusterId,
      roomLink: trust.roomLink,
      config: view.config,
      status: view.status(),
      forecast: view.forecast(),
      explanation: view.explain(),
      notReady: errorData(view.notReady()),
      autopilot: view.autopilot(),
    };
  }
}
