/** The other forms of a state machine: three functions over bytes, and states that are saved as a stream of their own. */
import { expect, test } from 'vitest';
import { packValue } from '../../src/codec/pack.ts';
import { makeEntry } from '../../src/core/types.ts';
import { encodeCommand, encodeRegister } from '../../src/state/envelope.ts';
import { ReplicatedState } from '../../src/state/replicated-state.ts';
import type { ByteMachine, Machine } from '../../src/state/state-machine.ts';
import { BytesMachine, defineStateMachine, TypedMachine } from '../../src/state/typed-machine.ts';

const limits = { sessionsMax: 3, sessionTtlMs: 1_000 };

function withCommands(machine: Machine, commands: readonly Uint8Array[]): ReplicatedState {
  const state = new ReplicatedState(machine, limits);
  state.apply(makeEntry(1, 1, 'normal', 1, encodeRegister('client', ''), undefined));
  commands.forEach((command, i) => {
    const envelope = {
      session: 1,
      sequence: i + 1,
      answeredBelow: 1,
      machineVersion: 1,
      expectedTerm: 0,
      notAfter: 0,
      key: '',
      command,
    };
    state.apply(makeEntry(i + 2, 1, 'normal', 1, encodeCommand(envelope), undefined));
  });
  return state;
}

/** Keeps every byte it was given, and answers how many there are. */
function tape(): ByteMachine & { bytes: number[] } {
  return {
    bytes: [],
    apply(command) {
      this.bytes.push(...command);
      return Uint8Array.of(this.bytes.length);
    },
    snapshot() {
      return Uint8Array.from(this.bytes);
    },
    async restore(chunks) {
      this.bytes = [];
      for await (const chunk of chunks) this.bytes.push(...chunk);
    },
  };
}

test('three functions over bytes are a state machine: applied, saved and restored', async () => {
  const state = withCommands(new BytesMachine(tape()), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  expect(state.sessions.outcomeOf(1, 2)).toMatchObject({ outcome: { kind: 'packed', bytes: Uint8Array.of(3) } });
  const copy = tape();
  await new ReplicatedState(new BytesMachine(copy), limits).restore(state.snapshot());
  expect(copy.bytes).toEqual([1, 2, 3]);
});

test.each(['at once', 'asynchronously'])('a state saved as chunks of its own, %s, comes back from them', async (how) => {
  function* pieces(words: readonly string[]): Iterable<Uint8Array> {
    for (const word of words) yield new TextEncoder().encode(word);
  }
  async function* later(words: readonly string[]): AsyncIterable<Uint8Array> {
    yield* pieces(words);
  }
  const words = defineStateMachine<string[]>()({
    initial: () => [],
    commands: { say: (state, { word }: { word: string }) => state.push(word) },
    snapshot: (state) => (how === 'at once' ? pieces(state) : later(state)),
    restore: async (chunks: AsyncIterable<Uint8Array>) => {
      const read: string[] = [];
      for await (const chunk of chunks) read.push(new TextDecoder().decode(chunk));
      return read;
    },
  });
  const commands = ['one', 'two'].map((word) => packValue({ type: 'say', word }));
  const state = withCommands(new TypedMachine(words), commands);
  const copy = new TypedMachine(words);
  await new ReplicatedState(copy, limits).restore(state.snapshot());
  expect(copy.state).toEqual(['one', 'two']);
});

test('bytes in a command or a result are the handler’s and the caller’s own: changing them changes neither the log nor a later answer', () => {
  const blobs = defineStateMachine<{ kept: Uint8Array }>()({
    initial: () => ({ kept: new Uint8Array() }),
    commands: {
      keep: (state, { bytes }: { bytes: Uint8Array }) => {
        bytes[0] = 99;
        state.kept = bytes;
        return bytes;
      },
    },
  });
  const machine = new TypedMachine(blobs);
  const command = packValue({ type: 'keep', bytes: Uint8Array.of(1, 2, 3) });
  const state = withCommands(machine, [command]);
  expect(machine.decode(command)).toEqual({ type: 'keep', bytes: Uint8Array.of(1, 2, 3) });
  const stored = state.sessions.outcomeOf(1, 1);
  if (stored === undefined) throw new Error('no outcome');
  const answer = machine.answer(stored.outcome) as Uint8Array;
  answer[0] = 0;
  machine.state.kept[1] = 0;
  expect(machine.answer(stored.outcome)).toEqual(Uint8Array.of(99, 2, 3));
});
