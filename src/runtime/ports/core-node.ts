/** The core as the driver sees it: RawNode itself, or something around it that takes the same calls. */
import type { RawNode } from '../../core/raw-node.ts';

export type CoreNode = Pick<RawNode, keyof RawNode>;
