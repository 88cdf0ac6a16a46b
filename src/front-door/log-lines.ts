/** A node's life as lines of a log. PORT: whoever takes them writes them where it likes. */
import type { RaftError } from '../core/errors.ts';
import type { BaseNode, Registration } from '../runtime/api/api.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  /** What happened, as a word: the same for the same thing. */
  readonly event: string;
  readonly room: string;
  readonly node: string;
  /** What belongs to it: numbers, texts, lists of texts. */
  readonly [field: string]: unknown;
}

/** Its failure harms nobody, and is not reported: that would be one more line. */
export type Logger = (line: LogLine) => void;

type Listened = Pick<BaseNode<unknown>, 'id' | 'room' | 'on'>;

/** Tells the logger of everything that an operator may have to look up later, until it is ended. */
export function logNode(node: Listened, logger: Logger): Registration {
  const listening: Registration[] = [];
  const hear: Listened['on'] = (type, listener) => {
    const registration = node.on(type, listener);
    listening.push(registration);
    return registration;
  };
  const say = (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void => {
    try {
      logger({ level, event, room: node.room, node: node.id, ...fields });
    } catch {
      // Nobody is left to tell.
    }
  };
  hear('role', ({ from, to, term }) => say('info', 'role', { from, to, term }));
  hear('leader', ({ leaderId, term }) => say('info', 'leader', { leader: leaderId ?? null, term }));
  hear('config', ({ version, voters, learners }) => say('info', 'config', { version, voters, learners }));
  hear('snapshot', ({ kind, index, bytes }) => say('info', 'snapshot', { kind, index, bytes }));
  hear('autopilot', ({ kind, members, reason }) => say('info', 'autopilot', { kind, members, reason }));
  hear('quorum-lost', ({ alive, need }) => say('warn', 'quorum-lost', { alive, need }));
  hear('quorum-restored', ({ alive, need }) => say('info', 'quorum-restored', { alive, need }));
  hear('signaling', ({ state, error }) => say(error ? 'warn' : 'info', 'signaling', { state, ...told(error) }));
  hear('diverged', ({ index, exact }) => say('error', 'diverged', { index, exact }));
  hear('removed', () => say('warn', 'removed', {}));
  hear('fault', ({ error }) => say('warn', 'fault', told(error)));
  hear('fatal', ({ error }) => say('error', 'fatal', told(error)));
  const end = (): void => {
    for (const registration of listening.splice(0)) registration();
  };
  if (typeof Symbol.dispose === 'symbol') Object.defineProperty(end, Symbol.dispose, { value: end });
  return end as Registration;
}

function told(error: RaftError | undefined): Readonly<Record<string, unknown>> {
  return error === undefined ? {} : { code: error.code, message: error.message };
}
