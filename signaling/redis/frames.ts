/** A relayed frame on its way from one process to another: length of the head in two bytes, the head as JSON, the frame. */
import type { ConnectionId } from '../../src/signaling/room.ts';

export interface RelayedFrame {
  readonly from: ConnectionId;
  readonly to: ConnectionId;
  /** Whose it was for: its sender is told when it is lost. */
  readonly node: string;
  /** As it goes over the receiver's socket. */
  readonly frame: Uint8Array;
}

export function encodeFrame({ from, to, node, frame }: RelayedFrame): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify([from, to, node]));
  const bytes = new Uint8Array(2 + head.length + frame.length);
  new DataView(bytes.buffer).setUint16(0, head.length);
  bytes.set(head, 2);
  bytes.set(frame, 2 + head.length);
  return bytes;
}

export function decodeFrame(bytes: Uint8Array): RelayedFrame {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0);
  const [from, to, node] = JSON.parse(new TextDecoder().decode(bytes.subarray(2, 2 + length))) as [string, string, string];
  return { from, to, node, frame: bytes.subarray(2 + length) };
}
