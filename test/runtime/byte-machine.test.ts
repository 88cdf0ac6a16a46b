/** Three functions over bytes as a state machine, through the front door: typed without a cast, in order, from any member. */
import { expect, test } from 'vitest';
import { raft } from '../../src/front-door/edge.ts';
import type { ByteChange, ByteNode } from '../../src/runtime/api/api.ts';
import { MemorySignalingHub } from '../../src/signaling/memory.ts';
import type { ByteMachine } from '../../src/state/state-machine.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { MemoryHub } from '../../src/transport/memory.ts';

/** Keeps every byte it was given, and answers how many there are. */
class Tape implements ByteMachine {
  bytes: number[] = [];
  apply(command: Uint8Array): Uint8Array {
    this.bytes.push(...command);
    return Uint8Array.of(this.bytes.length);
  }
  snapshot(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.bytes = [];
    for await (const chunk of chunks) this.bytes.push(...chunk);
  }
}

interface Room extends AsyncDisposable {
  readonly leader: ByteNode<Tape>;
  readonly follower: ByteNode<Tape>;
}

async function twoTapes(): Promise<Room> {
  const hub = new MemoryHub();
  const signaling = new MemorySignalingHub();
  const enter = (): Promise<ByteNode<Tape>> =>
    raft.enter('tapes', new Tape(), {
      openRoom: true,
      signaling: signaling.signaling(),
      storage: new MemoryStorage({ durable: true }),
      link: hub.transport(),
      tuning: { electionTimeoutMs: [150, 300], heartbeatMs: 30 },
    });
  const leader = await enter();
  await leader.ready;
  const follower = await enter();
  await follower.ready;
  const stop = async (): Promise<void> => {
    await follower.stop();
    await leader.stop();
  };
  return { leader, follower, [Symbol.asyncDispose]: stop };
}

test('bytes proposed on any member are applied in one order, and answered with what apply returned', async () => {
  await using room = await twoTapes();
  expect(await room.leader.propose(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(2));
  const { result, index } = await room.follower.proposeDetailed(Uint8Array.of(3));
  expect(result).toEqual(Uint8Array.of(3));
  expect(await room.leader.batch([Uint8Array.of(4), Uint8Array.of(5)])).toEqual([Uint8Array.of(4), Uint8Array.of(5)]);
  expect(await room.follower.read((tape) => tape.bytes)).toEqual([1, 2, 3, 4, 5]);
  expect(index).toBeGreaterThan(1);
});

test('changes() tells commands and answers as bytes', async () => {
  await using room = await twoTapes();
  const told: ByteChange[] = [];
  const { index } = await room.leader.proposeDetailed(Uint8Array.of(9));
  await room.leader.propose(Uint8Array.of(8, 7));
  for await (const change of room.leader.changes({ from: index })) if (told.push(change) === 2) break;
  expect(told.map(({ input, result }) => [[...input], [...result]])).toEqual([
    [[9], [1]],
    [[8, 7], [3]],
  ]);
});

test('a pending write of bytes is listed as bytes; anything but bytes is refused', async () => {
  await using room = await twoTapes();
  const call = room.leader.propose(Uint8Array.of(6), { id: 'mine' });
  expect(room.leader.pending()).toMatchObject([{ id: 'mine', command: { type: 'bytes', bytes: Uint8Array.of(6) } }]);
  await call;
  // @ts-expect-error a machine over bytes takes bytes
  await expect(room.leader.propose({ type: 'set' })).rejects.toMatchObject({ code: 'invalid-argument' });
});
