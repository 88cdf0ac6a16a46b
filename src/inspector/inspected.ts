/** What the inspector needs of a node, and of those who put it on a page. */
import type { BaseNode, NodeId } from '../index.ts';
import type { Operation } from '../testing/history/history.ts';
import type { Model } from '../testing/history/models.ts';

/** Every node of this library is one, whatever its state machine. */
export type Inspected = Pick<
  BaseNode<never>,
  'id' | 'room' | 'status' | 'config' | 'on' | 'trace' | 'admin' | 'record' | 'forecast'
>;

/** How members look: an application may have names and colours of its own. */
export interface Look {
  nameOf(id: NodeId, told: string): string;
  /** The hue of `oklch()`: 0 to 360. */
  hueOf(id: NodeId, name: string): number;
}

export const PLAIN_LOOK: Look = {
  nameOf: (id, told) => told || id.slice(0, 6),
  hueOf: (id) => hash(id) % 360,
};

function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return value;
}

/** Neighbouring terms get hues far apart: the golden angle. */
export function termHue(term: number): number {
  return (term * 137.5 + 20) % 360;
}

/** What one panel of the inspector is to the element. */
export interface Panel {
  readonly element: Element;
  /** Called when something has changed, at most ten times a second, and only while the panel can be seen. */
  update(facts: Facts): void;
}

/** A member as this node knows it; this node itself included. */
export interface MemberFact {
  readonly id: NodeId;
  readonly name: string;
  readonly hue: number;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  /** leader, follower, candidate …, or `unknown` when it never said. */
  readonly role: string;
  readonly suffrage: string;
  readonly term: number | undefined;
  readonly last: number | undefined;
  readonly commit: number | undefined;
  readonly applied: number | undefined;
  /** On its own disk, as far as known here: this node's own, or what it acknowledged to this leader. */
  readonly durable: number | undefined;
  /** `away`: no link, or nothing heard for longer than an election timeout. */
  readonly reach: 'self' | 'linked' | 'connecting' | 'away';
  readonly linkKind: string;
  readonly rttMs: number | undefined;
  readonly loss: number | undefined;
  readonly silentMs: number | undefined;
  /** What slows it down: a hidden page, for one. */
  readonly slowedBy: readonly string[];
  readonly follows: NodeId | undefined;
  /** Members with the same text share a device; '' where that is not known. */
  readonly device: string;
  /** How far its silence (for this node: its election timer) has come, 0 to 1. */
  readonly clock: number;
}

/** Everything the panels show, gathered at one moment. */
export interface Facts {
  readonly node: Inspected;
  readonly room: string;
  readonly term: number;
  readonly self: MemberFact;
  readonly leader: MemberFact | undefined;
  /** In an order that is the same on every member: by device, then by id. */
  readonly members: readonly MemberFact[];
  readonly voters: number;
  /** Names in the place of ids, for texts that come from the node. */
  readonly named: (text: string) => string;
}

/** What a page did and saw, for the checker. */
export interface HistorySource {
  /** In a few words, for the panel: what was done. */
  readonly what: string;
  operations(): readonly Operation[];
  /** Default: the models of tabraft/testing, by the first word of the key. */
  readonly modelOf?: (key: string) => Model<unknown>;
}

/** What it means to cut a link, to those who put the inspector on a page; without it links are only looked at. */
export interface Knife {
  isCut(a: NodeId, b: NodeId): boolean;
  /** Cuts the link between two members, or mends it when it is cut. */
  use(a: NodeId, b: NodeId): void;
}
