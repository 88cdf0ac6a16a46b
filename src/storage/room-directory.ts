/** The name of a room's directory, in the file system of a machine or of a browser. */
import { digestOf } from './digest.ts';

/** Longer names become their digest: file systems stop at 255 bytes. */
const DIRECTORY_NAME_LENGTH_MAX = 200;

/** Never a path, whatever the room is called. */
export function roomDirectory(room: string): string {
  const encoded = encodeURIComponent(room);
  return encoded.length <= DIRECTORY_NAME_LENGTH_MAX ? `r-${encoded}` : `d-${digestOf([new TextEncoder().encode(room)])}`;
}
