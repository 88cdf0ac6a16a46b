/** The state machine of an application, as a module: its default export, or the one named `machine`. */
import { pathToFileURL } from 'node:url';
import { RaftError } from '../../core/errors.ts';
import { keeper } from '../../state/keeper.ts';
import type { ByteMachine } from '../../state/state-machine.ts';
import type { Handlers, Queries, StateMachine } from '../../state/types.ts';

export type AnyMachine = ByteMachine | StateMachine<unknown, Handlers<unknown>, Queries<unknown>>;

/** undefined is no module: a keeper. Errors: invalid-argument. */
export async function loadMachine(path: string | undefined): Promise<AnyMachine> {
  if (path === undefined) return keeper;
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RaftError('invalid-argument', `The state machine ${path} cannot be loaded: ${why}`, { cause });
  }
  const machine = module['default'] ?? module['machine'];
  if (isMachine(machine)) return machine;
  throw new RaftError(
    'invalid-argument',
    `${path} exports no state machine: by default, or as "machine", there must be what defineStateMachine gives, or an object with apply, snapshot and restore.`,
  );
}

function isMachine(value: unknown): value is AnyMachine {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string, type: string): boolean => typeof (value as Readonly<Record<string, unknown>>)[name] === type;
  if (has('apply', 'function')) return has('snapshot', 'function') && has('restore', 'function');
  return has('initial', 'function') && has('commands', 'object');
}
