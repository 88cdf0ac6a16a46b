/**
 * A node's whole store from one medium to another: same identity, same votes, same log, under the one lock that both kinds of
 * storage use. At every moment at most one of the two is in force, and whoever finds both after a crash can tell which:
 *
 *   from: in force     to: copying     from is in force, what is in `to` is nothing yet
 *   from: in force     to: complete    the same
 *   from: given up     to: complete    neither, until the move is gone on with: `to` becomes the store
 *   from: given up     to: in force    `to` is in force, `from` is to be deleted
 *
 * A move may be called the other way round before it is gone on with: then the same table holds with the two changed about, and
 * what it had come to is finished, or cleared away, before the store goes back.
 */
import { pack, unpackStored } from '../../codec/pack.ts';
import { RaftError } from '../../core/errors.ts';
import { Fields } from '../fields.ts';
import { BytesIdentityKey } from '../identity-key.ts';
import type { IdentityKey } from '../storage.ts';
import { KEY_NAME, shelfIn } from './key-shelf.ts';
import type { Medium, Operation } from './medium.ts';
import { MOVED, MOVING, readMeta, seal, unseal } from './meta.ts';
import { CHUNKS_PER_SNAPSHOT } from './snapshots.ts';

/** Segments copied in one transaction: about a megabyte. */
const SEGMENTS_PER_COPY = 16;

type Meta = ReadonlyMap<string, Uint8Array>;

/** What a medium holds, by its marks. */
type Holding = 'nothing' | 'in force' | 'given up' | 'copying' | 'complete';

function holdingOf(meta: Meta): Holding {
  const stage = markOf(meta, MOVING);
  if (stage !== undefined) return stage === 'complete' ? 'complete' : 'copying';
  if (meta.has(MOVED)) return 'given up';
  // Also one that is damaged: whoever opens it says so.
  return meta.size > 0 ? 'in force' : 'nothing';
}

/**
 * Goes on with a move that was interrupted, whatever it had come to, in whichever direction it was. Resolves to whether `from`
 * held the store. What is left in `from` is deleted at the end, and `from` closed; `to` stays open. Errors: invalid-argument
 * (both are in force; the key pair cannot be kept there), corrupt, quota, storage; `from` is in force as before then, unless
 * the move was complete.
 */
export async function moveMedium(from: Medium, to: Medium): Promise<boolean> {
  const [source, target] = [holdingOf(await from.all('meta')), holdingOf(await to.all('meta'))];
  if (source === 'nothing') {
    await from.destroy();
    return false;
  }
  if (target === 'in force') {
    if (source === 'in force') {
      throw new RaftError('invalid-argument', 'There is a store of this identity in both places: neither can be given up.');
    }
    await from.destroy();
    return source === 'given up';
  }
  if (source === 'given up' && target === 'complete') return finish(from, to);
  // The move here was finished but for the last mark, and is undone by one the other way.
  if (source === 'complete' && target === 'given up') await comeIntoForce(from);
  else if (source !== 'in force') {
    throw new RaftError('corrupt', 'This store was moved elsewhere, and what it was moved to is not there.');
  }
  const meta = await from.all('meta');
  await clear(to);
  await copy(from, to, meta);
  await requireSame(from, to, meta);
  await mark(to, MOVING, 'complete');
  await mark(from, MOVED, 'moved');
  return finish(from, to);
}

async function finish(from: Medium, to: Medium): Promise<true> {
  await comeIntoForce(to);
  await from.destroy();
  return true;
}

function comeIntoForce(medium: Medium): Promise<void> {
  return medium.commit([{ kind: 'delete', table: 'meta', key: MOVING }], 'strict');
}

function mark(medium: Medium, key: string, stage: string): Promise<void> {
  return medium.commit([{ kind: 'put', table: 'meta', key, value: seal(pack([stage])) }], 'strict');
}

function markOf(meta: Meta, key: string): string | undefined {
  const stored = meta.get(key);
  if (stored === undefined) return undefined;
  try {
    return new Fields(unpackStored(unseal(stored))).string(0);
  } catch (cause) {
    throw new RaftError('corrupt', `The stored record '${key}' is damaged.`, { cause });
  }
}

/** Leaves nothing of a move that was not finished. */
async function clear(medium: Medium): Promise<void> {
  await mark(medium, MOVING, 'copying');
  const all = Number.MAX_SAFE_INTEGER;
  await medium.commit([{ kind: 'delete-range', table: 'chunks', from: 0, to: all }], 'strict');
  const gone: Operation[] = [{ kind: 'delete-range', table: 'log', from: 0, to: all }];
  for (const table of ['meta', 'records'] as const) {
    for (const key of (await medium.all(table)).keys()) if (key !== MOVING) gone.push({ kind: 'delete', table, key });
  }
  await medium.commit(gone, 'strict');
}

async function copy(from: Medium, to: Medium, source: Meta): Promise<void> {
  for await (const { key, value } of chunksOf(from, source)) {
    await to.commit([{ kind: 'put', table: 'chunks', key, value: new Uint8Array(value) }], 'strict');
  }
  for await (const segments of segmentsOf(from)) {
    const puts = segments.map(({ key, value }): Operation => ({ kind: 'put', table: 'log', key, value: new Uint8Array(value) }));
    await to.commit(puts, 'strict');
  }
  const puts: Operation[] = [];
  for (const [key, value] of await from.all('records')) {
    puts.push({ kind: 'put', table: 'records', key, value: new Uint8Array(value) });
  }
  for (const [key, value] of kept(from, to, source)) {
    puts.push({ kind: 'put', table: 'meta', key, value: new Uint8Array(value) });
  }
  await to.commit(puts, 'strict');
  if (isBytesOnly(from) && isBytesOnly(to)) return;
  const pair = await keyOf(from).load();
  const present = await keyOf(to).load();
  // One that is there is of an earlier try: this identity has one pair in its life.
  if (pair !== undefined && present === undefined) await keyOf(to).save(pair);
}

/** The small records that go over as they are: the key pair does where both keep bytes. */
function kept(from: Medium, to: Medium, source: Meta): (readonly [string, Uint8Array])[] {
  const keepsKey = isBytesOnly(from) && isBytesOnly(to);
  return [...source].filter(([key]) => key !== MOVED && key !== MOVING && (key !== KEY_NAME || keepsKey));
}

function isBytesOnly(medium: Medium): boolean {
  return medium.identityKey === undefined;
}
function keyOf(medium: Medium): IdentityKey {
  return medium.identityKey ?? new BytesIdentityKey(shelfIn(medium));
}

/** Of the snapshot in force. */
async function* chunksOf(medium: Medium, source: Meta): AsyncGenerator<{ key: number; value: Uint8Array }, void> {
  const snapshot = readMeta(source, 'snapshot');
  for (let n = 0; n < (snapshot?.checksums.length ?? 0); n += 1) {
    const key = (snapshot?.id ?? 0) * CHUNKS_PER_SNAPSHOT + n;
    const value = await medium.get('chunks', key);
    if (value === undefined) throw new RaftError('corrupt', `Chunk ${n} of the snapshot is missing.`);
    yield { key, value };
  }
}

async function* segmentsOf(medium: Medium): AsyncGenerator<readonly { key: number; value: Uint8Array }[], void> {
  let next = 0;
  for (;;) {
    const keys = await medium.keys('log', next, Number.MAX_SAFE_INTEGER, SEGMENTS_PER_COPY);
    const first = keys[0];
    if (first === undefined) return;
    yield await medium.scan('log', first, keys.length);
    next = (keys.at(-1) ?? first) + 1;
  }
}

/** Read back before anything is given up. */
async function requireSame(from: Medium, to: Medium, source: Meta): Promise<void> {
  const [meta, ours, theirs] = await Promise.all([to.all('meta'), from.all('records'), to.all('records')]);
  const wanted = new Map(kept(from, to, source));
  for (const [key, value] of wanted) requireEqual(value, meta.get(key), key);
  if (ours.size !== theirs.size) throw different('the number of records');
  for (const [key, value] of ours) requireEqual(value, theirs.get(key), key);
  for await (const { key, value } of chunksOf(from, source)) requireEqual(value, await to.get('chunks', key), `chunk ${key}`);
  for await (const segments of segmentsOf(from)) {
    for (const { key, value } of segments) requireEqual(value, await to.get('log', key), `segment ${key}`);
  }
}

function requireEqual(wanted: Uint8Array, found: Uint8Array | undefined, what: string): void {
  if (found?.length !== wanted.length || !wanted.every((byte, i) => byte === found[i])) throw different(what);
}

function different(what: string): RaftError {
  return new RaftError('storage', `What was copied is not what was read back: ${what}.`);
}
