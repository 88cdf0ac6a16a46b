/** Events as they go over a line: a coded error is no plain data. */
import { RaftError } from '../../core/errors.ts';
import type { RaftEvents } from '../api/api.ts';
import { EVENT_NAMES } from '../api/names.ts';
import { errorData, errorFrom } from '../ports/error-data.ts';
import type { ErrorData } from '../ports/seam.ts';

/** What happens where the application is; all else consensus tells. */
type NearEvent = 'commit' | 'apply' | 'diverged' | 'write' | 'rollback';

const NEAR: Readonly<Record<NearEvent, true>> = { commit: true, apply: true, diverged: true, write: true, rollback: true };

export type FarEvent = Exclude<keyof RaftEvents, NearEvent>;

export const FAR_EVENTS: readonly FarEvent[] = (Object.keys(EVENT_NAMES) as (keyof RaftEvents)[]).filter(
  (name): name is FarEvent => !Object.hasOwn(NEAR, name),
);

export interface EventData {
  /** All of it but its error. */
  readonly rest: object;
  readonly error: ErrorData | undefined;
}

export function eventData(event: object): EventData {
  const { error, ...rest } = event as { readonly error?: unknown };
  return { rest, error: RaftError.is(error) ? errorData(error) : undefined };
}

export function eventFrom<K extends FarEvent>({ rest, error }: EventData): RaftEvents[K] {
  return (error === undefined ? rest : { ...rest, error: errorFrom(error) }) as RaftEvents[K];
}
