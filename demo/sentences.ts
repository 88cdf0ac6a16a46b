/** Every error code as a plain sentence for somebody who only wants to know what to do. */
import { RaftError, type RaftErrorCode } from '../src/index.ts';

export interface Sentence {
  readonly title: string;
  readonly text: string;
}

const SENTENCES: Readonly<Partial<Record<RaftErrorCode, Sentence>>> = {
  'room-invalid': {
    title: 'This is not a room name',
    text: 'A room name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or a digit.',
  },
  'room-full': {
    title: 'The room is full',
    text: 'It has as many tabs as the server allows. Try again later, or open a fresh room.',
  },
  'signaling-unreachable': {
    title: 'The signaling server does not answer',
    text: 'This tab cannot find the others until it does. It keeps trying by itself.',
  },
  'signaling-refused': { title: 'The signaling server refused this tab', text: 'It does not accept connections from this page.' },
  'webrtc-unavailable': {
    title: 'This browser has no WebRTC',
    text: 'Tabs link to each other with WebRTC. It is missing or switched off here; allow it, or use another browser.',
  },
  'storage-unavailable': {
    title: 'This browser does not let the page keep data',
    text: 'A member must remember its votes and its log. Allow site data for this page, or leave the private window.',
  },
  'storage-newer': { title: 'This page is older than its data', text: 'A newer version wrote the data here. Reload to get it.' },
  'storage-blocked': {
    title: 'Another tab holds the data',
    text: 'A tab with an older version of this page is open. Close or reload it.',
  },
  'storage-closed': {
    title: 'The browser closed the database',
    text: 'Reload this tab to go on. What was acknowledged is on the other tabs.',
  },
  storage: {
    title: 'Saving failed',
    text: 'This tab stopped rather than promise what it could not save. The others go on. Reload to try again.',
  },
  quota: {
    title: 'The disk is full',
    text: 'The browser gives this page no more room. Nothing unsaved was acknowledged. Free some space.',
  },
  corrupt: { title: 'The data on this device is damaged', text: 'This tab does not use it. The other tabs have everything.' },
  'identity-in-use': {
    title: 'This identity is alive elsewhere',
    text: 'Another tab or a copied browser profile already uses it. Close the other one.',
  },
  'cluster-mismatch': {
    title: 'Another cluster has this room now',
    text: 'The data on this device belongs to an earlier one. Open a fresh room.',
  },
  'epoch-mismatch': {
    title: 'The cluster was recovered without this tab',
    text: 'Its data is of an older epoch. Open the room in a fresh tab.',
  },
  'version-mismatch': { title: 'This page is too old for the room', text: 'Another tab runs newer code. Reload this one.' },
  'protocol-mismatch': { title: 'This page is too old for the others', text: 'They speak a newer version. Reload this tab.' },
  removed: { title: 'This tab was removed from the room', text: 'Reload to join again as a new member.' },
  stopped: { title: 'This tab has stopped', text: 'It takes no part any more. Reload to come back.' },
  'no-leader': {
    title: 'Nobody leads right now',
    text: 'Nothing was changed. Try again in a moment, or open more of the tabs that vote.',
  },
  'leadership-lost': { title: 'The leader just changed', text: 'Nothing was changed. Try again.' },
  timeout: { title: 'No answer in time', text: 'It may still happen. Look again in a moment.' },
  'outcome-unknown': { title: 'Nobody knows whether that happened', text: 'Look again in a moment, then decide.' },
  busy: { title: 'Too much at once', text: 'Nothing was changed. Wait a moment and try again.' },
  'not-a-member': { title: 'This tab has not joined yet', text: 'It is still catching up. Try again in a moment.' },
  invariant: {
    title: 'Something impossible happened',
    text: 'This tab stopped itself so that nothing worse follows. The other tabs go on.',
  },
};

export function sentenceOf(error: unknown): Sentence {
  if (RaftError.is(error)) return SENTENCES[error.code] ?? { title: 'That did not work', text: error.message };
  return { title: 'Something went wrong', text: error instanceof Error ? error.message : String(error) };
}

export function codeOf(error: unknown): string | undefined {
  return RaftError.is(error) ? error.code : undefined;
}
