/** Trouble that nobody listens for goes to the console: a page without a listener for 'fault' must not be left guessing. */
import type { RaftEvents } from '../runtime/api/api.ts';

const TROUBLE: ReadonlySet<keyof RaftEvents> = new Set<keyof RaftEvents>(['fault', 'fatal', 'signaling', 'rollback']);
/** The same sentence is said at most once in so many ms. */
const SAID_AGAIN_MS = 30_000;
/** Sentences remembered as said; the oldest are forgotten. */
const SAID_MAX = 64;

export function sayUnheard(room: string): <K extends keyof RaftEvents>(type: K, event: RaftEvents[K]) => void {
  const said = new Map<string, number>();
  return (type, event) => {
    if (!TROUBLE.has(type)) return;
    const error = 'error' in event ? event.error : undefined;
    if (error === undefined) return;
    const text = `tabraft, room ${room}: ${error.code}: ${error.message}`;
    const now = performance.now();
    if (now - (said.get(text) ?? Number.NEGATIVE_INFINITY) < SAID_AGAIN_MS) return;
    said.delete(text);
    said.set(text, now);
    const oldest = said.size > SAID_MAX ? said.keys().next().value : undefined;
    if (oldest !== undefined) said.delete(oldest);
    if (type === 'fatal') console.error(text, ...causeOf(error));
    else console.warn(text, ...causeOf(error));
  };
}

/** With it the console shows the line of the application that threw. */
function causeOf({ cause }: Error): readonly unknown[] {
  return cause instanceof Error ? [cause] : [];
}
