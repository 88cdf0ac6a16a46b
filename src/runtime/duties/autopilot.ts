/**
 * The leader decides, continuously, who votes (§4): it keeps what it knows of every member, asks the plan for the next change and
 * brings that through, one at a time. What an application changes by hand goes first.
 */
import type { NodeId } from '../../core/types.ts';
import type { AutopilotRow, AutopilotTable } from '../api/api.ts';
import type { Emitter } from '../api/emitter.ts';
import type { AutopilotOptions } from '../api/options.ts';
import { contextOf, decodeSettings, memberIds } from '../member/configuration.ts';
import type { Member } from '../member/member.ts';
import { isAlive } from '../standing/quorum.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import { PROMOTION_LAG_ENTRIES } from './admission.ts';
import { type Decision, nextDecision, type PlanInput, partnerGone } from './autopilot-plan.ts';
import type { ChangePace } from './change-pace.ts';
import { mayGoAlone } from './copies.ts';
import { betterLeader, whyBetter } from './leadership-plan.ts';
import type { MemberFacts } from './member-facts.ts';

/** How long a change of the autopilot may take, in ms. */
const CHANGE_TIMEOUT_MS = 10_000;
/** So long after the other of two said goodbye the leader goes on alone, in ms: a reload comes back sooner. */
const ALONE_AFTER_GOODBYE_MS = 3_000;
/** And not oftener than this, in ms. */
const ALONE_EVERY_MS = 10_000;
/** Decisions that are remembered for people to read. */
const DECISIONS_REMEMBERED = 20;

/** What the leader has seen of a member, in monotonic ms. */
interface Seen {
  /** Since when it is heard without a break; undefined while it is not. */
  heardSinceMs: number | undefined;
  silentSinceMs: number;
  /** When it said goodbye; undefined once it is heard again. */
  leftMs: number | undefined;
  /** How often it fell silent. */
  breaks: number;
  /** Since when it is behind; undefined while it is not. */
  lagSinceMs: number | undefined;
}

/** What slows a member down, and since when it is so much. */
interface Burden {
  readonly burden: number;
  readonly sinceMs: number;
}

export class Autopilot {
  readonly #standing: Standing;
  readonly #options: AutopilotOptions;
  readonly #pace: ChangePace;
  readonly #emitter: Emitter;
  readonly #transfer: (to: NodeId) => void;
  readonly #wake: () => void;
  readonly #reports: Reports;
  readonly #seen = new Map<NodeId, Seen>();
  readonly #burdens = new Map<NodeId, Burden>();
  readonly #decisions: { readonly atMs: number; readonly kind: Decision['kind']; readonly reason: string }[] = [];
  #ledTerm = 0;
  #changing = false;
  #aloneMs = Number.NEGATIVE_INFINITY;
  #movedMs = Number.NEGATIVE_INFINITY;
  /** Silences that ended by themselves were as long as this, in ms: longer than them is not normal. */
  #normalSilenceMs = 0;

  constructor(
    standing: Standing,
    reports: Reports,
    options: AutopilotOptions,
    pace: ChangePace,
    emitter: Emitter,
    act: { readonly transfer: (to: NodeId) => void; readonly wake: () => void },
  ) {
    this.#transfer = act.transfer;
    this.#wake = act.wake;
    this.#standing = standing;
    this.#reports = reports;
    this.#options = options;
    this.#pace = pace;
    this.#emitter = emitter;
  }

  /** A member says goodbye. */
  onGoodbye(peer: NodeId): void {
    const seen = this.#seen.get(peer);
    if (seen !== undefined) seen.leftMs = this.#standing.clock.monotonicMs();
  }

  tick(): void {
    const { member, term, clock } = this.#standing;
    if (member?.isLeader !== true) {
      this.#ledTerm = 0;
      return;
    }
    if (this.#ledTerm !== term) this.#begin(term);
    this.#observe(member);
    if (!this.#options.enabled || this.#changing) return;
    const input = this.#input(member);
    if (this.#goAlone(member, input)) return;
    const decision = nextDecision(input);
    if (decision === undefined) return this.#moveLeadership(member, input);
    const now = clock.monotonicMs();
    // Who leaves together leaves one after the other: a voter that said goodbye is seen to at once.
    if (this.#hasLost(member)) this.#pace.note('autopilot', now);
    else if (!this.#pace.ask('autopilot', now)) return;
    this.#carryOut(member, decision);
  }

  /** A voter has said goodbye. */
  #hasLost({ conf }: Member): boolean {
    return conf.voters.some((id) => this.#seen.get(id)?.leftMs !== undefined);
  }

  /** The leader of two goes on alone when the other has gone and nobody else can have been elected (docs/CORE.md, A1 to A8). */
  #goAlone(member: Member, input: PlanInput): boolean {
    const { clock, tuning } = this.#standing;
    const now = clock.monotonicMs();
    const partner = partnerGone(input, ALONE_AFTER_GOODBYE_MS, 2 * tuning.electionTimeoutMs[1]);
    if (partner === undefined || now - this.#aloneMs < ALONE_EVERY_MS) return false;
    if (!mayGoAlone(input.minCopies, input.members)) return false;
    const outcome = member.core.goAlone();
    if (!outcome.ok) return false;
    this.#aloneMs = now;
    this.#wake();
    const reason = `${partner.id} has gone: this node goes on alone, and what is written is kept on one device.`;
    this.#tell({ kind: 'alone', steps: [{ op: 'learner', id: partner.id, context: undefined }], reason });
    return true;
  }

  /** To a better voter, when things are calm, and not at once again (§3.10). */
  #moveLeadership(member: Member, { members }: PlanInput): void {
    const { id: self, clock } = this.#standing;
    const now = clock.monotonicMs();
    if (member.conf.votersOutgoing.length > 0 || now - this.#movedMs < this.#options.moveMs) return;
    const best = betterLeader({ self, members, options: this.#options });
    if (best === undefined) return;
    this.#movedMs = now;
    this.#transfer(best.id);
    const own = members.find(({ id }) => id === self);
    this.#tell({
      kind: 'lead',
      steps: [{ op: 'update', id: best.id, context: undefined }],
      reason: `${best.id} is to lead: ${own === undefined ? '' : whyBetter(best, own)}.`,
    });
  }

  /** What it knows and has decided, for panels; undefined on a node that does not lead. */
  table(): AutopilotTable | undefined {
    const { member } = this.#standing;
    if (member?.isLeader !== true || this.#ledTerm === 0) return undefined;
    const { votersTarget, silentAfterMs, members } = this.#input(member);
    const rows = members.map(
      ({
        id,
        suffrage,
        wantsVote,
        caughtUp,
        heardForMs,
        silentForMs,
        hasLeft,
        device,
        burden,
        shortOfSpace,
        lasting,
      }): AutopilotRow => ({
        id,
        suffrage,
        wantsVote,
        caughtUp,
        heardForMs,
        silentForMs,
        hasLeft,
        device,
        burden,
        shortOfSpace,
        lasting,
      }),
    );
    return { enabled: this.#options.enabled, votersTarget, silentAfterMs, members: rows, decisions: [...this.#decisions] };
  }

  /** A new leader knows nobody's past: everybody has a whole silence before them. */
  #begin(term: number): void {
    this.#ledTerm = term;
    this.#seen.clear();
    this.#burdens.clear();
    // Whoever handed over to this node had its reasons: they are given time.
    this.#movedMs = this.#standing.clock.monotonicMs();
  }

  #observe({ conf }: Member): void {
    const now = this.#standing.clock.monotonicMs();
    const ids = new Set(memberIds(conf));
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    for (const id of this.#burdens.keys()) if (!ids.has(id)) this.#burdens.delete(id);
    for (const id of ids) {
      this.#observeBurden(id, now);
      if (id === this.#standing.id) continue;
      const alive = isAlive(this.#standing, id);
      const seen = this.#seen.get(id);
      if (seen === undefined) {
        const heardSinceMs = alive ? now : undefined;
        // Also a goodbye that this node heard before it led: that of the leader before it, most of all.
        const leftMs = this.#standing.peers.get(id)?.saidGoodbye === true ? now : undefined;
        this.#seen.set(id, { heardSinceMs, silentSinceMs: now, leftMs, breaks: 0, lagSinceMs: undefined });
      } else if (!alive) {
        if (seen.heardSinceMs !== undefined) {
          seen.silentSinceMs = this.#standing.peers.get(id)?.lastHeardMs ?? now;
          seen.breaks++;
        }
        seen.heardSinceMs = undefined;
      } else if (seen.heardSinceMs === undefined) {
        this.#learn(now - seen.silentSinceMs);
        seen.heardSinceMs = now;
      }
      // Whoever speaks after a goodbye has come back, however soon.
      const heardMs = this.#standing.peers.get(id)?.lastHeardMs ?? 0;
      const left = this.#seen.get(id);
      if (left?.leftMs !== undefined && alive && heardMs > left.leftMs) left.leftMs = undefined;
    }
  }

  #observeBurden(id: NodeId, now: number): void {
    const said = this.#reports.surroundingsOf(id);
    const burden = said === undefined ? 0 : Number(said.hidden) + Number(said.saving) + Number(said.late);
    if (this.#burdens.get(id)?.burden !== burden) this.#burdens.set(id, { burden, sinceMs: now });
  }

  /** Somebody was silent and came back: so much is normal here. */
  #learn(silenceMs: number): void {
    this.#normalSilenceMs = Math.min(this.#options.silentMsMax, Math.max(this.#normalSilenceMs, silenceMs));
  }

  #input(member: Member): PlanInput {
    const { id: self } = this.#standing;
    const { conf } = member;
    const settings = decodeSettings(conf.context);
    return {
      conf,
      self,
      votersTarget: settings.votersTarget,
      minCopies: settings.minCopies,
      members: this.#facts(member),
      options: this.#options,
      silentAfterMs: Math.max(this.#options.silentMs, Math.min(1.5 * this.#normalSilenceMs, this.#options.silentMsMax)),
    };
  }

  #facts(member: Member): MemberFacts[] {
    const { id: self, clock } = this.#standing;
    const { conf } = member;
    const now = clock.monotonicMs();
    const { progress, commitIndex, lastIndex } = member.core.status();
    const match = new Map(progress.map(({ id, matchIndex }) => [id, matchIndex]));
    return memberIds(conf).map((id) => {
      const { wants, priority, profileDomain: device, replaces } = contextOf(conf, id);
      const seen = this.#seen.get(id);
      const matchIndex = match.get(id) ?? 0;
      const suffrage = conf.witnesses.includes(id) ? 'witness' : conf.voters.includes(id) ? 'voter' : 'learner';
      const caughtUp = id === self || (matchIndex > 0 && matchIndex + PROMOTION_LAG_ENTRIES >= commitIndex);
      if (seen !== undefined) seen.lagSinceMs = caughtUp ? undefined : (seen.lagSinceMs ?? now);
      const said = this.#reports.surroundingsOf(id);
      const { burden = 0, sinceMs = now } = this.#burdens.get(id) ?? {};
      return {
        id,
        suffrage,
        wantsVote: wants === 'voter',
        priority,
        device,
        replaces,
        caughtUp,
        holdsAll: id === self || matchIndex >= lastIndex,
        laggingForMs: seen?.lagSinceMs === undefined ? 0 : now - seen.lagSinceMs,
        ...this.#presence(id, now),
        hasLeft: seen?.leftMs !== undefined,
        burden,
        burdenForMs: now - sinceMs,
        shortOfSpace: said?.shortOfSpace === true,
        lasting: said?.lasting === true,
        reluctant: said?.reluctant === true,
        breaks: seen?.breaks ?? 0,
      };
    });
  }

  #presence(id: NodeId, now: number): Pick<MemberFacts, 'heardForMs' | 'silentForMs'> {
    if (id === this.#standing.id) return { heardForMs: Number.MAX_SAFE_INTEGER, silentForMs: 0 };
    const seen = this.#seen.get(id);
    if (seen === undefined) return { heardForMs: 0, silentForMs: 0 };
    const { heardSinceMs, silentSinceMs, leftMs } = seen;
    if (heardSinceMs !== undefined && leftMs === undefined)
      return { heardForMs: Math.max(1, now - heardSinceMs), silentForMs: 0 };
    return { heardForMs: 0, silentForMs: Math.max(1, now - (leftMs ?? silentSinceMs)) };
  }

  #carryOut(member: Member, decision: Decision): void {
    const { clock } = this.#standing;
    const version = member.confVersion;
    this.#changing = true;
    member.changes.submit({
      // Decided for the configuration of then: what was changed by hand meanwhile goes first.
      plan: () =>
        member.confVersion === version ? { transition: 'auto', steps: decision.steps, context: undefined } : undefined,
      deadlineMs: clock.monotonicMs() + CHANGE_TIMEOUT_MS,
      done: (index, error) => {
        this.#changing = false;
        if (error === undefined && index > version) this.#tell(decision);
      },
    });
  }

  #tell({ kind, steps, reason }: Decision): void {
    this.#decisions.push({ atMs: this.#standing.clock.wallMs(), kind, reason });
    if (this.#decisions.length > DECISIONS_REMEMBERED) this.#decisions.shift();
    this.#emitter.emit('autopilot', { kind, members: steps.map(({ id }) => id), reason });
  }
}
