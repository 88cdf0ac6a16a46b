/** Clocks that are far off: who is invited is let in or hears why, and a member whose clock is wrong keeps nobody out for ever. */
import { expect, test } from 'vitest';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import type { Clock } from '../../src/runtime/ports/clock.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { Cluster, type Opened } from './cluster.ts';

const HOUR_MS = 3_600_000;

class SecretCluster extends Cluster {
  override readonly access: Promise<Access> = accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined });

  async byLink(link: string, clock: Clock = nodeClock()): Promise<Opened> {
    return this.open({ access: await accessBy(parseRoomLink(link)), clock });
  }
}

const off = (byMs: number): Clock => ({ ...nodeClock(), wallMs: () => Date.now() + byMs });

function faultsOf({ node }: Opened): string[] {
  const codes: string[] = [];
  node.on('fault', ({ error }) => codes.push(error.code));
  return codes;
}

const fatalOf = ({ node }: Opened): Promise<string> =>
  new Promise((resolve) => node.on('fatal', ({ error }) => resolve(error.code)));

test('an invited device whose clock is off: what its link says is over or of the future is told at once, the rest lets it in', async () => {
  await using cluster = new SecretCluster();
  const host = await cluster.open();
  await host.node.ready;
  const told = faultsOf(host);
  const { link } = await host.node.membership.invite({ expiresInMs: 24 * HOUR_MS });
  await expect(cluster.byLink(link, off(30 * HOUR_MS))).rejects.toMatchObject({ code: 'invite-expired' });
  await expect(cluster.byLink(link, off(-HOUR_MS))).rejects.toMatchObject({ code: 'clock-skew' });
  // An hour ahead, and the invite is good for a day: it comes in, and both say that a clock is wrong.
  const guest = await cluster.byLink(link, off(HOUR_MS));
  await guest.node.ready;
  expect(await guest.node.propose({ type: 'add', amount: 1 })).toBe(1);
  await host.node.until(() => told.includes('clock-skew'));
  expect(told.filter((code) => code === 'clock-skew')).toHaveLength(1);
});

test('a member whose clock is ahead keeps nobody out whom the others let in', async () => {
  await using cluster = new SecretCluster();
  const host = await cluster.open();
  await host.node.ready;
  const wrong = await cluster.open({ clock: off(48 * HOUR_MS), suffrage: 'learner' });
  await wrong.node.ready;
  const { link } = await host.node.membership.invite({ expiresInMs: HOUR_MS });
  await wrong.node.until(() => wrong.engine.trust.ledger.image().invites.length === 1);
  const guest = await cluster.byLink(link);
  await guest.node.ready;
  // It is a member now, known by its key, also to the one that would have sent it away.
  await wrong.node.until(({ peers }) => peers.some(({ id, link: state }) => id === guest.node.id && state === 'open'));
  expect(host.node.config.members.map(({ id }) => id)).toContain(guest.node.id);
});

test('while a leader’s clock is ahead an invite is told to be over; once another leads the same link lets in', async () => {
  await using cluster = new SecretCluster();
  const host = await cluster.open();
  await host.node.ready;
  const wrong = await cluster.open({ clock: off(48 * HOUR_MS) });
  await cluster.voters(2);
  const { link } = await host.node.membership.invite({ expiresInMs: HOUR_MS });
  await cluster.transferTo(wrong);
  await wrong.node.until(() => wrong.node.role === 'leader');
  await host.node.until((status) => status.leaderId === wrong.node.id);
  expect(await fatalOf(await cluster.byLink(link))).toBe('invite-expired');
  await cluster.transferTo(host);
  await host.node.until(() => host.node.role === 'leader');
  await wrong.node.until((status) => status.leaderId === host.node.id);
  const guest = await cluster.byLink(link);
  await guest.node.ready;
  expect(await guest.node.propose({ type: 'add', amount: 2 })).toBe(2);
});
