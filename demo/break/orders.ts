/** What one tab may ask of another: the words of the demo's own channel, and how they are read. */
import type { NodeId } from '../../src/index.ts';

/** How long a tab that "crashed" stays away, and one that froze stands still, in ms: longer than any election takes. */
export const AWAY_MS = 5_000;
export const FREEZE_MS = 4_000;
/** How late messages are on a slow network, in ms. */
export const LATE_MS = 200;
/** How much longer a write takes on a slow disk, in ms. */
export const DISK_MS = 150;
/** How far ahead a wrong clock is, in ms: longer than the lock's lease, and far shorter than a session lives. */
export const AHEAD_MS = 60_000;

export type Fault =
  | { readonly kind: 'close' | 'crash' | 'freeze' | 'wipe' | 'delay' | 'disk' | 'clock' | 'rogue' | 'heal' }
  /** Takes a cut of the links to these back, and no other fault. */
  | { readonly kind: 'mend'; readonly peers: readonly NodeId[] }
  /** From these; from everybody when there is no list. */
  | { readonly kind: 'cut'; readonly peers?: readonly NodeId[] };
export type FaultKind = Fault['kind'];

export const FAULT_KINDS = [
  'close',
  'crash',
  'freeze',
  'cut',
  'mend',
  'delay',
  'disk',
  'clock',
  'rogue',
  'wipe',
  'heal',
] as const satisfies readonly FaultKind[];

/** `here`: this tab can be asked, how it is, and from whom it is cut off. `order`: do this to yourself. `who`: say that you are here. `load`: write for so long. */
export type ChannelMessage =
  | { readonly type: 'who'; readonly from: NodeId }
  | { readonly type: 'here'; readonly from: NodeId; readonly faults: string; readonly cuts: readonly NodeId[] }
  | { readonly type: 'gone'; readonly from: NodeId }
  | { readonly type: 'order'; readonly from: NodeId; readonly to: NodeId; readonly fault: Fault }
  | { readonly type: 'load'; readonly from: NodeId; readonly ms: number };

/** Members named in one order. */
const PEERS_MAX = 256;
/** The longest load one tab may ask of others, in ms. */
export const LOAD_MS_MAX = 60_000;
const TEXT_MAX = 64;
/** All faults of a member at once, in words. */
const FAULTS_TEXT_MAX = 200;

/** Other pages of this origin write here too, also of another version: what is not understood is undefined. */
export function readMessage(data: unknown): ChannelMessage | undefined {
  if (!isFields(data) || !isText(data['from'])) return undefined;
  const { type, from, to, faults, cuts = [], fault, ms } = data;
  if (type === 'who' || type === 'gone') return { type, from };
  if (type === 'here' && (faults === '' || isText(faults, FAULTS_TEXT_MAX)) && isPeers(cuts)) return { type, from, faults, cuts };
  if (type === 'load' && typeof ms === 'number' && ms > 0 && ms <= LOAD_MS_MAX) return { type, from, ms };
  const read = type === 'order' && isText(to) ? readFault(fault) : undefined;
  return read === undefined || !isText(to) ? undefined : { type: 'order', from, to, fault: read };
}

function readFault(value: unknown): Fault | undefined {
  if (!isFields(value)) return undefined;
  const kind = FAULT_KINDS.find((known) => known === value['kind']);
  if (kind !== 'cut' && kind !== 'mend') return kind === undefined ? undefined : { kind };
  const peers = value['peers'];
  if (peers === undefined) return kind === 'cut' ? { kind } : undefined;
  return isPeers(peers) ? { kind, peers } : undefined;
}

function isPeers(value: unknown): value is readonly NodeId[] {
  return Array.isArray(value) && value.length <= PEERS_MAX && value.every((one) => isText(one));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown, max = TEXT_MAX): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max;
}
