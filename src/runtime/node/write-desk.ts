/** Where the writes of a node's callers are taken: looked at, encoded, submitted, and answered with values. */
import { RaftError } from '../../core/errors.ts';
import type { Machine, Outcome } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import type { ProposeOptions } from '../api/api.ts';
import type { AppliedWrite } from '../client/pending-write.ts';
import { checkProposeOptions, encodeCommandValue, refuseInHandler, requireCommand, tellWrite, withId } from './call-checks.ts';
import type { NodeParts } from './node-parts.ts';

export class WriteDesk {
  readonly #parts: NodeParts;
  readonly #machine: Machine;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#machine = parts.application.state.machine;
  }

  /** Checks a command before anything is promised. Errors: unknown-command, invalid-argument, too-large. */
  encode(command: unknown): Uint8Array {
    const machine = this.#machine;
    if (machine instanceof TypedMachine) requireCommand(machine, command);
    const bytes = encodeCommandValue(command, machine);
    const max = this.#parts.tuning.commandBytesMax;
    if (bytes.length > max)
      throw new RaftError('too-large', `A command takes at most ${max} bytes, this one takes ${bytes.length}.`);
    return bytes;
  }

  /** Errors thrown: those of what the caller gave; all others come through `reject`. */
  submit(
    command: Uint8Array,
    options: ProposeOptions,
    key: string,
    resolve: (result: unknown, applied: AppliedWrite) => void,
    reject: (error: unknown) => void,
  ): void {
    checkProposeOptions(options, key);
    const parts = this.#parts;
    parts.view.assertRunning();
    refuseInHandler();
    const { signal, expiresMs, forward = true, expectedTerm = 0, ifVersion } = options;
    const { clock, tuning } = parts;
    let onAbort: (() => void) | undefined;
    const calledMs = clock.monotonicMs();
    const write = parts.application.writes.submit({
      command,
      key,
      forward,
      expectedTerm,
      ifVersion,
      notAfter: expiresMs === undefined ? 0 : Math.ceil(clock.wallMs() + expiresMs),
      deadlineMs: clock.monotonicMs() + (options.timeoutMs ?? tuning.callTimeoutMs),
      done: (result) => {
        if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
        if (parts.emitter.has('write')) parts.emitter.emit('write', tellWrite(result, clock.monotonicMs() - calledMs));
        if (result.kind === 'failed') return reject(withId(result.error, key));
        try {
          resolve(this.answer(result.outcome, result.index), result);
        } catch (error) {
          reject(error);
        }
      },
    });
    if (signal === undefined || write === undefined) return;
    onAbort = (): void => parts.application.writes.giveUp(write, 'aborted', 'The call was aborted.');
    signal.addEventListener('abort', onAbort, { once: true });
  }

  answer(outcome: Outcome, index: number): unknown {
    try {
      return this.#machine.answer(outcome);
    } catch (error) {
      throw RaftError.is(error)
        ? new RaftError(error.code, error.message, { index, mayHaveApplied: error.mayHaveApplied })
        : error;
    }
  }
}
