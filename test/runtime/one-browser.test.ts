/** Nodes that are tabs of one browser: a BroadcastChannel between them, and locks that tell who has ended. */
import { expect, test } from 'vitest';
import { broadcastTransport } from '../../src/transport/broadcast.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { decodePeerMessage } from '../../src/wire/codec.ts';
import type { PeerMessage } from '../../src/wire/peer-message.ts';
import { BrowserLocks } from '../transport/locks.ts';
import { Cluster, type Opened } from './cluster.ts';

/** Longer than any test: whoever is elected here is elected for another reason. */
const PATIENT = { electionTimeoutMs: [60_000, 120_000], heartbeatMs: 50, callTimeoutMs: 8_000 } as const;

/** Each with what kills it: not a word leaves it any more, and what it held is free. */
async function tabsOf(cluster: Cluster, count: number): Promise<Map<Opened, () => void>> {
  const browser = new BrowserLocks();
  const tabs = new Map<Opened, () => void>();
  for (let i = 0; i < count; i++) {
    const tab = browser.tab();
    let isDead = false;
    class Channel extends BroadcastChannel {
      override postMessage(data: unknown): void {
        if (!isDead) super.postMessage(data);
      }
    }
    const options = { room: `one-browser-${process.pid}`, locks: tab.locks, BroadcastChannel: Channel };
    const opened = await cluster.open({ transport: broadcastTransport(options), tune: PATIENT });
    tabs.set(opened, () => {
      isDead = true;
      tab.crash();
      cluster.crash(opened);
    });
  }
  await cluster.voters(count);
  return tabs;
}

test('when the leader’s tab has ended without a word another leads at once, and no election timeout goes by', async () => {
  await using cluster = new Cluster();
  const tabs = await tabsOf(cluster, 3);
  const old = cluster.leader();
  await old.node.propose({ type: 'add', amount: 1 });
  tabs.get(old)?.();
  const next = await cluster.newLeader(old.node.id);
  expect(await next.node.propose({ type: 'add', amount: 1 })).toBe(2);
  expect(next.node.status.peers.find(({ id }) => id !== old.node.id)?.linkKind).toBe('broadcast');
});

test('a follower’s tab that has ended is not waited for: it votes no more at once', async () => {
  await using cluster = new Cluster();
  const tabs = await tabsOf(cluster, 4);
  const [gone] = cluster.followers();
  if (gone === undefined) throw new Error('no follower');
  const leader = cluster.leader().node;
  const reasons: string[] = [];
  leader.on('autopilot', ({ reason }) => reasons.push(reason));
  tabs.get(gone)?.();
  await leader.until(() => !leader.config.voters.includes(gone.node.id));
  expect(leader.config.voters).toHaveLength(3);
  expect(reasons.join()).toContain('said goodbye');
  expect(leader.status.failureTolerance).toBe(1);
});

test('a link that is there at once, before signaling, hears of the cluster that the node belongs to', async () => {
  await using cluster = new Cluster();
  const { node, disk } = await cluster.open({ access: undefined });
  await node.ready;
  const { clusterId } = node;
  await node.stop();
  const said: PeerMessage[] = [];
  const inner = cluster.hub.transport();
  const transport: Transport = {
    kind: 'at once',
    start: async (_self, handlers) => handlers.onLink('neighbour', 'open'),
    send: (_peer, bytes) => said.push(decodePeerMessage(bytes, { self: 'neighbour', peer: node.id })) > 0,
    queuedBytes: () => 0,
    links: () => [],
    disconnect: () => undefined,
    stop: () => inner.stop(),
  };
  await cluster.open({ disk, transport, access: undefined });
  expect(said[0]).toMatchObject({ kind: 'hello', clusterId });
});

test('the status of a node with many peers looks at its links once', async () => {
  await using cluster = new Cluster();
  let looks = 0;
  const inner = cluster.hub.transport();
  const links = inner.links.bind(inner);
  inner.links = () => {
    looks++;
    return links();
  };
  const { node } = await cluster.open({ transport: inner, access: undefined });
  for (let i = 0; i < 3; i++) await cluster.open({ access: undefined });
  await node.until(({ peers }) => peers.filter(({ link }) => link === 'open').length === 3);
  looks = 0;
  expect(node.status.peers).toHaveLength(3);
  expect(looks).toBe(1);
});
