/** Text that several people write at once: Yjs merges what they type, the log of the cluster keeps it. Needs the package `yjs`. */

export { type SharedDoc, type ShareOptions, shareDoc } from './share-doc.ts';
export { sharedText, type TextState } from './text-machine.ts';
