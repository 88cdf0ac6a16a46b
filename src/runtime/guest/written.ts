/** What a member says that a client's writes came to, as if this client had applied them itself. */
import { RaftError } from '../../core/errors.ts';
import { readEnvelope } from '../../state/envelope.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Outcome, OutcomeCode } from '../../state/state-machine.ts';
import type { ClientWritten, WrittenOutcome } from '../../wire/client-bodies.ts';

/** Errors: message-invalid for an answer that is none to what was asked. */
export function appliedOf(data: readonly Uint8Array[], written: readonly ClientWritten[]): Applied[] {
  if (written.length !== data.length) throw new RaftError('message-invalid', 'The member answered another number of writes.');
  return data.map((bytes, i) => {
    const envelope = readEnvelope(bytes);
    const one = written[i];
    if (envelope?.kind === 'register' && one?.kind === 'registered')
      return { kind: 'registered', clientId: envelope.clientId, nonce: envelope.nonce, session: one.session };
    if (envelope?.kind !== 'command' || one?.kind !== 'command')
      throw new RaftError('message-invalid', 'The member answered what was not asked.');
    const { session, sequence, command } = envelope;
    const { index, term, replayed } = one;
    return { kind: 'command', session, sequence, command, outcome: outcomeOf(one.outcome), index, term, replayed };
  });
}

function outcomeOf(outcome: WrittenOutcome): Outcome {
  return outcome.kind === 'error' ? { ...outcome, code: outcome.code as OutcomeCode } : outcome;
}
