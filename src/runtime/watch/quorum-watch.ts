/** Losing a majority and finding it again, and on how many devices a change is kept: each told once. */
import type { Emitter } from '../api/emitter.ts';
import type { Member } from '../member/member.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';
import { forecastOf } from './forecast.ts';

export class QuorumWatch {
  readonly #standing: Standing;
  readonly #reports: Reports;
  readonly #emitter: Emitter;
  #lostSinceMs: number | undefined;
  #saidLost = false;
  #member: Member | undefined;
  #memberSinceMs = 0;
  #copies = 0;

  constructor(standing: Standing, reports: Reports, emitter: Emitter) {
    this.#standing = standing;
    this.#reports = reports;
    this.#emitter = emitter;
  }

  tick(): void {
    const { member, clock, outside } = this.#standing;
    const now = clock.monotonicMs();
    if (member !== this.#member) {
      this.#member = member;
      this.#memberSinceMs = now;
    }
    // A newcomer that nobody has told anything, and a node that takes no part, say nothing.
    if (member === undefined && outside === undefined) return;
    const forecast = forecastOf(this.#standing, this.#reports);
    this.#tellCopies(forecast.copies, forecast.text);
    const { quorumAlive, alive, need, missing, text } = forecast;
    if (quorumAlive) {
      this.#lostSinceMs = undefined;
      if (this.#saidLost) this.#emitter.emit('quorum-restored', { alive, need });
      this.#saidLost = false;
      return;
    }
    this.#lostSinceMs ??= now;
    if (this.#saidLost || now - this.#lostSinceMs < this.#graceMs(this.#lostSinceMs)) return;
    this.#saidLost = true;
    this.#emitter.emit('quorum-lost', { alive, need, missing, text });
  }

  /** Who has just opened, or woken up, has heard nobody yet. */
  #graceMs(lostSinceMs: number): number {
    const { member, awakeSinceMs, tuning } = this.#standing;
    const graceMs = 2 * tuning.electionTimeoutMs[1];
    const beganMs = Math.max(member === undefined ? Number.NEGATIVE_INFINITY : this.#memberSinceMs, awakeSinceMs);
    return lostSinceMs - beganMs < graceMs ? graceMs : 0;
  }

  #tellCopies(now: number, text: string): void {
    const before = this.#copies;
    if (now === 0 || now === before) return;
    this.#copies = now;
    if (before > 0)
      this.#emitter.emit('copies', { now, before, text: now === 1 ? text : `Changes are on ${now} devices again.` });
  }
}
