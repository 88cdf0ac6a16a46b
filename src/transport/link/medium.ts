/** PORT: something that carries frames between nodes by name: a BroadcastChannel, a relay. In order, and not twice. */
import type { RaftError } from '../../core/errors.ts';
import type { NodeId } from '../../core/types.ts';
import type { Discovery, LinkSecurity } from '../transport.ts';

export interface MediumEvents {
  /** Who can be reached over it now, on every change: a hint. */
  onPeers(peers: readonly NodeId[]): void;
  onFrame(from: NodeId, frame: Uint8Array): void;
  /** Frames to or from this peer are lost, or it is gone: its link ends. undefined: this goes for all peers. */
  onGone(peer: NodeId | undefined, why: string): void;
  /** Its page, or process, has ended, whatever it said: the link ends with `onGone` right after. */
  onEnded(peer: NodeId): void;
  /** What was buffered has drained. */
  onDrain(): void;
  onFault(error: RaftError): void;
}

export interface Medium {
  readonly kind: string;
  readonly protection: LinkSecurity['protection'];
  /** Errors: those of the environment, as RaftError. */
  open(self: NodeId, events: MediumEvents, discovery: Discovery): Promise<void>;
  /** False when it is lost. The frame is copied, or sent, before this returns. */
  send(to: NodeId, frame: Uint8Array): boolean;
  bufferedBytes(): number;
  /** Time went by unseen: looks again who is there. Left out where nothing is missed. */
  lookAgain?(): void;
  /** Resolves when what was sent has been handed over. */
  close(): Promise<void>;
}
