/** What a strike needs of the cluster that it hits. */
import type { WantedSuffrage } from '../../runtime/api/api.ts';
import type { Evidence } from './evidence.ts';
import type { Ghost } from './ghost.ts';
import type { VirtualNetwork } from './network.ts';
import type { Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimNode } from './sim-node.ts';

export interface StruckCluster {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly evidence: Evidence;
  readonly ghost: Ghost;
  readonly network: VirtualNetwork;
  readonly leader: SimNode | undefined;
  readonly nodes: readonly SimNode[];
  addNode(suffrage: WantedSuffrage): SimNode;
  later(delayMs: number, run: () => void): void;
}
