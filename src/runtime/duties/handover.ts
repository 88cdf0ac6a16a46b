/** When the leader leaves with a goodbye nobody has to wait for a timeout: one of the others campaigns at once (§3.10). */
import type { NodeId } from '../../core/types.ts';
import { NO_NODE } from '../../core/types.ts';
import type { Goodbye } from '../../wire/peer-message.ts';
import type { Engine } from '../node/runtime.ts';

/** The successor waits this long, in ms, so that the others have heard the goodbye too and do not refuse it (§4.2.3). */
const CAMPAIGN_AFTER_MS = 20;

/** The linked voter with the smallest id is the one to try; if it cannot, the others' timeouts still run. */
export function onGoodbye(engine: Engine, peer: NodeId, goodbye: Goodbye): void {
  const { member } = engine;
  engine.watch.onGoodbye(peer, goodbye.reason);
  if (member === undefined || member.soft.leader !== peer) return;
  member.core.forgetLeader();
  engine.wake();
  const heirs = member.conf.voters.filter((id) => id !== peer && (id === engine.id || engine.peers.isLinked(id))).sort();
  if (heirs[0] !== engine.id) return;
  engine.options.clock.after(CAMPAIGN_AFTER_MS, () => {
    if (engine.member !== member || member.replica.isStopped || member.soft.leader !== NO_NODE) return;
    member.core.campaign();
    engine.wake();
  });
}
