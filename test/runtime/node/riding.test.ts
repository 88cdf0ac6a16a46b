/** What is told on the way of something else, and not by a message of its own. */
import { expect, test } from 'vitest';
import { Cluster } from '../cluster.ts';
import { SIDES_APART } from '../crossing/apart.ts';

/** So many writes in each of the clients, one after the other. */
const WRITES = 60;

// Over a line the next writes come a message later: too late to go along.
test.skipIf(SIDES_APART).each([1, 5])(
  'the commit index goes along with the next writes of those whom it answers: %i clients',
  async (clients) => {
    await using cluster = new Cluster();
    await cluster.of(3, { tune: { electionTimeoutMs: [2_000, 4_000], heartbeatMs: 500, digestEveryEntries: 0 } });
    const { node } = cluster.leader();
    await node.barrier();
    let alone = 0;
    let withEntries = 0;
    const tracing = node.trace(({ direction, kind, text }) => {
      if (direction !== 'sent' || !kind.startsWith('append-request')) return;
      if (text.includes('[')) withEntries += 1;
      else alone += 1;
    });
    const client = async (): Promise<void> => {
      for (let i = 0; i < WRITES; i += 1) await node.propose({ type: 'add', amount: 1 });
    };
    await Promise.all(Array.from({ length: clients }, client));
    // The last one is told by a message of its own: nothing follows it.
    const last = cluster.followers()[0];
    await last?.node.waitFor(node.status.commitIndex);
    tracing();
    expect(withEntries).toBeGreaterThan(2 * WRITES - 10);
    expect(alone).toBeGreaterThan(0);
    expect(alone).toBeLessThan(WRITES / 3);
  },
);
