/** Six steps through what Raft does, on the cluster that is there: each waits until the cluster has done it. */
import type { NodeId } from '../src/index.ts';
import { SCRIPTS } from './break/scripts.ts';
import { SEATS } from './machine.ts';
import type { DemoNode } from './open.ts';
import type { Page } from './page.ts';

export interface TourStep {
  readonly title: string;
  readonly text: string;
  /** What the button does; '' for a step that only waits. */
  readonly action: string;
  /** What must be so before the button is of use, in words; undefined when it is. */
  readonly missing?: (page: Page) => string | undefined;
  readonly act?: (page: Page, memo: TourMemo) => Promise<void>;
  readonly holds: (page: Page, memo: TourMemo) => boolean;
}

/** What a step remembers from its act until it holds. */
export interface TourMemo {
  leader: NodeId | undefined;
  index: number;
  acted: boolean;
}

const VOTERS = 3;
const linkedVoters = ({ status, config }: Page): number =>
  (config?.voters ?? []).filter((id) => id === status?.id || status?.peers.some((peer) => peer.id === id && peer.link === 'open'))
    .length;

function script(name: string): (page: Page) => Promise<void> {
  return async ({ node, saboteur }) => {
    const found = SCRIPTS.find((one) => one.name === name);
    if (node !== undefined && saboteur !== undefined) await found?.run(node, saboteur);
  };
}

const needsThree = (page: Page): string | undefined =>
  linkedVoters(page) < VOTERS || page.status?.leaderId === undefined ? 'Waiting until three tabs vote and one leads.' : undefined;

export const TOUR: readonly TourStep[] = [
  {
    title: 'Found',
    text: 'The first tab of a room founds its cluster. It is the only voter, so it leads.',
    action: '',
    holds: ({ status, config }) => (config?.voters.length ?? 0) > 0 && status?.leaderId !== undefined,
  },
  {
    title: 'Elect',
    text: 'Open two more tabs. They learn the log, then they vote: from three on, one may be lost.',
    action: 'Open another tab',
    holds: (page) => needsThree(page) === undefined,
  },
  {
    title: 'Replicate',
    text: 'A seat is booked. The entry goes to every log, and counts when a majority has it on disk.',
    action: 'Book a seat',
    act: async ({ node, people }, memo) => {
      if (node !== undefined) memo.index = await bookOne(node, people.nameOf(node.id));
    },
    holds: ({ status }, { index }) =>
      index > 0 &&
      (status?.peers ?? []).filter(({ link }) => link === 'open').every(({ appliedIndex }) => (appliedIndex ?? 0) >= index),
  },
  {
    title: 'Lose the leader',
    text: 'The tab that leads crashes. The others notice its silence, and elect another.',
    action: 'Crash the leader',
    missing: needsThree,
    act: async (page, memo) => {
      // This tab has to stay, to see it.
      if (page.node?.role === 'leader') await page.node.admin.stepDown();
      memo.leader = page.node?.leaderId;
      await script('Kill the leader')(page);
    },
    holds: ({ status }, { leader, acted }) => acted && status?.leaderId !== undefined && status.leaderId !== leader,
  },
  {
    title: 'Split',
    text: 'The leader is cut off with too few. It can commit nothing any more; the majority goes on without it.',
    action: 'Cut the leader off',
    missing: needsThree,
    act: async (page, memo) => {
      if (page.node?.role === 'leader') await page.node.admin.stepDown();
      memo.leader = page.node?.leaderId;
      await script('Split')(page);
    },
    holds: ({ status }, { leader, acted }) => acted && status?.leaderId !== undefined && status.leaderId !== leader,
  },
  {
    title: 'Heal',
    text: 'The links are back. The old leader hears of a newer term, steps down, and takes the log of the majority.',
    action: 'Heal',
    act: script('Heal'),
    holds: (page, { acted }) =>
      acted &&
      needsThree(page) === undefined &&
      (page.status?.peers ?? []).every(({ term, link }) => link !== 'open' || term === page.status?.term),
  },
];

async function bookOne(node: DemoNode, name: string): Promise<number> {
  const free = SEATS.find((seat) => node.peek(({ seats }) => seats[seat]) === undefined);
  // A full house is no reason to stop: a line on the list is an entry too.
  const { index } =
    free === undefined
      ? await node.proposeDetailed({ type: 'add', text: 'The tour was here', name })
      : await node.proposeDetailed({ type: 'book', seat: free, name });
  return index;
}
