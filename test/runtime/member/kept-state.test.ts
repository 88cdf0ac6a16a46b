/** What a keeper hands on comes out of its store, with everything in its place. */
import { expect, test } from 'vitest';
import { EMPTY_CONF } from '../../../src/core/conf/conf-change.ts';
import type { Entry, Index } from '../../../src/core/types.ts';
import { encodeSettings, SETTINGS_DEFAULTS } from '../../../src/runtime/member/configuration.ts';
import { KeptState } from '../../../src/runtime/member/kept-state.ts';
import { encodeRegister } from '../../../src/state/envelope.ts';
import { KeeperMachine } from '../../../src/state/keeper.ts';
import { ReplicatedState } from '../../../src/state/replicated-state.ts';
import { defineStateMachine, TypedMachine } from '../../../src/state/typed-machine.ts';
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { NodeStore } from '../../../src/storage/storage.ts';

const empty = defineStateMachine<Record<string, never>>()({ initial: () => ({}), commands: {} });
const limits = (sessionsMax: number) => ({ ...SETTINGS_DEFAULTS, sessionsMax });

function register(index: Index): Entry {
  const data = encodeRegister(`client-${index}`, 'n');
  return { index, term: 1, type: 'normal', time: 1_000 + index, data, change: undefined };
}

async function storeOf(entries: readonly Entry[]): Promise<NodeStore> {
  const store = await new MemoryStorage({ durable: true }).acquire({ room: 'kept' });
  await store.write({ cluster: { clusterId: 'c', epoch: 1 }, entries });
  return store;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function putSnapshot(
  store: NodeStore,
  index: Index,
  sessionsMax: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const conf = { ...EMPTY_CONF, context: encodeSettings(limits(sessionsMax)) };
  const writer = await store.stageSnapshot({ index, term: 1, conf, data: undefined });
  for await (const chunk of chunks) await writer.write(chunk);
  await store.write({ snapshot: { staged: await writer.finish(), keepLogAfter: true } });
}

const full = (): ReplicatedState => new ReplicatedState(new TypedMachine(empty), limits(100));
const entries = [1, 2, 3, 4, 5, 6, 7, 8].map(register);

/** What a member with the machine holds that saw the limits change to one session after entry 3 and to two after entry 6. */
async function expected(): Promise<Buffer> {
  const state = full();
  state.configured(0, limits(9));
  for (const one of entries) {
    state.apply(one);
    if (one.index === 3) state.configured(3, limits(1));
    if (one.index === 6) state.configured(6, limits(2));
  }
  return bytesOf(state.snapshot());
}

async function handedOn(kept: KeptState): Promise<Buffer> {
  const state = full();
  await state.restore(kept.snapshot());
  return bytesOf(state.snapshot());
}

function play(kept: KeptState, from: Index): void {
  for (const one of entries.slice(from - 1)) {
    kept.apply(one);
    if (one.index === 3) kept.configured(3, limits(1));
    if (one.index === 6) kept.configured(6, limits(2));
  }
}

test('the limits of sessions change between the entries, where they did', async () => {
  const kept = new KeptState(new KeeperMachine(), limits(100), await storeOf(entries));
  kept.configured(0, limits(9));
  play(kept, 1);
  expect(await handedOn(kept)).toEqual(await expected());
});

test('on top of a state they are those of its configuration; a snapshot of its own holds the same', async () => {
  const store = await storeOf(entries);
  const before = full();
  for (const one of entries.slice(0, 4)) {
    before.apply(one);
    if (one.index === 3) before.configured(3, limits(1));
  }
  await putSnapshot(store, 4, 1, before.snapshot());
  const kept = new KeptState(new KeeperMachine(), limits(100), store);
  await kept.reset();
  await kept.restore((await store.snapshot())?.chunks() ?? (async function* () {})());
  play(kept, 5);
  const first = await handedOn(kept);
  expect(first).toEqual(await expected());
  await putSnapshot(store, 8, 2, kept.snapshot());
  expect(await handedOn(kept)).toEqual(first);
});

test('it ends at what was applied when it was asked for', async () => {
  const kept = new KeptState(new KeeperMachine(), limits(100), await storeOf(entries));
  for (const one of entries.slice(0, 2)) kept.apply(one);
  const chunks = kept.snapshot();
  for (const one of entries.slice(2)) kept.apply(one);
  const state = full();
  await state.restore(chunks);
  const two = full();
  for (const one of entries.slice(0, 2)) two.apply(one);
  expect(await bytesOf(state.snapshot())).toEqual(await bytesOf(two.snapshot()));
});

test('what is damaged is not taken: nothing at all, a header that is none, a format of a later build', async () => {
  const kept = new KeptState(new KeeperMachine(), limits(100), await storeOf([]));
  const of = async function* (...bytes: number[]): AsyncIterable<Uint8Array> {
    yield Uint8Array.of(bytes.length, 0, 0, 0, ...bytes);
  };
  await expect(kept.restore((async function* () {})())).rejects.toMatchObject({ code: 'corrupt' });
  await expect(kept.restore(of(0x07))).rejects.toMatchObject({ code: 'corrupt' });
  await expect(kept.restore(of(0x91, 0x63))).rejects.toMatchObject({ code: 'version-mismatch' });
});
