/** The core's state before and after a call, field by field. */
import type { Status } from '../../core/status.ts';

export interface StateRow {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

const FIELDS: readonly (readonly [field: string, value: (status: Status) => string])[] = [
  ['Role', ({ role }) => role],
  ['Term', ({ term }) => String(term)],
  ['Voted for', ({ vote }) => vote || 'nobody'],
  ['Leader', ({ leader }) => leader || 'none known'],
  ['Last entry', ({ lastIndex, lastTerm }) => `${lastIndex} of term ${lastTerm}`],
  ['On disk', ({ stableIndex }) => String(stableIndex)],
  ['Commit', ({ commitIndex }) => String(commitIndex)],
  ['Applied', ({ appliedIndex }) => String(appliedIndex)],
  [
    'Election timer',
    ({ electionElapsedTicks, electionTimeoutTicks }) => `${electionElapsedTicks} of ${electionTimeoutTicks} ticks`,
  ],
  ['Voters', ({ conf }) => [...conf.voters, ...conf.votersOutgoing.map((id) => `(${id})`)].join(', ')],
];

export function stateRows(before: Status | undefined, after: Status | undefined): readonly StateRow[] {
  const told = (status: Status | undefined, value: (status: Status) => string): string =>
    status === undefined ? '–' : value(status);
  const rows = FIELDS.map(([field, value]) => ({ field, before: told(before, value), after: told(after, value) }));
  const followers = [...new Set([...(before?.progress ?? []), ...(after?.progress ?? [])].map(({ id }) => id))].sort();
  const progress = (status: Status | undefined, id: string): string => {
    const found = status?.progress.find((one) => one.id === id);
    return found === undefined
      ? '–'
      : `has ${found.matchIndex}, next ${found.nextIndex}, ${found.state}${found.paused ? ', waits' : ''}`;
  };
  const self = after?.id ?? before?.id;
  return [
    ...rows,
    ...followers
      .filter((id) => id !== self)
      .map((id) => ({ field: id, before: progress(before, id), after: progress(after, id) })),
  ];
}
