/** Calls over a line: in their order, answered or failed, and chunks read one by one. */
import { expect, onTestFinished, test } from 'vitest';
import { RaftError } from '../../../src/core/errors.ts';
import { Bridge, type ChunksRef } from '../../../src/runtime/crossing/bridge.ts';
import { channel } from './apart.ts';

function pair(): readonly [Bridge, Bridge] {
  const [one, other] = channel();
  const bridges = [new Bridge(one), new Bridge(other)] as const;
  onTestFinished(() => {
    for (const bridge of bridges) bridge.end(new RaftError('stopped', 'The test is over.'));
  });
  return bridges;
}

async function* numbers(count: number, closed: () => void = () => {}): AsyncIterable<Uint8Array> {
  try {
    for (let i = 0; i < count; i++) yield Uint8Array.of(i);
  } finally {
    closed();
  }
}

test('what is called in one turn arrives in one message, in its order, and what is asked is answered', async () => {
  const lines = channel();
  let posts = 0;
  const post = (message: unknown): void => {
    posts++;
    lines[0].post(message);
  };
  const [near, far] = [new Bridge({ ...lines[0], post }), new Bridge(lines[1])] as const;
  const heard: unknown[] = [];
  far.serve({ note: (...given: never[]) => heard.push(given), double: (n: number) => 2 * n, late: async (n: number) => n });
  near.serve({});
  near.call('note', 1, 'a');
  near.call('note', Uint8Array.of(7));
  expect(await Promise.all([near.ask('double', 4), near.ask('late', 5)])).toEqual([8, 5]);
  expect(heard).toEqual([[1, 'a'], [Uint8Array.of(7)]]);
  expect(posts).toBe(1);
  for (const bridge of [near, far]) bridge.end(new RaftError('stopped', ''));
});

test('an error crosses with its code and what it says of the outcome; one without a code is an invariant', async () => {
  const [near, far] = pair();
  far.serve({
    coded: () => {
      throw new RaftError('busy', 'Later.', { retryAfterMs: 5, mayHaveApplied: true, index: 3 });
    },
    bare: () => Promise.reject(new Error('what')),
  });
  near.serve({});
  await expect(near.ask('coded')).rejects.toMatchObject({ code: 'busy', retryAfterMs: 5, mayHaveApplied: true, index: 3 });
  await expect(near.ask('bare')).rejects.toMatchObject({ code: 'invariant' });
  await expect(near.ask('nothing of that name')).rejects.toMatchObject({ code: 'invariant' });
});

test('chunks are read one by one; given up in the middle their source is closed; an error of theirs arrives', async () => {
  const [near, far] = pair();
  let closed = 0;
  far.serve({
    all: () => far.lend(numbers(3)),
    many: () => far.lend(numbers(1_000, () => closed++)),
    broken: () =>
      far.lend(
        (async function* () {
          yield Uint8Array.of(1);
          throw new RaftError('corrupt', 'Half of it.');
        })(),
      ),
    pinged: () => closed,
  });
  near.serve({});
  const read: Uint8Array[] = [];
  for await (const chunk of near.read((await near.ask('all')) as ChunksRef)) read.push(chunk);
  expect(read.map(([byte]) => byte)).toEqual([0, 1, 2]);
  for await (const _ of near.read((await near.ask('many')) as ChunksRef)) break;
  expect(await near.ask('pinged')).toBe(1);
  const broken = near.read((await near.ask('broken')) as ChunksRef)[Symbol.asyncIterator]();
  expect((await broken.next()).value).toEqual(Uint8Array.of(1));
  await expect(broken.next()).rejects.toMatchObject({ code: 'corrupt' });
  await expect(near.ask('chunks:next', { chunks: 99 })).rejects.toMatchObject({ code: 'invariant' });
});

test('when the line ends, whoever waits is told why, and whoever asks later as well', async () => {
  const [near, far] = pair();
  far.serve({ never: () => new Promise(() => {}) });
  near.serve({});
  const waiting = near.ask('never');
  near.end(new RaftError('storage-closed', 'The worker is gone.'));
  await expect(waiting).rejects.toMatchObject({ code: 'storage-closed' });
  await expect(near.ask('never')).rejects.toMatchObject({ code: 'storage-closed' });
  near.call('never');
});
