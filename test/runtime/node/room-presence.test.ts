/** What the signaling server says of a node, against what the others know of it (findings S1, S2). */
import { expect, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import type { Signaling, SignalingHandlers } from '../../../src/signaling/signaling.ts';
import { Cluster } from '../cluster.ts';

/** The cluster's own signaling, and what the test makes the server say. */
function tapped(cluster: Cluster): { readonly signaling: Signaling; say(code: 'identity-in-use' | 'cluster-mismatch'): void } {
  const inner = cluster.signaling.signaling();
  let handlers: SignalingHandlers | undefined;
  const signaling: Signaling = {
    enter: (entry, given) => {
      handlers = given;
      return inner.enter(entry, given);
    },
    signal: (to, data) => inner.signal(to, data),
    founded: (clusterId) => inner.founded(clusterId),
    close: () => inner.close(),
  };
  return { signaling, say: (code) => handlers?.onState('closed', new RaftError(code, 'The server says so.')) };
}

for (const code of ['identity-in-use', 'cluster-mismatch'] as const) {
  test(`${code}: a node with a live quorum does not end on the server's word`, async () => {
    await using cluster = new Cluster();
    const server = tapped(cluster);
    const first = await cluster.open({ signaling: server.signaling });
    await cluster.open();
    await cluster.open();
    await cluster.voters(3);
    const told = new Promise<unknown>((resolve) => first.node.on('signaling', resolve));
    server.say(code);
    expect(await told).toMatchObject({ state: 'closed', error: { code } });
    expect(await first.node.propose({ type: 'add', amount: 1 })).toBe(1);
    expect(first.node.role).not.toBe('stopped');
  });

  test(`${code}: a node that nobody else bears witness for ends`, async () => {
    await using cluster = new Cluster();
    const server = tapped(cluster);
    const first = await cluster.open({ signaling: server.signaling });
    await first.node.ready;
    const fatal = new Promise<unknown>((resolve) => first.node.on('fatal', resolve));
    server.say(code);
    expect(await fatal).toMatchObject({ error: { code } });
  });
}

test('a node that a member has taken in says so in its room: it wants no grant any more', async () => {
  await using cluster = new Cluster();
  const first = await cluster.open();
  await first.node.ready;
  const inner = cluster.signaling.signaling();
  const joined: string[] = [];
  const signaling: Signaling = {
    enter: (entry, handlers) => inner.enter(entry, handlers),
    signal: (to, data) => inner.signal(to, data),
    founded: (clusterId) => inner.founded(clusterId),
    joined: (clusterId) => void joined.push(clusterId),
    close: () => inner.close(),
  };
  const second = await cluster.open({ signaling });
  await second.node.ready;
  expect(joined).toEqual([first.node.clusterId]);
});

test('C14: nobody is handed a node that ended while it opened', async () => {
  await using cluster = new Cluster();
  const inner = cluster.signaling.signaling();
  const refusing: Signaling = {
    enter: async (_entry, handlers) => handlers.onState('closed', new RaftError('identity-in-use', 'It is here already.')),
    signal: () => false,
    founded: () => {},
    close: () => inner.close(),
  };
  await expect(cluster.open({ signaling: refusing })).rejects.toMatchObject({ code: 'identity-in-use' });
});
