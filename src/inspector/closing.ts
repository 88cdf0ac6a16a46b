/** "What happens if this tab closes?", from what its node says of the majority. */
import type { BaseNode, Forecast } from '../index.ts';

export interface Closing {
  readonly level: 'good' | 'warn' | 'bad';
  readonly text: string;
}

type Asked = Pick<BaseNode<unknown>, 'id' | 'config' | 'forecast'>;

export function ifClosed(node: Asked): Closing {
  return sentenceFor(node.id, node.config.voters, node.forecast());
}

/** A page that closes says goodbye and leaves its vote: of two the other goes on (docs/CORE.md, "The last voter"). */
function sentenceFor(id: string, voters: readonly string[], { quorumAlive, alive, need }: Forecast): Closing {
  const all = voters.length;
  if (all === 0) return { level: 'warn', text: 'This tab is not part of the cluster yet.' };
  if (!quorumAlive)
    return { level: 'bad', text: `Only ${alive} of ${all} voters can be reached and ${need} are needed: writes wait.` };
  if (!voters.includes(id)) return { level: 'good', text: 'If this tab closes, nothing changes: it does not vote.' };
  if (all === 1)
    return {
      level: 'warn',
      text: 'If this tab closes, the room sleeps on this device until a tab opens here again. Open two more.',
    };
  if (all === 2)
    return { level: 'warn', text: 'If this tab closes, the other goes on alone; if it crashes, the other may wait for it.' };
  const left = alive - 1;
  if (left < need)
    return { level: 'bad', text: `If this tab closes, ${left} of ${all} voters remain: too few, writes would wait.` };
  const spare = left - need;
  const more = spare === 0 ? 'no other may fail then' : `${spare} more may fail then`;
  return { level: 'good', text: `If this tab closes, ${left} of ${all} voters go on; ${more}.` };
}
