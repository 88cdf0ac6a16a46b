/** What the page must say aloud, worst first. Pure: the banner shows what this returns. */
import type { Page } from './page.ts';
import { codeOf, sentenceOf } from './sentences.ts';

export interface Notice {
  readonly key: string;
  readonly level: 'error' | 'warn' | 'info';
  readonly title: string;
  readonly text: string;
  /** The error's code, for those who want to look it up. */
  readonly code: string | undefined;
  readonly action: 'reload' | 'fresh-room' | 'heal' | undefined;
}

/** Another room helps where the room itself is the matter; a reload helps the rest. */
const FRESH_ROOM_CODES: ReadonlySet<string | undefined> = new Set([
  'room-invalid',
  'room-full',
  'cluster-mismatch',
  'epoch-mismatch',
]);

export function noticesOf(page: Page): readonly Notice[] {
  if (page.away !== undefined)
    return [
      { key: 'away', level: 'warn', title: 'On purpose', text: `This tab is ${page.away}.`, code: undefined, action: 'reload' },
    ];
  if (page.failure !== undefined) {
    const code = codeOf(page.failure);
    const action = FRESH_ROOM_CODES.has(code) ? 'fresh-room' : 'reload';
    return [{ key: 'failure', level: 'error', ...sentenceOf(page.failure), code, action }];
  }
  return [...broken(page), ...cluster(page), ...signaling(page), ...fault(page)];
}

/** Faults that somebody put in must not look like faults of the library. */
function broken({ saboteur, node }: Page): readonly Notice[] {
  const words = node === undefined ? undefined : saboteur?.reach(node.id).faults;
  if (words === undefined || words === '') return [];
  return [{ key: 'broken', level: 'info', title: 'On purpose', text: `This tab is ${words}.`, code: undefined, action: 'heal' }];
}

function cluster({ status, config, noMajority, outlook }: Page): readonly Notice[] {
  if (!status || !config) return [];
  if (status.role === 'stopped' || status.role === 'removed') {
    return [{ key: 'ended', level: 'error', ...ENDED[status.role], code: status.role, action: 'reload' }];
  }
  if (!noMajority) return [];
  return [{ key: 'quorum', level: 'error', title: 'No majority', text: outlook, code: undefined, action: undefined }];
}

const ENDED = {
  stopped: { title: 'This tab has stopped', text: 'It takes no part any more. Reload to come back.' },
  removed: { title: 'This tab was removed from the room', text: 'Reload to join again as a new member.' },
};

function signaling({ status, signalingError }: Page): readonly Notice[] {
  if (!status || signalingError === undefined) return [];
  const linked = status.peers.some((peer) => peer.link === 'open') || status.quorumAlive;
  const { title, text } = sentenceOf(signalingError);
  return [
    {
      key: 'signaling',
      level: linked ? 'warn' : 'error',
      title,
      text: linked ? 'Tabs that are linked go on without it. New tabs cannot join until it is back.' : text,
      code: codeOf(signalingError),
      action: undefined,
    },
  ];
}

function fault({ fault: error }: Page): readonly Notice[] {
  const code = codeOf(error);
  // Links and signaling say themselves how they are; a fault of storage, or of the page, stays until the next one.
  const told =
    error !== undefined && (code === undefined || code === 'quota' || code === 'corrupt' || code.startsWith('storage'));
  return told ? [{ key: 'fault', level: 'warn', ...sentenceOf(error), code, action: undefined }] : [];
}
