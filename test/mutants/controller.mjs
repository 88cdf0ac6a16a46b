// Faults in who votes and who leads: one for each rule of the leader's plans.

/** @type {readonly {readonly id: string, readonly file: string, readonly find: string, readonly replace: string, readonly breaks: string}[]} */
export const CONTROLLER_MUTANTS = [
  plan('plan-in-joint', 'if (input.conf.votersOutgoing.length > 0) return undefined;', '', 'two changes at once'),
  plan(
    'plan-goodbye-waits',
    '(hasLeft || silentForMs > silentAfterMs)',
    'silentForMs > silentAfterMs',
    'who said goodbye is waited for',
  ),
  plan(
    'plan-silence-is-goodbye',
    'hasLeft || silentForMs > silentAfterMs',
    'hasLeft || silentForMs > 0',
    'a hiccup costs the vote',
  ),
  plan(
    'plan-replaces-self',
    "id !== self && suffrage === 'voter' && (hasLeft",
    "suffrage === 'voter' && (hasLeft",
    'the leader gives its own vote away',
  ),
  plan('plan-not-settled', 'isWilling(member) && member.heardForMs >= forMs)', 'isWilling(member))', 'every visitor votes'),
  plan(
    'plan-not-caught-up',
    'wantsVote && caughtUp && heardForMs > 0;',
    'wantsVote && heardForMs > 0;',
    'a voter that lacks the log',
  ),
  plan(
    'plan-against-its-will',
    "suffrage === 'learner' && wantsVote && caughtUp",
    "suffrage === 'learner' && caughtUp",
    'a reader is made a voter',
  ),
  plan(
    'plan-takes-two-places',
    "!members.some(({ id, suffrage }) => id === replaces && suffrage === 'voter')",
    'replaces.length >= 0',
    'the heir of a lost device is a vote more',
  ),
  plan(
    'plan-two-of-a-device',
    'return !votes || devicesHere(input, instead).size === 1;',
    'return true;',
    'a second vote of a device that others could have',
  ),
  plan(
    'plan-one-device-starves',
    'return !votes || devicesHere(input, instead).size === 1;',
    'return !votes;',
    'the last tab of the only device has no vote',
  ),
  plan(
    'plan-device-of-the-gone',
    'other.id !== instead?.id && deviceOf(other) === device',
    'deviceOf(other) === device',
    'who leaves is not replaced from its own device',
  ),
  plan(
    'plan-even-at-once',
    'voters.length % 2 === 0 || voters.length === 1 ?',
    'voters.length > 0 ?',
    'a vote that makes the number even is given too soon',
  ),
  plan('plan-over-target', 'if (voters.length >= input.votersTarget) return undefined;', '', 'voters pile up (T1)'),
  plan(
    'plan-promotes-uncommitted',
    'if (next === undefined || !canCommit(input, voters) || !canCommit(input, [...voters, next.id])) return undefined;',
    'if (next === undefined) return undefined;',
    'a change that nobody can commit',
  ),
  plan(
    'plan-demotes-for-nothing',
    '!canCommit(input, after) || !isBetter(input, after, voters)) continue;',
    '!canCommit(input, after)) continue;',
    'voters are given up where that survives no more',
  ),
  plan(
    'plan-stays-three',
    'return gain > 0 || (gain === 0 && after.length === 2 && before.length === 3);',
    'return gain > 0;',
    'three do not become two while two can decide it',
  ),
  plan(
    'plan-heir-of-the-living',
    'lost === undefined || lost.heardForMs > 0)',
    'lost === undefined)',
    'the vote of one that lives is given away',
  ),
  plan('plan-forgets-at-once', 'silentForMs > limitMs).slice', 'silentForMs > 0).slice', 'who is away for a moment is forgotten'),
  plan(
    'plan-never-forgets',
    'const crowded = members.length > options.membersCrowded;',
    'const crowded = false;',
    'members pile up',
  ),
  plan('plan-spreads-leader', 'one.id !== self && voting.some(', 'voting.some(', 'the leader gives up its own vote to spread'),
  plan(
    'plan-spreads-deaf',
    'canCommit(input, voters) || !allHeard(input, after)) return undefined;',
    'canCommit(input, voters)) return undefined;',
    'a vote is given up beside a voter that is silent',
  ),
  plan(
    'plan-keeps-bad',
    'shortOfSpace || laggingForMs > silentAfterMs;',
    'shortOfSpace;',
    'a voter that stays behind for good keeps its vote',
  ),
  plan('plan-bad-for-bad', '.find((one) => !isBad(one));', '[0];', 'a full disk is exchanged for a full disk'),
  plan(
    'alone-with-the-heard',
    'partner === undefined || partner.heardForMs > 0)',
    'partner === undefined)',
    'the leader of two goes alone beside one that lives',
  ),
  plan(
    'alone-at-once',
    'partner.silentForMs > (partner.hasLeft ? leftForMs : silentForMs) ? partner : undefined;',
    'partner;',
    'a reload of the other leaves one copy',
  ),
  leads(
    'leads-at-once',
    'other.burden < own.burden && other.burdenForMs >= calmMs && own.burdenForMs >= calmMs;',
    'other.burden < own.burden;',
    'leadership follows every glance at another tab',
  ),
  leads(
    'leads-against-wish',
    'if (other.priority !== own.priority) return other.priority > own.priority;',
    '',
    'a priority is overruled',
  ),
  leads('leads-by-learner', "suffrage === 'voter' && caughtUp", 'caughtUp', 'leadership is offered to one that cannot take it'),
  leads(
    'leads-full',
    'if (own.shortOfSpace !== other.shortOfSpace) return own.shortOfSpace;',
    '',
    'a leader that can store nothing stays',
  ),
  sleep(
    'sleep-unnoticed',
    'standing/freshness.ts',
    '  if (mayHaveSlept(standing)) return Number.POSITIVE_INFINITY;\n',
    '',
    'a tab that wakes up answers from before its sleep',
  ),
  sleep(
    'sleep-of-one-clock',
    'standing/passing-time.ts',
    'return behindMs > sleepMs(standing) ? behindMs : 0;',
    'return 0;',
    'a machine whose monotonic clock stood still has not slept',
  ),
  sleep(
    'sleep-keeps-contact',
    'standing/standing.ts',
    '    if (stoodStillMs(this) > 0) this.peers.forgetContact();\n',
    '',
    'who was heard before the sleep counts as heard now',
  ),
  sleep(
    'pause-without-goodbye',
    'node/consensus-node.ts',
    "    if (this.#standing.state.kind === 'member') this.duties.handover.sayGoodbye('pagehide');\n",
    '',
    'a frozen leader is waited for',
  ),
  sleep(
    'forecast-of-few',
    'standing/outlook.ts',
    "return role === 'leader' ? failureTolerance : undefined;",
    'return role === undefined ? failureTolerance : undefined;',
    'who is linked with few believes that the majority is lost',
  ),
  sleep(
    'forecast-of-the-idle',
    'standing/quorum.ts',
    ' || peer.isIdle || peer.saidGoodbye) return false;',
    ') return false;',
    'a voter whose page is put away counts',
  ),
  sleep(
    'newcomer-hears-nothing',
    'duties/admission.ts',
    'return report === undefined ? NO_BODY : encodeQuorumReport(report);',
    'return report === undefined ? NO_BODY : NO_BODY;',
    'a newcomer in a dead room says nothing (T2)',
  ),
  sleep(
    'recovery-of-the-living',
    'node/recovery.ts',
    'if (outlookOf(standing, reports).quorumAlive)',
    'if (outlookOf(standing, reports).copies < 0)',
    'a cluster that works is split by hand',
  ),
  sleep(
    'recovery-without-plan',
    'node/recovery.ts',
    'planned === undefined || planned.plan.token !== token || this.#busy',
    'planned === undefined',
    'a recovery is confirmed that nobody has read',
  ),
  sleep(
    'retired-comes-back',
    'duties/unused-cluster.ts',
    "(error.code === 'epoch-mismatch' || error.code === 'corrupt')",
    "error.code === 'corrupt'",
    'a member of the old epoch never gets in again',
  ),
  sleep(
    'rollback-unnoticed',
    'standing/rollback.ts',
    'report.last >= asked.index) return;',
    'report.last >= 0) return;',
    'a member that has lost what it acknowledged votes on (T3)',
  ),
  sleep(
    'joins-one-by-one',
    'duties/join-batch.ts',
    '(ids.size >= NEWCOMERS_AT_ONCE ||',
    '(ids.size >= 1 ||',
    'a crowd at the door is as many configurations (T4)',
  ),
  sleep(
    'joins-unpaced',
    'duties/join-batch.ts',
    " || !this.#pace.ask('joins', now)) return;",
    ') return;',
    'a configuration for each that comes',
  ),
  sleep(
    'joins-over-the-room',
    'duties/join-batch.ts',
    'memberIds(conf).length + ids.size >= MEMBERS_MAX',
    'memberIds(conf).length >= MEMBERS_MAX',
    'one change takes in more than there is room for',
  ),
  sleep(
    'copies-not-asked',
    'duties/copies.ts',
    'if (copies >= minCopies) return undefined;',
    'if (copies >= 1) return undefined;',
    'a change is acknowledged that one device holds',
  ),
  sleep(
    'copies-alone',
    'duties/copies.ts',
    'if (minCopies > ALONE_COPIES_MAX) return false;',
    '',
    'a cluster of three copies goes on with one',
  ),
  plan(
    'copies-demoted',
    '    if (!keepsCopies(input, after, voters)) continue;\n',
    '',
    'voters are given up until no command is taken',
  ),
  sleep(
    'goodbye-before-office',
    'duties/autopilot.ts',
    'saidGoodbye === true ? now : undefined;',
    'saidGoodbye === undefined ? now : undefined;',
    'a new leader waits for the one that left it the office',
  ),
  sleep(
    'goodbyes-paced',
    'duties/autopilot.ts',
    '    if (this.#hasLost(member)) this.#pace.note(',
    '    if (this.#standing.term < 0) this.#pace.note(',
    'of several that leave at once all but the first are waited for',
  ),
  {
    id: 'one-gap-is-a-burden',
    file: 'src/runtime/duties/own-pace.ts',
    find: 'Math.min(GAP_SHARE_MAX, elapsedMs / WINDOW_MS)',
    replace: 'Math.min(1, elapsedMs / WINDOW_MS)',
    breaks: 'a tab that slept once loses its office five seconds after it is well again (I36)',
  },
];

function plan(id, find, replace, breaks) {
  return { id, file: 'src/runtime/duties/autopilot-plan.ts', find, replace, breaks };
}

function sleep(id, file, find, replace, breaks) {
  return { id, file: `src/runtime/${file}`, find, replace, breaks };
}

function leads(id, find, replace, breaks) {
  return { id, file: 'src/runtime/duties/leadership-plan.ts', find, replace, breaks };
}
