/** Lines of the log on the standard output: for people, or an object of JSON each. */
import type { Logger, LogLevel } from '../../front-door/log-lines.ts';

export type Write = (line: string) => void;

/** What the process itself has to say belongs to no room. */
export interface ProcessLine {
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ProcessLogger {
  readonly node: Logger;
  readonly process: (line: ProcessLine) => void;
}

export function lineLogger(format: 'text' | 'json', write: Write, now: () => Date = () => new Date()): ProcessLogger {
  const asJson = (line: ProcessLine): string => JSON.stringify({ time: now().toISOString(), ...line });
  const asText = ({ level, event, ...fields }: ProcessLine): string => {
    const rest = Object.entries(fields).map(
      ([name, value]) => `${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`,
    );
    return [now().toISOString(), level.padEnd(5), event, ...rest].join(' ');
  };
  const log = (line: ProcessLine): void => write(format === 'json' ? asJson(line) : asText(line));
  return { node: log, process: log };
}

/** A line stays one line, whatever a name holds. */
function quoted(value: string): string {
  return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
}
