import type { BootWitness, NodeStore } from '../../storage/storage.ts';
import { check, entriesOf, equal, fails, type SuiteCase } from './context.ts';

export const identityCases: readonly SuiteCase[] = [
  [
    'a room that nobody was in gives a fresh identity and an empty state',
    async ({ room, acquire }) => {
      const store = await acquire();
      check(store.identity.nodeId.length > 0, 'the id is empty');
      equal(store.identity.room, room, 'room');
      equal(store.identity.bootCount, 0, 'boot count');
      const state = await store.load();
      equal(state.cluster, undefined, 'cluster');
      equal(state.hardState, { term: 0, vote: '', commit: 0 }, 'hard state');
      equal([state.firstIndex, state.lastIndex, state.snapshotBytes], [1, 0, 0], 'bounds');
      equal(state.snapshot, undefined, 'snapshot');
      equal(state.records.size, 0, 'records');
      equal(store.term(0), 0, 'term before the first entry');
      equal(store.term(1), undefined, 'term after the end');
    },
  ],
  [
    'a held identity is taken by nobody else, not even when preferred',
    async ({ acquire }) => {
      const first = await acquire();
      const second = await acquire();
      const third = await acquire({ preferred: first.identity.nodeId });
      const ids = [first, second, third].map((store) => store.identity.nodeId);
      equal(new Set(ids).size, 3, `distinct ids among ${ids.join()}`);
    },
  ],
  [
    'two who ask at once get two identities, also when one orphan is there',
    async ({ acquire }) => {
      const orphan = await acquire();
      await orphan.close();
      const both = await Promise.all([acquire(), acquire()]);
      check(both[0]?.identity.nodeId !== both[1]?.identity.nodeId, 'both have the same id');
      check(
        both.some((store) => store.identity.nodeId === orphan.identity.nodeId),
        'nobody adopted the orphan',
      );
    },
  ],
  [
    'the preferred identity comes back; its boots are told apart',
    async ({ acquire }) => {
      const mine = await acquire();
      const other = await acquire();
      await mine.close();
      await other.close();
      const again = await acquire({ preferred: mine.identity.nodeId });
      equal(again.identity.nodeId, mine.identity.nodeId, 'id');
      equal(again.identity.bootCount, 1, 'boot count');
      check(again.identity.bootNonce !== mine.identity.bootNonce, 'the boot nonce is the same');
    },
  ],
  [
    'an orphan of the room is adopted, the most recent first, with its log',
    async ({ acquire }) => {
      const older = await acquire();
      const newer = await acquire();
      await older.write({ entries: entriesOf(1, 1, 1) });
      await newer.write({ entries: entriesOf(1, 2, 1) });
      await newer.close();
      await older.close();
      const reborn = await acquire();
      equal(reborn.identity.nodeId, newer.identity.nodeId, 'the one opened last');
      equal((await reborn.load()).lastIndex, 2, 'its log');
      equal((await acquire()).identity.nodeId, older.identity.nodeId, 'then the other');
    },
  ],
  [
    'a favoured orphan is adopted before a more recent one, when nobody holds it',
    async ({ acquire }) => {
      const older = await acquire();
      const newer = await acquire();
      const favoured = [older.identity.nodeId, 'node-of-another-device'];
      await older.close();
      await newer.close();
      equal((await acquire({ favoured })).identity.nodeId, older.identity.nodeId, 'the favoured one');
      equal((await acquire({ favoured })).identity.nodeId, newer.identity.nodeId, 'the other, while it is held');
    },
  ],
  [
    'fresh adopts nothing; other rooms are other worlds',
    async ({ room, acquire }) => {
      const orphan = await acquire();
      await orphan.close();
      const fresh = await acquire({ fresh: true });
      check(fresh.identity.nodeId !== orphan.identity.nodeId, 'fresh adopted an orphan');
      const elsewhere = await acquire({ room: `${room}/x` });
      check(elsewhere.identity.nodeId !== orphan.identity.nodeId, 'an orphan was adopted across rooms');
    },
  ],
  [
    'a preferred identity that has no store is not made up: no log, no identity',
    async ({ acquire }) => {
      const store = await acquire({ preferred: 'ghost' });
      check(store.identity.nodeId !== 'ghost', 'an id without a log came back to life');
    },
  ],
  [
    'wipe ends the identity for good',
    async ({ acquire }) => {
      const store = await acquire();
      await store.write({ hardState: { term: 3, vote: 'x', commit: 0 } });
      await store.wipe();
      const next = await acquire({ preferred: store.identity.nodeId });
      check(next.identity.nodeId !== store.identity.nodeId, 'the wiped id came back');
      equal((await next.load()).hardState.term, 0, 'term of the fresh identity');
    },
  ],
  [
    'a closed store refuses every call with storage-closed; closing twice is allowed',
    async ({ acquire }) => {
      const store = await acquire();
      await store.close();
      await store.close();
      await fails(() => store.write({ putRecords: [['a', new Uint8Array(1)]] }), 'storage-closed', 'write');
      await fails(() => store.load(), 'storage-closed', 'load');
      await fails(() => store.entries(1, 2, 100), 'storage-closed', 'entries');
      await fails(() => store.compact(1), 'storage-closed', 'compact');
      await fails(() => store.snapshot(), 'storage-closed', 'snapshot');
    },
  ],
  [
    'close waits for the writes in flight',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      const written = Promise.all([1, 2, 3, 4, 5].map((i) => store.write({ entries: entriesOf(i, i, 1) })));
      const again = await reopen(store);
      await written;
      equal((await again.load()).lastIndex, 5, 'last index');
    },
  ],
  [
    'a room without a name, and an id that is none, are refused',
    async ({ acquire }) => {
      await fails(() => acquire({ room: '' }), 'room-invalid', 'an empty room');
      await fails(() => acquire({ room: 'x'.repeat(1000) }), 'room-invalid', 'an endless room');
      await fails(() => acquire({ preferred: '../x' }), 'invalid-argument', 'a path as id');
    },
  ],
  [
    'who names new identities is asked once, for one that is made, and whether its key pair must be exportable',
    async ({ acquire, reopen }) => {
      const asked: boolean[] = [];
      const newId = async (extractable: boolean): Promise<string> => {
        asked.push(extractable);
        return `named-${asked.length}`;
      };
      const store = await acquire({ newId });
      equal(store.identity.nodeId, 'named-1', 'its id');
      equal(asked, [store.identityKey.needsExtractable], 'what was asked');
      await store.write({ entries: entriesOf(1, 1, 1) });
      const again = await reopen(store);
      equal(again.identity.nodeId, 'named-1', 'its id after reopening');
      await again.close();
      const adopted = await acquire({ newId });
      equal([adopted.identity.nodeId, asked.length], ['named-1', 1], 'who is taken over, and how often it was asked');
      await fails(() => acquire({ newId: async () => '../x' }), 'invalid-argument', 'a path as id');
    },
  ],
  [
    'the key pair of an identity is kept once, comes back usable and not exportable, and goes with the identity',
    async ({ acquire, reopen }) => {
      const store = await acquire();
      equal(await store.identityKey.load(), undefined, 'before any was saved');
      const [pair, other] = await Promise.all([makePair(store), makePair(store)]);
      const both = await Promise.allSettled([store.identityKey.save(pair), store.identityKey.save(other)]);
      equal(
        both.map(({ status }) => status),
        ['fulfilled', 'rejected'],
        'of two at once the first is kept',
      );
      await fails(() => store.identityKey.save(other), 'invalid-argument', 'a second pair');
      await store.write({ entries: entriesOf(1, 1, 1) });
      const again = await reopen(store);
      const kept = await again.identityKey.load();
      check(kept !== undefined, 'the pair is gone after reopening');
      if (kept === undefined) return;
      equal(kept.privateKey.extractable, false, 'whether the private key can be exported');
      check(await signs(kept.privateKey, pair.publicKey), 'what it signs is not accepted');
      check(await signs(kept.privateKey, kept.publicKey), 'its own public key does not fit');
      equal((await again.load()).records.size, 0, 'records');
      await again.wipe();
      const next = await acquire();
      equal(await next.identityKey.load(), undefined, 'after the identity was wiped');
      await next.close();
      await fails(() => next.identityKey.load(), 'storage-closed', 'of a closed store');
      await fails(() => next.identityKey.save(pair), 'storage-closed', 'saving into a closed store');
    },
  ],
  [
    'the key pair of an identity that nobody holds can be read without opening it, and that of no other',
    async (context) => {
      const store = await context.acquire();
      const { nodeId } = store.identity;
      const { leftKey } = context;
      if (leftKey === undefined) return;
      const pair = await makePair(store);
      await store.identityKey.save(pair);
      await store.write({ entries: entriesOf(1, 1, 1) });
      equal(await leftKey(nodeId), undefined, 'of an identity that is held');
      await store.close();
      const left = await leftKey(nodeId);
      check(left !== undefined && (await signs(left.privateKey, pair.publicKey)), 'what is left is not its pair');
      equal(await leftKey('node-of-another-device'), undefined, 'of one that is not here');
      const again = await context.acquire({ preferred: nodeId });
      equal(again.identity.nodeId, nodeId, 'the identity, which can be opened as before');
      await again.wipe();
      equal(await leftKey(nodeId), undefined, 'of one that was wiped');
    },
  ],
  [
    'a witness that knows of more openings than the store refuses it as an older copy; one that fails refuses nothing',
    async ({ acquire }) => {
      const known = new Map<string, number>();
      const bootWitness: BootWitness = {
        read: async ({ nodeId }) => known.get(nodeId),
        write: async ({ nodeId }, count) => void known.set(nodeId, count),
        forget: async ({ nodeId }) => void known.delete(nodeId),
      };
      const first = await acquire({ bootWitness });
      const { nodeId } = first.identity;
      equal(known.get(nodeId), 1, 'told of the first opening');
      await first.close();
      const second = await acquire({ preferred: nodeId, bootWitness });
      equal([second.identity.nodeId, known.get(nodeId)], [nodeId, 2], 'the second opening');
      await second.close();
      known.set(nodeId, 3);
      const unreadable: string[] = [];
      const refused = { bootWitness, onUnreadable: (id: string) => void unreadable.push(id) };
      await fails(() => acquire({ preferred: nodeId, ...refused }), 'corrupt', 'an older copy, preferred');
      await fails(() => acquire(refused), 'corrupt', 'an older copy, the only orphan');
      equal(unreadable, [nodeId, nodeId], 'which could not be opened');
      const broken: BootWitness = {
        read: () => {
          throw new Error('the witness is broken');
        },
        write: () => Promise.reject(new Error('the witness is broken')),
        forget: () => Promise.reject(new Error('the witness is broken')),
      };
      const third = await acquire({ preferred: nodeId, bootWitness: broken });
      equal(third.identity.nodeId, nodeId, 'with a broken witness');
      await third.close();
      const nonsense = { ...bootWitness, read: async () => Number.NaN };
      const last = await acquire({ preferred: nodeId, bootWitness: nonsense });
      equal(last.identity.nodeId, nodeId, 'with a witness that talks nonsense');
      await last.wipe();
      equal(known.has(nodeId), false, 'after the identity was wiped');
    },
  ],
];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

function makePair(store: NodeStore): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, store.identityKey.needsExtractable, ['sign', 'verify']);
}

async function signs(privateKey: CryptoKey, publicKey: CryptoKey): Promise<boolean> {
  const text = new TextEncoder().encode('who is there');
  return crypto.subtle.verify(ALGORITHM, publicKey, await crypto.subtle.sign(ALGORITHM, privateKey, text), text);
}
