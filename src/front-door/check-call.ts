/** What a way into a room is called with, looked at before anything is opened. Errors of all: invalid-argument, room-invalid. */
import { RaftError } from '../core/errors.ts';
import { requireKnown, shown } from '../runtime/ports/require-known.ts';

const USAGE = "raft.enter('a-room', machine, options)";

export function checkCall(
  room: unknown,
  machine: unknown,
  options: object | undefined,
  names: Readonly<Record<string, true>>,
): void {
  if (typeof room !== 'string') throw new RaftError('room-invalid', `A room name is a text, got ${shown(room)}: ${USAGE}.`);
  checkMachine(machine);
  if (options !== undefined) requireKnown('open', options, names);
}

function checkMachine(machine: unknown): void {
  if (typeof machine !== 'object' || machine === null)
    throw invalid(`A state machine is what defineStateMachine makes, got ${shown(machine)}: ${USAGE}.`);
  const { initial, commands, apply, snapshot, restore }: Readonly<Record<string, unknown>> = fieldsOf(machine);
  if (apply !== undefined) {
    for (const [name, value] of Object.entries({ apply, snapshot, restore }))
      if (typeof value !== 'function') throw invalid(`A machine over bytes needs ${name} as a function, got ${shown(value)}.`);
    return;
  }
  if (typeof initial !== 'function')
    throw invalid(
      `A state machine needs initial as a function that makes the first state, got ${shown(initial)}: initial: () => ({ ... }).`,
    );
  if (typeof commands !== 'object' || commands === null)
    throw invalid(`A state machine needs commands, an object of handlers by name, got ${shown(commands)}.`);
  for (const [name, handler] of Object.entries(commands))
    if (typeof handler !== 'function') throw invalid(`The command '${name}' must be a function, got ${shown(handler)}.`);
}

/** Also of an instance of a class, whose functions are in its prototype. */
function fieldsOf(machine: object): Readonly<Record<string, unknown>> {
  const names = ['apply', 'snapshot', 'restore', 'initial', 'commands'];
  return Object.fromEntries(names.map((name) => [name, Reflect.get(machine, name)]));
}

function invalid(text: string): RaftError {
  return new RaftError('invalid-argument', text);
}
