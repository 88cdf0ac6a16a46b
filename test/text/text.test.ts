/** Shared text over a real cluster in one process: edits at once, latecomers, rubbish, folding, and a node that goes in the middle. */
import { expect, test, vi } from 'vitest';
import { Doc } from 'yjs';
import { compose, counter } from '../../src/structures/index.ts';
import { sharedText, type TextState } from '../../src/text/index.ts';
import { FOLD_EVERY, shareDoc } from '../../src/text/share-doc.ts';
import { Cluster, type Opened } from '../runtime/cluster.ts';
import { Stand } from '../structures/stand.ts';

const machine = compose({ notes: sharedText(), clicks: counter() });
type State = { readonly notes: TextState };

async function open(cluster: Cluster): Promise<Opened> {
  const opened = await cluster.open({ machine: machine as never });
  await opened.node.ready;
  return opened;
}

function share(opened: Opened, doc = new Doc()) {
  const errors: unknown[] = [];
  const link = shareDoc(opened.node as never, doc, {
    select: (state: State) => state.notes,
    part: 'notes',
    onError: (error) => errors.push(error),
  });
  return { doc, link, text: doc.getText('body'), errors, said: () => doc.getText('body').toString() };
}

test('what several write at once is the same everywhere, and whoever comes later has it', async () => {
  await using cluster = new Cluster();
  const opened = [await open(cluster), await open(cluster), await open(cluster)];
  const shared = opened.map((one) => share(one));
  for (const [i, { text }] of shared.entries()) text.insert(0, `line ${i}\n`);
  await Promise.all(shared.map(({ link }) => link.saved()));
  const late = share(await open(cluster));
  const first = shared[0] as (typeof shared)[0];
  for (const one of [...shared, late]) {
    await vi.waitFor(() => expect(one.said().split('\n').filter(Boolean).sort()).toEqual(['line 0', 'line 1', 'line 2']));
    await vi.waitFor(() => expect(one.said()).toBe(first.said()));
    expect([one.link.pending, one.errors]).toEqual([false, []]);
  }
  first.text.delete(0, first.text.length);
  for (const one of [...shared, late]) await vi.waitFor(() => expect(one.said()).toBe(''));
});

test('a document that was written before it is shared brings what it has', async () => {
  await using cluster = new Cluster();
  const [a, b] = [await open(cluster), await open(cluster)];
  const doc = new Doc();
  doc.getText('body').insert(0, 'from before');
  const mine = share(a, doc);
  await mine.link.saved();
  const theirs = share(b);
  await vi.waitFor(() => expect(theirs.said()).toBe('from before'));
  // Sharing it again adds nothing: the log has it all.
  mine.link.stop();
  const { length } = a.node.peek((state) => (state as never as State).notes.updates);
  await share(a, doc).link.saved();
  expect(a.node.peek((state) => (state as never as State).notes.updates)).toHaveLength(length);
});

test('rubbish in the log harms nobody, an edit that cannot be saved says so and stays', async () => {
  await using cluster = new Cluster();
  const one = await open(cluster);
  const mine = share(one);
  await one.node.propose({ type: 'notes.update', update: Uint8Array.of(9, 9, 9) } as never);
  mine.text.insert(0, 'after');
  await mine.link.saved();
  expect(mine.errors.length).toBeGreaterThan(0);
  const reader = share(await open(cluster));
  await vi.waitFor(() => expect(reader.said()).toBe('after'));
  await one.node.stop({ transfer: false });
  mine.text.insert(0, 'too late ');
  await expect(mine.link.saved()).rejects.toMatchObject({ code: 'stopped' });
  expect([mine.said(), mine.link.pending]).toEqual(['too late after', true]);
});

test('many edits are folded into one, and say the same', async () => {
  await using cluster = new Cluster();
  const one = await open(cluster);
  const mine = share(one);
  for (let i = 0; i < FOLD_EVERY; i++) {
    mine.text.insert(mine.text.length, String(i % 10));
    await mine.link.saved();
  }
  const kept = (): TextState => one.node.peek((state) => (state as never as State).notes);
  await vi.waitFor(() => expect(kept().updates).toHaveLength(1));
  expect(kept().base).toBe(FOLD_EVERY - 1);
  const reader = share(await open(cluster));
  await vi.waitFor(() => expect(reader.said()).toBe(mine.said()));
  expect(reader.said()).toHaveLength(FOLD_EVERY);
});

test('the machine refuses what is no update, and a fold that is not of what it has', () => {
  const stand = new Stand(sharedText());
  expect(() => stand.run({ type: 'update', update: 'text' })).toThrow('An update is 1 to');
  expect(() => stand.run({ type: 'update', update: new Uint8Array(600_000) })).toThrow('An update is 1 to');
  for (const byte of [1, 2, 3]) expect(stand.run({ type: 'update', update: Uint8Array.of(byte) })).toBe(byte);
  const update = Uint8Array.of(7);
  for (const [base, count] of [
    [1, 2],
    [0, 1],
    [0, 4],
    [0, 1.5],
  ])
    expect(stand.run({ type: 'fold', base, count, update })).toBe(false);
  expect(stand.run({ type: 'fold', base: 0, count: 2, update })).toBe(true);
  expect(stand.run({ type: 'fold', base: 0, count: 2, update })).toBe(false);
  expect(stand.ask('updates')).toEqual([Uint8Array.of(7), Uint8Array.of(3)]);
  expect(stand.run({ type: 'update', update })).toBe(4);
});
