/** What callers of a node give, looked at before anything is promised: a wrong word is a coded sentence, never a default in silence. */
import { packCommand } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import { isHandlerAtWork } from '../../state/draft.ts';
import { KeeperMachine } from '../../state/keeper.ts';
import type { Machine } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import type { ProposeOptions, ReadConsistency } from '../api/api.ts';
import { checkCallOptions } from '../api/call-options.ts';
import { CONSISTENCIES, PROPOSE_OPTION_NAMES } from '../api/names.ts';
import type { WriteEvent } from '../api/write-event.ts';
import type { WriteResult } from '../client/pending-write.ts';
import { requireInteger } from '../ports/require-integer.ts';
import { requireOneOf, shown, unknownName } from '../ports/require-known.ts';

/** Longest idempotency key, in characters. */
export const KEY_CHARACTERS_MAX = 64;

/** Errors: invalid-argument for what cannot be encoded (a function, a symbol, a class instance with methods only). */
export function encodeCommandValue(command: unknown, machine: Machine): Uint8Array {
  if (machine instanceof KeeperMachine)
    throw new RaftError('unknown-command', 'A keeper has no state machine: it takes no commands.');
  if (!(machine instanceof TypedMachine)) {
    if (command instanceof Uint8Array) return command.slice();
    throw new RaftError('invalid-argument', 'This state machine takes commands as bytes.');
  }
  try {
    return packCommand(command);
  } catch (error) {
    throw RaftError.is(error)
      ? error
      : new RaftError('invalid-argument', `The command cannot be encoded: ${String(error)}`, { cause: error });
  }
}

export function typeOf(command: unknown): string {
  return String((command as { readonly type: string }).type);
}

export function checkProposeOptions(options: ProposeOptions, key: string): void {
  checkCallOptions(options, PROPOSE_OPTION_NAMES);
  if (options.id !== undefined && typeof options.id !== 'string')
    throw new RaftError('invalid-argument', `id must be a text, got ${shown(options.id)}.`);
  if (key.length > KEY_CHARACTERS_MAX + 5)
    throw new RaftError('invalid-argument', `id takes at most ${KEY_CHARACTERS_MAX} characters, got ${key.length}.`);
  if (options.expectedTerm !== undefined) requireInteger('expectedTerm', options.expectedTerm, 1, Number.MAX_SAFE_INTEGER);
  if (options.ifVersion !== undefined) requireInteger('ifVersion', options.ifVersion, 0, Number.MAX_SAFE_INTEGER);
  if (options.expiresMs !== undefined) requireInteger('expiresMs', options.expiresMs, 1, 365 * 24 * 60 * 60 * 1000);
}

interface Named {
  hasCommand(type: string): boolean;
  commandNames(): readonly string[];
}

/** Errors: invalid-argument for what is no command at all, unknown-command. */
export function requireCommand(machine: Named, command: unknown): void {
  const type: unknown = typeof command === 'object' && command !== null ? Reflect.get(command, 'type') : undefined;
  if (typeof type !== 'string')
    throw new RaftError(
      'invalid-argument',
      `A command is an object with its name as 'type', like { type: 'add', amount: 1 }; got ${shown(command)}.`,
    );
  if (!machine.hasCommand(type)) {
    const { message } = unknownName('command', type, machine.commandNames());
    throw new RaftError('unknown-command', message);
  }
}

/** A handler runs on every member: what it proposes would be proposed by all. Errors: invalid-argument. */
export function refuseInHandler(): void {
  if (isHandlerAtWork())
    throw new RaftError('invalid-argument', 'A handler must not propose: it runs on every member, once for each.');
}

/** Errors: invalid-argument. */
export function checkConsistency(consistency: ReadConsistency | undefined): void {
  if (consistency === undefined) return;
  if (typeof consistency !== 'object' || consistency === null) return requireOneOf('consistency', consistency, CONSISTENCIES);
  if ('atLeast' in consistency) return requireInteger('consistency.atLeast', consistency.atLeast, 0, Number.MAX_SAFE_INTEGER);
  const { maxStaleMs }: { maxStaleMs?: unknown } = consistency;
  if (typeof maxStaleMs !== 'number' || !(maxStaleMs >= 0))
    throw new RaftError('invalid-argument', `consistency.maxStaleMs must be a number of ms, got ${shown(maxStaleMs)}.`);
}

/** The error as the caller of a write hears it: with the key under which it can be tried again. */
export function withId(error: RaftError, id: string): RaftError {
  if (id === '') return error;
  const { code, message, cause, leaderHint, retryAfterMs, index, mayHaveApplied } = error;
  return new RaftError(code, message, { cause, leaderHint, retryAfterMs, index, mayHaveApplied, id });
}

/** What listeners hear of a write that has ended. */
export function tellWrite(result: WriteResult, ms: number): WriteEvent {
  if (result.kind === 'failed') return { ms, code: result.error.code, index: result.error.index };
  const { outcome, index } = result;
  return { ms, code: outcome.kind === 'error' ? outcome.code : undefined, index };
}
