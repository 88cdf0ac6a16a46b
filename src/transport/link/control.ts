/**
 * Frames that carry no pieces of messages but concern the link itself: one byte that no piece begins with, and for most a number.
 *
 *   frame = type: 1 byte [, value: 6 bytes, big-endian]
 */

export const Control = {
  /** No more will come. */
  farewell: 0xff,
  /** All has arrived. */
  farewellHeard: 0xfe,
  /** So many bytes of frames with pieces have arrived since the link opened. */
  acknowledge: 0xfd,
  /** Answer with an echo of the same number, at once. */
  probe: 0xfc,
  echo: 0xfb,
} as const;
export type Control = (typeof Control)[keyof typeof Control];

const VALUE_BYTES = 6;

export function controlFrame(type: Control, value?: number): Uint8Array {
  if (value === undefined) return Uint8Array.of(type);
  const frame = new Uint8Array(1 + VALUE_BYTES);
  frame[0] = type;
  const view = new DataView(frame.buffer);
  view.setUint16(1, Math.floor(value / 2 ** 32));
  view.setUint32(3, value % 2 ** 32);
  return frame;
}

/** undefined for a frame of pieces, and for anything that is not exactly a control frame: the reader of pieces refuses that. */
export function parseControl(frame: Uint8Array): { readonly type: Control; readonly value: number } | undefined {
  const type = Object.values(Control).find((one) => one === frame[0]);
  if (type === undefined) return undefined;
  const hasValue = type !== Control.farewell && type !== Control.farewellHeard;
  if (frame.length !== (hasValue ? 1 + VALUE_BYTES : 1)) return undefined;
  if (!hasValue) return { type, value: 0 };
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  return { type, value: view.getUint16(1) * 2 ** 32 + view.getUint32(3) };
}
