/** What nodes tell each other of themselves, once a second: for panels and for routing, never for safety. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import { decodeReport, encodeReport, type Introduction, type PeerReport, type Surroundings } from '../../wire/bodies.ts';
import { quorumOf } from './quorum.ts';
import { type Acknowledged, Rollback } from './rollback.ts';
import type { Speakers } from './speakers.ts';
import type { Standing } from './standing.ts';

/** How often linked nodes tell each other how they stand, in ms. */
const REPORT_EVERY_MS = 1_000;

export interface PeerView {
  readonly report: PeerReport;
  readonly rttMs: number;
}

const UNBURDENED: Surroundings = {
  shortOfSpace: false,
  hidden: false,
  saving: false,
  late: false,
  lasting: false,
  reluctant: false,
};

export class Reports {
  readonly #standing: Standing;
  readonly #speakers: Speakers;
  readonly #onReport: (peer: NodeId) => void;
  readonly #onLost: (error: RaftError) => void;
  /** What each linked peer last said of itself. */
  readonly #views = new Map<NodeId, PeerView>();
  readonly #rollback: Rollback;
  #toldMs = 0;
  /** What slows this node down; written by whoever watches it: the duties, and the environment. */
  readonly own: { -readonly [K in keyof Surroundings]: boolean } = { ...UNBURDENED };

  constructor(standing: Standing, speakers: Speakers, onReport: (peer: NodeId) => void, onLost: (error: RaftError) => void) {
    this.#onLost = onLost;
    this.#rollback = new Rollback(standing);
    this.#standing = standing;
    this.#speakers = speakers;
    this.#onReport = onReport;
  }

  of(peer: NodeId): PeerView | undefined {
    return this.#views.get(peer);
  }

  /** What slows a member down, this node or another, as it last said; undefined when it has not. */
  surroundingsOf(id: NodeId): Surroundings | undefined {
    return id === this.#standing.id ? this.own : this.#views.get(id)?.report;
  }

  /** What a member must be told that has lost what it acknowledged; undefined when all is well. */
  lossOf(peer: NodeId): RaftError | undefined {
    return this.#rollback.toldTo(peer);
  }

  forget(peer: NodeId): void {
    this.#views.delete(peer);
  }

  /** Everybody hears of this node, and says how it stands, with the next tick. */
  tellNow(): void {
    this.#toldMs = Number.NEGATIVE_INFINITY;
  }

  tick(): void {
    const { clock, peers } = this.#standing;
    const now = clock.monotonicMs();
    if (now - this.#toldMs < REPORT_EVERY_MS) return;
    this.#toldMs = now;
    const plain = encodeReport(this.#report(undefined));
    const acknowledged = this.#rollback.acknowledged();
    for (const peer of peers.all()) {
      if (!peer.trusted) continue;
      const behind = this.#introductionFor(peer.id);
      const body = behind === undefined ? plain : encodeReport(this.#report(behind));
      peers.call(peer.id, 'status', body, REPORT_EVERY_MS * 3, (result) => {
        if (result.error === undefined)
          this.#onAnswer(peer.id, result.body, clock.monotonicMs() - now, acknowledged.get(peer.id));
        // Only its leader can know that this node has lost what it had acknowledged.
        else if (result.error.code === 'corrupt' && peer.id === this.#standing.leaderId) this.#onLost(result.error);
      });
    }
  }

  /** Nobody waits for this answer: one that cannot be read is as good as none. */
  #onAnswer(peer: NodeId, body: Uint8Array, rttMs: number, acknowledged: Acknowledged | undefined): void {
    let report: PeerReport;
    try {
      report = decodeReport(body);
    } catch {
      return;
    }
    this.#note(peer, report, rttMs);
    this.#rollback.onAnswer(peer, acknowledged, report);
  }

  /** A peer tells of itself and hears of this node. Errors: message-invalid. */
  onCall(peer: NodeId, body: Uint8Array): Uint8Array {
    this.#note(peer, decodeReport(body), undefined);
    return encodeReport(this.#report(this.#introductionFor(peer)));
  }

  /** Who knows an older configuration than this node is told of this one: it may not know whom to hear by now. */
  #introductionFor(peer: NodeId): Introduction | undefined {
    const theirs = this.#views.get(peer)?.report.confVersion ?? 0;
    return theirs < this.#speakers.ownVersion ? this.#speakers.own() : undefined;
  }

  #note(peer: NodeId, report: PeerReport, rttMs: number | undefined): void {
    const known = this.#standing.peers.get(peer);
    if (known !== undefined) known.isIdle = report.role === 'stopped' || report.role === 'removed';
    this.#views.set(peer, { report, rttMs: rttMs ?? this.#views.get(peer)?.rttMs ?? 0 });
    // Only who votes here may say who belongs to the cluster by now.
    if (report.introduction !== undefined && this.#speakers.speaker(peer) === 'voter')
      this.#speakers.introduce(report.introduction);
    this.#onReport(peer);
  }

  /** The leader hears those that count: the others have it from there. */
  #failureTolerance(): number | undefined {
    if (this.#standing.role !== 'leader') return undefined;
    const { alive, need } = quorumOf(this.#standing);
    return alive >= need ? alive - need : undefined;
  }

  #report(introduction: Introduction | undefined): PeerReport {
    const { member, leaderId, term, role } = this.#standing;
    return {
      role,
      term,
      commit: member?.hard.commit ?? 0,
      applied: member?.appliedIndex ?? 0,
      last: member?.view.lastIndex() ?? 0,
      leaderId,
      ...this.own,
      failureTolerance: this.#failureTolerance(),
      confVersion: this.#speakers.ownVersion,
      introduction,
    };
  }
}
