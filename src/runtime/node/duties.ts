/** The duties of a node that ask nothing but how it stands: made together, and given their turn on every tick. */
import type { NodeId } from '../../core/types.ts';
import type { NodeStore } from '../../storage/storage.ts';
import { encodeJoin } from '../../wire/bodies.ts';
import type { Emitter } from '../api/emitter.ts';
import { AUTOPILOT_DEFAULTS, type NodeOptions } from '../api/options.ts';
import { Admission, type AdmissionHooks } from '../duties/admission.ts';
import { Autopilot } from '../duties/autopilot.ts';
import { Awakening } from '../duties/awakening.ts';
import { ChangePace } from '../duties/change-pace.ts';
import { Digests } from '../duties/digests.ts';
import { FreeSpace } from '../duties/free-space.ts';
import { Handover } from '../duties/handover.ts';
import { Hosting, type HostingHooks } from '../duties/hosting.ts';
import { SecondIntroduction } from '../duties/introduction.ts';
import { Linking } from '../duties/linking.ts';
import { OwnPace } from '../duties/own-pace.ts';
import type { RoomSecret } from '../duties/room-secret.ts';
import { encodeMember, type MemberContextFields } from '../member/configuration.ts';
import { tickMs } from '../member/core-config.ts';
import type { Reports } from '../standing/reports.ts';
import type { Speakers } from '../standing/speakers.ts';
import type { Standing } from '../standing/standing.ts';
import type { Trust } from '../standing/trust.ts';
import { listenerError } from '../watch/events.ts';
import { PresenceBoard } from '../watch/presence.ts';

interface DutyParts {
  readonly options: NodeOptions;
  readonly store: NodeStore;
  readonly standing: Standing;
  readonly speakers: Speakers;
  readonly trust: Trust;
  readonly secret: RoomSecret;
  readonly decide: AdmissionHooks['decide'];
  readonly resyncFailed: () => void;
  readonly hosting: HostingHooks & { readonly hasState: boolean };
  readonly reports: Reports;
  readonly emitter: Emitter;
  /** What this node keeps in the configuration. */
  readonly member: MemberContextFields;
  readonly wake: () => void;
  /** Tries again now what waits to be tried again: the signaling server, links. */
  readonly hurry: () => void;
}

export class Duties {
  readonly freeSpace: FreeSpace;
  readonly admission: Admission;
  readonly secret: RoomSecret;
  readonly handover: Handover;
  readonly autopilot: Autopilot;
  readonly presence: PresenceBoard;
  readonly digests: Digests;
  /** Of clients. */
  readonly hosting: Hosting;
  readonly #standing: Standing;
  readonly #reports: Reports;
  readonly #introduction: SecondIntroduction;
  readonly #pace: OwnPace;
  readonly #awakening: Awakening;
  readonly #linking: Linking;

  constructor(parts: DutyParts) {
    const { options, store, standing, speakers, trust, reports, emitter, member, wake, decide, hurry, resyncFailed } = parts;
    this.#standing = standing;
    this.secret = parts.secret;
    this.#reports = reports;
    reports.own.lasting = options.lasting === true;
    reports.own.reluctant = options.reluctant === true;
    this.#pace = new OwnPace(reports);
    const disconnect = (peer: NodeId): void => options.transport.disconnect(peer, 'silent after a sleep');
    this.#awakening = new Awakening(standing, reports, { hurry, disconnect });
    this.freeSpace = new FreeSpace(standing, reports, () => store.estimate(), emitter);
    const autopilot = options.autopilot ?? AUTOPILOT_DEFAULTS;
    const cut = (peer: NodeId, reason: string): void => options.transport.disconnect(peer, reason);
    const hooks = { authorize: options.authorize, wake, decide, disconnect: cut };
    const pace = new ChangePace(autopilot.intervalMs);
    this.admission = new Admission(standing, speakers, reports, trust, pace, hooks);
    this.#linking = new Linking(standing, speakers, options.transport);
    this.digests = new Digests(standing, resyncFailed);
    this.hosting = new Hosting(standing, trust, parts.hosting.hasState, decide, parts.hosting);
    this.handover = new Handover(standing, wake, (id) => reports.surroundingsOf(id)?.reluctant === true);
    this.autopilot = new Autopilot(standing, reports, autopilot, pace, emitter, {
      transfer: (to) => this.handover.transfer(to, options.tuning.callTimeoutMs),
      wake,
    });
    this.presence = new PresenceBoard(standing, speakers, (error) => emitter.emit('fault', { error: listenerError(error) }));
    const body = encodeJoin({ nodeId: standing.id, context: encodeMember(member) });
    this.#introduction = new SecondIntroduction(standing, speakers, body);
  }

  /** So much time went by since the tick before, in ms: more than it should when this node has slept. */
  tick(elapsedMs: number): void {
    this.#pace.onTick(elapsedMs, tickMs(this.#standing.tuning));
    this.#awakening.onGap(elapsedMs);
    this.#awakening.tick();
    this.#introduction.tick();
    this.handover.tick();
    this.freeSpace.tick();
    this.#reports.tick();
    this.autopilot.tick();
    this.admission.tick();
    this.secret.tick();
    this.#linking.tick();
    this.presence.tick();
  }
}
