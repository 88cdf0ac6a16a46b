/**
 * Deleting a node's files so that a process that dies in the middle leaves no half of a store: a tombstone is written first, and
 * goes last. Whoever opens what is left finishes the work. A disk may bring removed files back, in any combination: they were
 * emptied before (OpenFiles.remove), and an empty tombstone condemns nobody.
 */
import { HEAD_NAMES } from './heads.ts';
import { journalName, journalNumbers } from './journal.ts';
import type { OpenFiles } from './open-files.ts';
import { writeWhole } from './sync-file.ts';

const TOMBSTONE = 'destroyed';

/** Every handle of the files is this one's, or closed. What fails leaves a tombstone, or a store that is whole. */
export async function emptyFiles(files: OpenFiles): Promise<void> {
  await inscribe(files);
  const names = (await files.folder.names()).filter((name) => name !== TOMBSTONE);
  for (const name of [...names, TOMBSTONE]) await files.remove(name);
}

async function inscribe(files: OpenFiles): Promise<void> {
  try {
    const file = await files.get(TOMBSTONE);
    writeWhole(file, new Uint8Array([1]), 0);
    file.flush();
  } catch {
    // A full disk: room is made all the same, only that a crash in the middle would be found.
  }
}

/** Finishes a deletion that was begun. Nothing is touched of a store that is in use, whole or damaged. */
export async function finishDeletion(files: OpenFiles): Promise<void> {
  const names = await files.folder.names();
  const condemned = names.includes(TOMBSTONE) && (await files.get(TOMBSTONE)).getSize() > 0;
  if (condemned || (await isEmptied(files, names))) await emptyFiles(files);
}

/** Files that were emptied are back: no store ever has two journal files and nothing in any. */
async function isEmptied(files: OpenFiles, names: readonly string[]): Promise<boolean> {
  const journals = journalNumbers(names).map(journalName);
  const heads = HEAD_NAMES.filter((name) => names.includes(name));
  if (heads.length === 0 && journals.length < 2 && !names.some((name) => name.startsWith('chunks-'))) return false;
  for (const name of [...heads, ...journals]) if ((await files.get(name)).getSize() > 0) return false;
  return true;
}
