/** What a node id may be: the one rule for the configuration, for messages and for storage. */
import { NODE_ID_CHARS_MAX } from '../limits.ts';
import type { NodeId } from '../types.ts';

/**
 * Stands for the vote of a term that has been used up (docs/CORE.md, "The last voter"): stored like a vote, and no node
 * can have this id.
 */
export const SPENT: NodeId = '\u0000spent';

/** The last control character of ASCII that comes before the space, and the one after the letters. */
const CONTROL_LAST = 0x1f;
const DELETE = 0x7f;

/** 1 to NODE_ID_CHARS_MAX characters, no control characters, no half of a surrogate pair: it survives UTF-8 unchanged. */
export function isNodeId(value: unknown): value is NodeId {
  if (typeof value !== 'string' || value.length === 0 || value.length > NODE_ID_CHARS_MAX) return false;
  for (const character of value) {
    const code = character.codePointAt(0) as number;
    if (code <= CONTROL_LAST || code === DELETE || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
}
