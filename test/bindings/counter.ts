/** A node for the tests of the bindings, and what they all do to it. */
import { vi } from 'vitest';
import { type BankNode, Cluster, type ClusterNodeOptions } from '../runtime/cluster.ts';

export interface Bench extends AsyncDisposable {
  readonly node: BankNode;
  readonly cluster: Cluster;
}

export async function bench(options: ClusterNodeOptions = {}): Promise<Bench> {
  const cluster = new Cluster();
  const { node } = await cluster.open(options);
  await node.ready;
  return { node, cluster, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

/** A node that can be opened and stopped by hand, for bindings that open one. */
export function fakeNodes() {
  const log: string[] = [];
  let count = 0;
  const open = vi.fn(async () => {
    count += 1;
    const name = `node ${count}`;
    log.push(`open ${name}`);
    return {
      name,
      stop: async (): Promise<void> => {
        log.push(`stop ${name}`);
      },
    };
  });
  return { log, open };
}
