/** A member as the page shows it. */
import type { NodeId, PeerStatus } from '../../src/index.ts';

/** A member as its card shows it; this tab's own too. */
export interface Member {
  readonly id: NodeId;
  readonly name: string;
  readonly hue: number;
  readonly self: boolean;
  readonly leader: boolean;
  readonly role: string;
  readonly suffrage: string;
  readonly term: number | undefined;
  readonly commit: number | undefined;
  readonly applied: number | undefined;
  readonly link: 'self' | PeerStatus['link'];
  readonly linkText: string;
}
