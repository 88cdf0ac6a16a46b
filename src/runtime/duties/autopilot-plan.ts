/**
 * Who votes: from what is known of every member to the next change, as a pure function. Never below what can commit, never two
 * risks at once: one change, which the members that are heard can commit in the old configuration and in the new one.
 */
import type { ConfChangeStep, ConfState, NodeId } from '../../core/types.ts';
import type { AutopilotOptions } from '../api/options.ts';

/** A member as the leader knows it. */
export interface MemberFacts {
  readonly id: NodeId;
  readonly suffrage: 'voter' | 'learner' | 'witness';
  /** Wants to vote, as its member context says. */
  readonly wantsVote: boolean;
  /** Elections and choices prefer the higher. */
  readonly priority: number;
  /** Members of one device, '' for one of its own. */
  readonly device: string;
  /** The voter of the same device whose storage was lost, '' for none. */
  readonly replaces: NodeId;
  readonly caughtUp: boolean;
  /** How long it has been heard without a break, in ms; 0 while it is not. */
  readonly heardForMs: number;
  /** How long nothing was heard of it, in ms; 0 while it is. */
  readonly silentForMs: number;
  /** It said goodbye and has not been heard since. */
  readonly hasLeft: boolean;
}

export type DecisionKind = 'promote' | 'replace' | 'demote' | 'forget' | 'alone';
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
  readonly members: readonly MemberFacts[];
  readonly options: AutopilotOptions;
  /** A silence longer than this is more than is normal in this room, in ms. */
  readonly silentAfterMs: number;
}

/** The next change, or undefined when all is well or nothing can be done. */
export function nextDecision(input: PlanInput): Decision | undefined {
  if (input.conf.votersOutgoing.length > 0) return undefined;
  return replaceGone(input) ?? promote(input) ?? demoteGone(input) ?? forget(input);
}

/** Voters that have left or are silent for too long, those that said goodbye first. */
function goneVoters({ members, silentAfterMs, self }: PlanInput): MemberFacts[] {
  const gone = members.filter(
    ({ id, suffrage, hasLeft, silentForMs }) => id !== self && suffrage === 'voter' && (hasLeft || silentForMs > silentAfterMs),
  );
  return gone.sort((a, b) => Number(b.hasLeft) - Number(a.hasLeft) || b.silentForMs - a.silentForMs || order(a, b));
}

/** Learners that may vote: they want to, have caught up, and have been heard for `forMs`. The best first. */
function candidates(input: PlanInput, forMs: number, instead?: MemberFacts): MemberFacts[] {
  const { members, options } = input;
  const devices = new Set(
    members
      .filter(({ suffrage, id, device }) => suffrage === 'voter' && device !== '' && id !== instead?.id)
      .map((m) => m.device),
  );
  return (
    members
      .filter(
        ({ suffrage, wantsVote, caughtUp, heardForMs }) =>
          suffrage === 'learner' && wantsVote && caughtUp && heardForMs >= forMs && heardForMs > 0,
      )
      // Who comes in somebody's place takes that vote, and no other.
      .filter(({ replaces }) => !members.some(({ id, suffrage }) => id === replaces && suffrage === 'voter'))
      .filter(({ device }) => !options.oneVoterPerDevice || device === '' || !devices.has(device))
      .sort((a, b) => b.priority - a.priority || b.heardForMs - a.heardForMs || order(a, b))
  );
}

function order(a: MemberFacts, b: MemberFacts): number {
  return a.id < b.id ? -1 : 1;
}

/** One joint change: who has gone votes no more, and somebody else does in its place. */
function replaceGone(input: PlanInput): Decision | undefined {
  const { members, options } = input;
  const voters = votersOf(input);
  for (const gone of goneVoters(input)) {
    // Whoever comes from the same device in its place is the first choice, and its storage is lost for good.
    const heir = members.find(
      ({ suffrage, replaces, caughtUp, heardForMs }) =>
        suffrage === 'learner' && replaces === gone.id && caughtUp && heardForMs > 0,
    );
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
    if (heir.suffrage !== 'learner' || !heir.caughtUp || heir.heardForMs === 0 || lost === undefined || lost.heardForMs > 0)
      continue;
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
    return {
      kind: 'demote',
      steps: out.map(({ id }) => ({ op: 'learner' as const, id, context: undefined })),
      reason: `${out.map((member) => `${member.id} ${whyGone(member)}`).join(', ')}: who is back and has caught up may vote again.`,
    };
  }
  return undefined;
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

function canCommit(input: PlanInput, voters: readonly NodeId[]): boolean {
  return heard(input, voters) > voters.length / 2;
}

/** How many more of the voters that are heard may be lost. */
function tolerance(input: PlanInput, voters: readonly NodeId[]): number {
  return heard(input, voters) - (Math.floor(voters.length / 2) + 1);
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
