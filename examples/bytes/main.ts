/** A state machine with a format of its own: three functions over bytes, here one counter of eight bytes. */
import { type ByteMachine, raft } from 'tabraft';

class Tally implements ByteMachine {
  #count = 0n;

  /** The command is one byte: how much to add. The answer is the new count. */
  apply(command: Uint8Array): Uint8Array {
    if (command.length !== 1) throw new TypeError('A command is one byte.');
    this.#count += BigInt(command[0] ?? 0);
    return this.snapshot();
  }

  snapshot(): Uint8Array {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, this.#count);
    return bytes;
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: number[] = [];
    for await (const chunk of chunks) parts.push(...chunk);
    this.#count = countIn(Uint8Array.from(parts));
  }

  /** Back to before the first command. */
  reset(): void {
    this.#count = 0n;
  }

  get count(): bigint {
    return this.#count;
  }
}

const countIn = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);

const room = new URLSearchParams(location.search).get('room') ?? 'bytes';
const node = await raft.enter(room, new Tally());
await node.ready;

const button = document.querySelector('button') as HTMLButtonElement;
const output = document.querySelector('output') as HTMLOutputElement;
const show = (count: bigint): void => {
  output.textContent = `${count}`;
};
// What readers look at is the machine itself.
node.subscribe((tally) => tally.count, show);
show(node.peek((tally) => tally.count));
button.disabled = false;
button.onclick = async () => {
  try {
    show(countIn(await node.propose(Uint8Array.of(1))));
  } catch (error) {
    output.textContent = String(error);
  }
};
