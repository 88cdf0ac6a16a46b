/**
 * The least that can be called a replicated log: one leader for ever, two followers, each folding what queued during a
 * write into the next, done when two of three have it on disk. No elections, checks, flow control, sessions or state.
 */
import { pack, unpack } from '../../src/codec/pack.ts';
import { type Contestant, MARK, TABS } from './contestant.ts';
import { dial } from './probe-links.ts';

/** One message may have 256 KiB; more waits for the next batch: bytes. */
const BATCH_BYTES_MAX = 192 * 1024;

interface Operation {
  readonly bytes: Uint8Array;
  readonly done: () => void;
}

export function probe(): Contestant {
  let disk: IDBDatabase | undefined;
  let channels: readonly RTCDataChannel[] = [];
  let place = -1;
  let listener = (_value: string): void => {};

  // Of the leader.
  let queue: Operation[] = [];
  let waiting: (() => void)[] = [];
  let last = 0;
  let committed = 0;
  let writing = false;
  const durable = [0, 0, 0];

  // Of a follower: batches that came during a write, and operations not committed yet.
  let arrived: { readonly first: number; readonly batch: Uint8Array; readonly to: number }[] = [];
  const uncommitted = new Map<number, Uint8Array>();

  function save(first: number, blob: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (disk === undefined) return reject(new Error('not open'));
      const transaction = disk.transaction('log', 'readwrite', { durability: 'strict' });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
      transaction.objectStore('log').put(blob, first);
      transaction.objectStore('log').put({ term: 1, vote: 'a', commit: committed }, 0);
    });
  }

  function show(bytes: Uint8Array): void {
    const [key, value] = unpack(bytes) as [string, string];
    if (key === MARK) listener(value);
  }

  async function lead(): Promise<void> {
    if (writing || queue.length === 0) return;
    writing = true;
    let bytes = 0;
    let count = 0;
    while (count < queue.length && bytes < BATCH_BYTES_MAX) bytes += queue[count++]?.bytes.length ?? 0;
    const taken = queue.slice(0, count);
    queue = queue.slice(count);
    const first = last + 1;
    last += taken.length;
    for (const { done } of taken) waiting.push(done);
    const batch = pack([first, committed, taken.map((operation) => operation.bytes)]);
    for (const link of channels) link.send(batch as Uint8Array<ArrayBuffer>);
    await save(first, batch);
    writing = false;
    acknowledge(0, first + taken.length - 1);
    void lead();
  }

  function acknowledge(who: number, index: number): void {
    durable[who] = index;
    const quorum = [...durable].sort((a, b) => b - a)[1] ?? 0;
    if (quorum <= committed) return;
    const done = waiting.slice(0, quorum - committed);
    waiting = waiting.slice(quorum - committed);
    committed = quorum;
    for (const run of done) run();
    if (queue.length === 0) for (const link of channels) link.send(pack([0, committed, []]) as Uint8Array<ArrayBuffer>);
  }

  async function follow(): Promise<void> {
    if (writing || arrived.length === 0) return;
    writing = true;
    const batches = arrived;
    arrived = [];
    const blob = batches.length === 1 ? (batches[0]?.batch ?? pack(0)) : pack(batches.map(({ batch }) => batch));
    await save(batches[0]?.first ?? 0, blob);
    writing = false;
    const to = batches.at(-1)?.to ?? 0;
    channels[0]?.send(pack([to]) as Uint8Array<ArrayBuffer>);
    void follow();
  }

  function onBatch(data: Uint8Array): void {
    const [first, commit, operations] = unpack(data) as [number, number, Uint8Array[]];
    operations.forEach((bytes, i) => {
      uncommitted.set(first + i, bytes);
    });
    for (let index = committed + 1; index <= commit; index++) {
      const bytes = uncommitted.get(index);
      if (bytes !== undefined) show(bytes);
      uncommitted.delete(index);
    }
    committed = Math.max(committed, commit);
    if (operations.length === 0) return;
    arrived.push({ first, batch: data, to: first + operations.length - 1 });
    void follow();
  }

  return {
    async open(room, at) {
      place = at;
      disk = await openDisk(`probe-${room}-${at}`);
      channels = await dial(room, place, TABS);
      channels.forEach((link, i) => {
        link.onmessage = ({ data }) => {
          const bytes = new Uint8Array(data as ArrayBuffer);
          if (place === 0) acknowledge(i + 1, (unpack(bytes) as [number])[0]);
          else onBatch(bytes);
        };
      });
    },
    formed: () => channels.every((link) => link.readyState === 'open'),
    write: (key, value) =>
      new Promise<void>((done) => {
        queue.push({ bytes: pack([key, value]), done });
        // What is asked for in one go goes out together.
        if (queue.length === 1) queueMicrotask(() => void lead());
      }),
    onMark: (run) => {
      listener = run;
    },
  };
}

function openDisk(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('log');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
