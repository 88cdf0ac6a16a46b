/** An entry of the log in words. */
import { describeConfChange } from '../../core/describe.ts';
import type { Entry } from '../../core/types.ts';
import { decodeEnvelope } from '../../state/envelope.ts';
import type { Machine } from '../../state/state-machine.ts';
import { TypedMachine } from '../../state/typed-machine.ts';
import type { EntryInfo } from '../api/api.ts';

export function describeEntry(entry: Entry, machine: Machine): EntryInfo {
  const { index, term, time } = entry;
  const bytes = entry.data.length;
  if (entry.change !== undefined)
    return { index, term, time, bytes, type: 'config', data: entry.change.steps, text: describeConfChange(entry.change) };
  if (bytes === 0) return { index, term, time, bytes, type: 'noop', data: undefined, text: 'no-op' };
  try {
    const envelope = decodeEnvelope(entry.data);
    if (envelope.kind === 'register')
      return { index, term, time, bytes, type: 'session', data: envelope, text: `session of ${envelope.clientId}` };
    if (envelope.kind === 'close')
      return { index, term, time, bytes, type: 'session', data: envelope, text: `session ${envelope.session} closed` };
    const command = machine.decode(envelope.command);
    const text = machine instanceof TypedMachine ? machine.describe(command) : `${envelope.command.length} bytes`;
    return { index, term, time, bytes, type: 'command', data: command, text };
  } catch {
    return { index, term, time, bytes, type: 'command', data: undefined, text: 'unreadable' };
  }
}
