/** What one tab may ask of another: the words of the demo's own channel, and how they are read. */
import type { NodeId } from '../../src/index.ts';

/** How long a tab that "crashed" stays away, and one that froze stands still, in ms: longer than any election takes. */
export const AWAY_MS = 5_000;
export const FREEZE_MS = 4_000;
/** How late messages are on a slow network, in ms. */
export const LATE_MS = 200;

export type Fault =
  | { readonly kind: 'close' | 'crash' | 'freeze' | 'wipe' | 'delay' | 'heal' }
  /** From these; from everybody when there is no list. */
  | { readonly kind: 'cut'; readonly peers?: readonly NodeId[] };
export type FaultKind = Fault['kind'];

export const FAULT_KINDS = ['close', 'crash', 'freeze', 'cut', 'delay', 'wipe', 'heal'] as const satisfies readonly FaultKind[];

/** `here`: this tab can be asked, and how it is. `order`: do this to yourself. `who`: say that you are here. `load`: write for so long. */
export type ChannelMessage =
  | { readonly type: 'who'; readonly from: NodeId }
  | { readonly type: 'here'; readonly from: NodeId; readonly faults: string }
  | { readonly type: 'gone'; readonly from: NodeId }
  | { readonly type: 'order'; readonly from: NodeId; readonly to: NodeId; readonly fault: Fault }
  | { readonly type: 'load'; readonly from: NodeId; readonly ms: number };

/** Members named in one order. */
const PEERS_MAX = 256;
/** The longest load one tab may ask of others, in ms. */
export const LOAD_MS_MAX = 60_000;
const TEXT_MAX = 64;

/** Other pages of this origin write here too, also of another version: what is not understood is undefined. */
export function readMessage(data: unknown): ChannelMessage | undefined {
  if (!isFields(data) || !isText(data['from'])) return undefined;
  const { type, from, to, faults, fault, ms } = data;
  if (type === 'who' || type === 'gone') return { type, from };
  if (type === 'here' && (faults === '' || isText(faults))) return { type, from, faults };
  if (type === 'load' && typeof ms === 'number' && ms > 0 && ms <= LOAD_MS_MAX) return { type, from, ms };
  const read = type === 'order' && isText(to) ? readFault(fault) : undefined;
  return read === undefined || !isText(to) ? undefined : { type: 'order', from, to, fault: read };
}

function readFault(value: unknown): Fault | undefined {
  if (!isFields(value)) return undefined;
  const kind = FAULT_KINDS.find((known) => known === value['kind']);
  if (kind !== 'cut') return kind === undefined ? undefined : { kind };
  const peers = value['peers'];
  if (peers === undefined) return { kind };
  if (!Array.isArray(peers) || peers.length > PEERS_MAX || !peers.every(isText)) return undefined;
  return { kind, peers };
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= TEXT_MAX;
}
