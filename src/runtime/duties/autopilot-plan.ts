/**
 * Who votes: from what is known of every member to the next change, as a pure function. Never below what can commit, never two
 * risks at once: one change, which the members that are heard can commit in the old configuration and in the new one.
 */
import type { ConfChangeStep, ConfState, NodeId } from '../../core/types.ts';
import type { AutopilotOptions } from '../api/options.ts';
import { byId, byPreference, deviceOf, type MemberFacts } from './member-facts.ts';

export type { MemberFacts };

export type DecisionKind = 'promote' | 'replace' | 'demote' | 'forget' | 'alone' | 'lead';
export interface Decision {
  readonly kind: DecisionKind;
  readonly steps: readonly ConfChangeStep[];
  /** One sentence for people. */
  readonly reason: string;
}

export interface PlanInput {
  readonly conf: ConfState;
  readonly self: NodeId;
  readonly votersTarget: number;
  /** Voters that must hold a command before it is acknowledged. */
  readonly minCopies: number;
  readonly members: readonly MemberFacts[];
  readonly options: AutopilotOptions;
  /** A silence longer than this is more than is normal in this room, in ms. */
  readonly silentAfterMs: number;
}

/** The next change, or undefined when all is well or nothing can be done. */
export function nextDecision(input: PlanInput): Decision | undefined {
  if (input.conf.votersOutgoing.length > 0) return undefined;
  return (
    replaceGone(input) ?? promote(input) ?? demoteGone(input) ?? spreadOverDevices(input) ?? exchangeBad(input) ?? forget(input)
  );
}

/** Voters that have left or are silent for too long, those that said goodbye first. */
function goneVoters({ members, silentAfterMs, self }: PlanInput): MemberFacts[] {
  const gone = members.filter(
    ({ id, suffrage, hasLeft, silentForMs }) => id !== self && suffrage === 'voter' && (hasLeft || silentForMs > silentAfterMs),
  );
  return gone.sort((a, b) => Number(b.hasLeft) - Number(a.hasLeft) || b.silentForMs - a.silentForMs || byId(a, b));
}

/** Learners that may vote: they want to, have caught up, and have been heard for `forMs`. The best first. */
function candidates(input: PlanInput, forMs: number, instead?: MemberFacts): MemberFacts[] {
  const { members } = input;
  return (
    members
      .filter((member) => isWilling(member) && member.heardForMs >= forMs)
      // Who comes in somebody's place takes that vote, and no other.
      .filter(({ replaces }) => !members.some(({ id, suffrage }) => id === replaces && suffrage === 'voter'))
      .filter((member) => deviceMayVote(input, member, instead))
      .sort(byPreference)
  );
}

function isWilling({ suffrage, wantsVote, caughtUp, heardForMs }: MemberFacts): boolean {
  return suffrage === 'learner' && wantsVote && caughtUp && heardForMs > 0;
}

/**
 * One vote a device: what sleeps, closes or breaks as one is one risk. As long as only one device is here its members may all
 * vote: they have nobody else to go on with when one of them closes.
 */
function deviceMayVote(input: PlanInput, member: MemberFacts, instead: MemberFacts | undefined): boolean {
  if (!input.options.oneVoterPerDevice) return true;
  const device = deviceOf(member);
  const votes = input.members.some((other) => isFullVoter(other) && other.id !== instead?.id && deviceOf(other) === device);
  return !votes || devicesHere(input, instead).size === 1;
}

/** Devices that vote, or could. */
function devicesHere({ members }: PlanInput, without?: MemberFacts): Set<string> {
  return new Set(members.filter((one) => one.id !== without?.id && (isFullVoter(one) || isWilling(one))).map(deviceOf));
}

function isFullVoter({ suffrage }: MemberFacts): boolean {
  return suffrage === 'voter';
}

/** One joint change: who has gone votes no more, and somebody else does in its place. */
function replaceGone(input: PlanInput): Decision | undefined {
  const { members, options } = input;
  const voters = votersOf(input);
  for (const gone of goneVoters(input)) {
    // Whoever comes from the same device in its place is the first choice, and its storage is lost for good.
    const heir = members.find((member) => isWilling(member) && member.replaces === gone.id);
    const next = heir ?? candidates(input, options.settleMs, gone)[0];
    if (next === undefined) continue;
    const after = [...voters.filter((id) => id !== gone.id), next.id];
    if (!canCommit(input, voters) || !canCommit(input, after)) continue;
    const out: ConfChangeStep = { op: heir === undefined ? 'learner' : 'remove', id: gone.id, context: undefined };
    return {
      kind: 'replace',
      steps: [{ op: 'voter', id: next.id, context: undefined }, out],
      reason: `${next.id} votes in the place of ${gone.id}, which ${whyGone(gone)}.`,
    };
  }
  return heirOfLost(input);
}

/** A newcomer takes the vote of the identity that its device has lost, before that is silent for long. */
function heirOfLost(input: PlanInput): Decision | undefined {
  const voters = votersOf(input);
  for (const heir of input.members) {
    const lost = input.members.find(({ id, suffrage }) => id === heir.replaces && suffrage === 'voter');
    // Whoever is still heard has not lost its storage: its vote is not given away.
    if (!isWilling(heir) || lost === undefined || lost.heardForMs > 0) continue;
    const after = [...voters.filter((id) => id !== lost.id), heir.id];
    if (!canCommit(input, voters) || !canCommit(input, after)) continue;
    return {
      kind: 'replace',
      steps: [
        { op: 'voter', id: heir.id, context: undefined },
        { op: 'remove', id: lost.id, context: undefined },
      ],
      reason: `${heir.id} votes in the place of ${lost.id}, whose storage its device has lost.`,
    };
  }
  return undefined;
}

function promote(input: PlanInput): Decision | undefined {
  const voters = votersOf(input);
  if (voters.length >= input.votersTarget) return undefined;
  // An even number survives no more losses than the odd one below it: the next must have been here for longer.
  const forMs = voters.length % 2 === 0 || voters.length === 1 ? input.options.settleMs : 2 * input.options.settleMs;
  const next = candidates(input, forMs)[0];
  if (next === undefined || !canCommit(input, voters) || !canCommit(input, [...voters, next.id])) return undefined;
  return {
    kind: 'promote',
    steps: [{ op: 'voter', id: next.id, context: undefined }],
    reason: `${next.id} has caught up and been here for ${Math.round(next.heardForMs / 1000)} s: ${voters.length + 1} of ${input.votersTarget} voters.`,
  };
}

/** Nobody can take their place: the quorum is counted without them where that leaves more room for the next loss. */
function demoteGone(input: PlanInput): Decision | undefined {
  const voters = votersOf(input);
  const gone = goneVoters(input);
  for (let count = 1; count <= gone.length; count++) {
    const out = gone.slice(0, count);
    const after = voters.filter((id) => out.every((member) => member.id !== id));
    if (!canCommit(input, voters) || !canCommit(input, after) || !isBetter(input, after, voters)) continue;
    if (!keepsCopies(input, after, voters)) continue;
    return {
      kind: 'demote',
      steps: out.map(({ id }) => ({ op: 'learner' as const, id, context: undefined })),
      reason: `${out.map((member) => `${member.id} ${whyGone(member)}`).join(', ')}: who is back and has caught up may vote again.`,
    };
  }
  return undefined;
}

/** A device that votes twice gives one vote to another device, or gives it up where another device votes already. */
function spreadOverDevices(input: PlanInput): Decision | undefined {
  const { members, options, self } = input;
  if (!options.oneVoterPerDevice) return undefined;
  const voting = members.filter(isFullVoter);
  // The least preferred first; the leader keeps its own.
  const surplus = voting
    .filter((one) => one.id !== self && voting.some((other) => other.id !== one.id && deviceOf(other) === deviceOf(one)))
    .sort((a, b) => byPreference(b, a))[0];
  if (surplus === undefined) return undefined;
  const voters = votersOf(input);
  const device = surplus.device;
  const next = candidates(input, options.settleMs, surplus).find((one) => !voting.some((v) => deviceOf(v) === deviceOf(one)));
  if (next !== undefined)
    return exchange(input, surplus, next, `${next.id} votes in the place of ${surplus.id}: device ${device} has another vote.`);
  const after = voters.filter((id) => id !== surplus.id);
  if (new Set(voting.map(deviceOf)).size < 2 || !canCommit(input, voters) || !allHeard(input, after)) return undefined;
  if (!keepsCopies(input, after, voters)) return undefined;
  const reason = `${surplus.id} votes no more: device ${device} has another vote, and one device is one risk.`;
  return { kind: 'demote', steps: [{ op: 'learner', id: surplus.id, context: undefined }], reason };
}

/** A voter whose disk is full, or that stays behind though it is heard, gives its vote to one that does better. */
function exchangeBad(input: PlanInput): Decision | undefined {
  const { members, options, self, silentAfterMs } = input;
  const isBad = ({ shortOfSpace, laggingForMs }: MemberFacts): boolean => shortOfSpace || laggingForMs > silentAfterMs;
  for (const bad of members.filter((one) => one.id !== self && isFullVoter(one) && one.heardForMs > 0 && isBad(one))) {
    const next = candidates(input, options.settleMs, bad).find((one) => !isBad(one));
    if (next === undefined) continue;
    const why = bad.shortOfSpace ? 'has no room left to store' : `has been behind for ${Math.round(bad.laggingForMs / 1000)} s`;
    const decision = exchange(input, bad, next, `${next.id} votes in the place of ${bad.id}, which ${why}.`);
    if (decision !== undefined) return decision;
  }
  return undefined;
}

/** One joint change: `next` votes, and `out` is a learner. */
function exchange(input: PlanInput, out: MemberFacts, next: MemberFacts, reason: string): Decision | undefined {
  const voters = votersOf(input);
  const after = [...voters.filter((id) => id !== out.id), next.id];
  if (!canCommit(input, voters) || !canCommit(input, after)) return undefined;
  return {
    kind: 'replace',
    steps: [
      { op: 'voter', id: next.id, context: undefined },
      { op: 'learner', id: out.id, context: undefined },
    ],
    reason,
  };
}

/** Learners that stay away: those gone for long, and the longest gone where members become many. */
function forget({ members, options }: PlanInput): Decision | undefined {
  const away = members
    .filter(({ suffrage, silentForMs }) => suffrage === 'learner' && silentForMs > 0)
    .sort((a, b) => b.silentForMs - a.silentForMs);
  const crowded = members.length > options.membersCrowded;
  const limitMs = crowded ? options.forgetCrowdedMs : options.forgetMs;
  const gone = away.filter(({ silentForMs }) => silentForMs > limitMs).slice(0, FORGOTTEN_AT_ONCE);
  if (gone.length === 0) return undefined;
  return {
    kind: 'forget',
    steps: gone.map(({ id }) => ({ op: 'remove' as const, id, context: undefined })),
    reason: `${gone.map(({ id }) => id).join(', ')} stayed away for longer than ${Math.round(limitMs / 1000)} s: they join anew when they return.`,
  };
}

/** Members that one change forgets. */
const FORGOTTEN_AT_ONCE = 16;

function votersOf({ conf }: PlanInput): NodeId[] {
  return conf.voters.filter((id) => !conf.witnesses.includes(id)).concat(conf.voters.filter((id) => conf.witnesses.includes(id)));
}

function heard({ members, self }: PlanInput, voters: readonly NodeId[]): number {
  return voters.filter((id) => id === self || members.some((member) => member.id === id && member.heardForMs > 0)).length;
}

/** Not so few voters that the commands they could commit would be refused for want of copies. */
function keepsCopies({ minCopies }: PlanInput, after: readonly NodeId[], before: readonly NodeId[]): boolean {
  return quorumOf(after.length) >= Math.min(minCopies, quorumOf(before.length));
}

function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function allHeard(input: PlanInput, voters: readonly NodeId[]): boolean {
  return heard(input, voters) === voters.length;
}

function canCommit(input: PlanInput, voters: readonly NodeId[]): boolean {
  return heard(input, voters) > voters.length / 2;
}

/** How many more of the voters that are heard may be lost. */
function tolerance(input: PlanInput, voters: readonly NodeId[]): number {
  return heard(input, voters) - quorumOf(voters.length);
}

/**
 * More losses are survived after it. Or as many, but only two are left: of a pair the last can go on alone, once it is settled, so
 * three become two early, while two can still decide it.
 */
function isBetter(input: PlanInput, after: readonly NodeId[], before: readonly NodeId[]): boolean {
  const gain = tolerance(input, after) - tolerance(input, before);
  return gain > 0 || (gain === 0 && after.length === 2 && before.length === 3);
}

/** The other voter of a pair, when it is time to go on without it: it has left, or was silent for so long. */
export function partnerGone({ conf, self, members }: PlanInput, leftForMs: number, silentForMs: number): MemberFacts | undefined {
  if (conf.votersOutgoing.length > 0 || conf.voters.length !== 2 || !conf.voters.includes(self)) return undefined;
  const partner = members.find(({ id }) => id !== self && conf.voters.includes(id));
  if (partner === undefined || partner.heardForMs > 0) return undefined;
  return partner.silentForMs > (partner.hasLeft ? leftForMs : silentForMs) ? partner : undefined;
}

function whyGone({ hasLeft, silentForMs }: MemberFacts): string {
  return hasLeft ? 'said goodbye' : `has been silent for ${Math.round(silentForMs / 1000)} s`;
}
