/** The outlook in words: what it means for whoever writes, and what would help. */
import { NO_NODE } from '../../core/types.ts';
import type { Forecast, MissingVoter } from '../api/forecast.ts';
import { type Outlook, outlookOf } from '../standing/outlook.ts';
import type { Reports } from '../standing/reports.ts';
import type { Standing } from '../standing/standing.ts';

export function forecastOf(standing: Standing, reports: Reports): Forecast {
  const outlook = outlookOf(standing, reports);
  return { ...outlook, text: textOf(standing, outlook) };
}

/** Said where a command is acknowledged by one device alone. */
export const ONE_COPY = 'Changes are now kept on this device only. They are safe again when another tab or device joins.';

function textOf({ member, leaderId, id }: Standing, outlook: Outlook): string {
  if (member === undefined && outlook.toldBy === undefined)
    return 'This node belongs to no cluster yet: nothing is known of a majority.';
  if (!outlook.quorumAlive) return lostText(outlook);
  if (leaderId === NO_NODE) return 'A majority can be reached; an election is under way.';
  if (member?.conf.voters.length === 1 && member.conf.votersOutgoing.length === 0)
    return member.conf.voters[0] === id ? ONE_COPY : 'Changes are now kept on one device only: more are on their way to vote.';
  const { failureTolerance, copies } = outlook;
  if (failureTolerance > 0)
    return `${count(failureTolerance, 'more voter')} may fail before writes stop. Changes are on ${count(copies, 'device')} before they are acknowledged.`;
  return 'When one more voter goes without a goodbye, writes may stop until it is back. Another tab, or a process that stays, would help.';
}

function lostText({ alive, need, missing, toldBy }: Outlook): string {
  const wanted = need - alive;
  const names = missing.map(describe).join(', ');
  const whose = toldBy === undefined ? '' : 'This tab waits to be taken in: ';
  return (
    `${whose}Only ${alive} of the ${need} voters that make a majority can be reached. Missing: ${names}. ` +
    `Nothing is lost, and writes go on when ${wanted === missing.length && wanted > 1 ? 'they are' : `${wanted} of them ${wanted === 1 ? 'is' : 'are'}`} back: ` +
    `open the room there again. If they never come back: node.admin.planRecovery(), on a tab that has been a member.`
  );
}

function describe({ id, name, how, forMs }: MissingVoter): string {
  const seconds = `${Math.round(forMs / 1000)} s`;
  const what = { left: `closed ${seconds} ago`, silent: `silent for ${seconds}`, stopped: `there, but stopped for ${seconds}` }[
    how
  ];
  return `${name === '' ? id : name} (${what})`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
