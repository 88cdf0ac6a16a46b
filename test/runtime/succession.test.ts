/** In whose place a newcomer comes is proven by the key of the one whose vote it asks for: forged proofs, and the real one. */
import { expect, onTestFinished, test } from 'vitest';
import { RaftError } from '../../src/core/errors.ts';
import { acquireIdentity } from '../../src/front-door/node-identity.ts';
import { Emitter } from '../../src/runtime/api/emitter.ts';
import { resolveAutopilot } from '../../src/runtime/api/options.ts';
import { contextOf, encodeMember, type MemberContextFields, SETTINGS_DEFAULTS } from '../../src/runtime/member/configuration.ts';
import { oneThread, type Runtime } from '../../src/runtime/node/runtime.ts';
import { TypedMachine } from '../../src/state/typed-machine.ts';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import type { StorageProvider } from '../../src/storage/storage.ts';
import { createKeyPair, type Identity, identityOf } from '../../src/trust/identity.ts';
import { TrustGate } from '../../src/trust/links/gate.ts';
import { isSuccession, proveSuccession, SUCCESSION_BYTES } from '../../src/trust/succession.ts';
import { encodeChange } from '../../src/wire/bodies.ts';
import { bank, Cluster, type Opened } from './cluster.ts';

const newIdentity = async (): Promise<Identity> => identityOf(await createKeyPair(false));

/** A voter that is silent is not replaced by time in these tests. */
const PATIENT = resolveAutopilot({ settleMs: 0, intervalMs: 0, silentMs: 3_600_000, silentMsMax: 3_600_000 });

/** A newcomer that says what it likes of itself. */
async function intrude(cluster: Cluster, replaces: string, prove: (own: Identity) => Promise<Uint8Array>): Promise<Runtime> {
  const { transport, ...options } = await cluster.options();
  const { access, clock } = options;
  if (access === undefined) throw new Error('no access');
  const storage = new MemoryStorage({ durable: true });
  const { store, identity } = await acquireIdentity(storage, { room: access.shelf });
  const gate = new TrustGate(identity, access, clock);
  const said = { replaces, succession: await prove(identity) };
  const given = { ...options, storage, gate, transport: gate.wrap(transport), ...said };
  const engine = oneThread(given, store, new TypedMachine(bank), SETTINGS_DEFAULTS, new Emitter(() => undefined));
  onTestFinished(() => engine.stop('stop'));
  await engine.start();
  return engine;
}

/** What a device has whose log cannot be read. */
function damaged(readable: MemoryStorage, leftKey = true): StorageProvider {
  return {
    kind: 'damaged',
    durable: true,
    ...(leftKey ? { leftKey: (room: string, id: string) => readable.leftKey(room, id) } : {}),
    acquire: async (request) => {
      if (request.fresh === true) return readable.acquire(request);
      for (const id of readable.disk.room(request.room).keys()) request.onUnreadable?.(id);
      throw new RaftError('corrupt', 'segment 3 does not match its checksum');
    },
  };
}

async function threeOfWhichOneCrashed(cluster: Cluster): Promise<{ leader: Opened; gone: Opened }> {
  await cluster.of(3, { autopilot: PATIENT, votersTarget: 3 });
  const [gone] = cluster.followers();
  if (gone === undefined) throw new Error('a follower expected');
  cluster.crash(gone);
  return { leader: cluster.leader(), gone };
}

test('only who signs with the lost key takes the vote: forged, borrowed and missing proofs leave it where it is', async () => {
  await using cluster = new Cluster();
  const { leader, gone } = await threeOfWhichOneCrashed(cluster);
  const lost = await identityOf((await gone.storage.leftKey('test', gone.node.id)) as CryptoKeyPair, gone.node.id);
  const stranger = await newIdentity();
  const another = await newIdentity();
  const forgeries: ((own: Identity) => Promise<Uint8Array>)[] = [
    async () => new Uint8Array(0),
    async () => new Uint8Array(SUCCESSION_BYTES).fill(7),
    // Signed by itself, and by a key of which it says that it is the lost one's.
    (own) => proveSuccession({ ...own, id: lost.id }, 'test', own.publicKey),
    (own) => proveSuccession({ ...stranger, id: lost.id, publicKey: lost.publicKey }, 'test', own.publicKey),
    // Real ones, of another successor and of another room.
    () => proveSuccession(lost, 'test', another.publicKey),
    (own) => proveSuccession(lost, 'another', own.publicKey),
  ];
  const voters = leader.node.config.voters;
  const intruders: Runtime[] = [];
  for (const prove of forgeries) intruders.push(await intrude(cluster, gone.node.id, prove));
  await leader.node.until(({ peers }) =>
    intruders.every(({ id }) => peers.some((peer) => peer.id === id && peer.lagEntries === 0)),
  );
  expect(leader.node.config.learners).toHaveLength(intruders.length);
  const conf = leader.engine.member?.conf;
  if (conf === undefined) throw new Error('no configuration');
  for (const { id } of intruders) expect(contextOf(conf, id)).toMatchObject({ replaces: '', succession: new Uint8Array(0) });
  expect(leader.node.config.voters).toEqual(voters);

  // The device itself, with its key, and with nothing that it remembers of its tab.
  const back = await cluster.open({ storage: damaged(gone.storage), autopilot: PATIENT });
  await back.node.until((status) => status.suffrage === 'voter' && back.node.config.votersOutgoing.length === 0);
  expect(back.node.config.voters).not.toContain(gone.node.id);
  expect(back.node.config.voters).toHaveLength(3);
});

test('a device that has lost the key too comes back as anybody else: it waits until its old vote is given away by time', async () => {
  await using cluster = new Cluster();
  const { leader, gone } = await threeOfWhichOneCrashed(cluster);
  const back = await cluster.open({ storage: damaged(gone.storage, false), preferred: gone.node.id, autopilot: PATIENT });
  await leader.node.until(({ peers }) => peers.some(({ id, lagEntries }) => id === back.node.id && lagEntries === 0));
  expect(leader.node.config.voters).toContain(gone.node.id);
  expect(leader.node.config.learners).toEqual([back.node.id]);
  // With proof this very plan would have been made: the same newcomer votes once its old identity is taken out by hand.
  await leader.node.membership.remove(gone.node.id);
  await back.node.until((status) => status.suffrage === 'voter');
});

test('a change by hand makes nobody a successor, and gives nobody the key of another', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  const leader = cluster.leader();
  const [asks, third] = cluster.followers();
  if (asks === undefined || third === undefined) throw new Error('two followers expected');
  const known = (id: string): MemberContextFields => {
    const conf = leader.engine.member?.conf;
    if (conf === undefined) throw new Error('no configuration');
    return contextOf(conf, id);
  };
  const own = known(asks.node.id);
  expect(own.publicKey).toEqual(asks.engine.trust.gate?.identity.publicKey);
  const context = encodeMember({
    ...own,
    priority: 7,
    replaces: third.node.id,
    publicKey: known(third.node.id).publicKey,
    succession: new Uint8Array(SUCCESSION_BYTES),
  });
  const body = encodeChange({ steps: [{ op: 'update', id: asks.node.id, context }], transition: 'auto', ifVersion: 0 });
  await new Promise<void>((resolve, reject) => {
    asks.engine.peers.call(leader.node.id, 'membership', body, 5_000, ({ error }) =>
      error === undefined ? resolve() : reject(error),
    );
  });
  expect(known(asks.node.id)).toEqual({ ...own, priority: 7 });
  await leader.node.membership.replace(asks.node.id, 'somebody-else');
  expect(known('somebody-else')).toMatchObject({ publicKey: new Uint8Array(0), priority: 7, replaces: '' });
});

test('a proof is of one room, one lost identity and one successor, and of the right length', async () => {
  const [lost, heir, other] = [await newIdentity(), await newIdentity(), await newIdentity()];
  const proof = await proveSuccession(lost, 'kitchen', heir.publicKey);
  const holds = (bytes = proof, room = 'kitchen', of = lost.id, key = heir.publicKey): Promise<boolean> =>
    isSuccession(bytes, room, of, key);
  expect(await holds()).toBe(true);
  expect(await holds(proof, 'cellar')).toBe(false);
  expect(await holds(proof, 'kitchen', other.id)).toBe(false);
  expect(await holds(proof, 'kitchen', lost.id, other.publicKey)).toBe(false);
  expect(await holds(proof.slice(1))).toBe(false);
  for (let i = 0; i < proof.length; i++) {
    const altered = proof.slice();
    altered[i] = (altered[i] ?? 0) ^ 1;
    expect(await holds(altered)).toBe(false);
  }
});
