/** Clients: no members, who read, propose and watch through any member, and go on when that one dies. */
import { expect, test } from 'vitest';
import type { RaftError } from '../../src/core/errors.ts';
import { nodeClock } from '../../src/front-door/node-clock.ts';
import { type ClientOptions, openClientIn } from '../../src/front-door/open-client.ts';
import type { ClientNode } from '../../src/runtime/api/api.ts';
import { CALLS_PER_GUEST_MAX } from '../../src/runtime/duties/guests.ts';
import { type Access, accessBy } from '../../src/trust/access.ts';
import { parseRoomLink } from '../../src/trust/room-link.ts';
import { createSecret } from '../../src/trust/secret.ts';
import { encodeClientQuestion } from '../../src/wire/client-bodies.ts';
import { type bank, Cluster, bank as machine, type Opened } from './cluster.ts';

type BankClient = ClientNode<Awaited<ReturnType<typeof bank.initial>>, typeof bank.commands, NonNullable<typeof bank.queries>>;

const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined).catch((error: unknown) => error);

interface OpenedClient extends AsyncDisposable {
  readonly client: BankClient;
  readonly faults: RaftError[];
}

async function clientOf(cluster: Cluster, options: ClientOptions & { readonly access?: Access } = {}): Promise<OpenedClient> {
  const { access = await cluster.access, ...given } = options;
  const faults: RaftError[] = [];
  const environment = {
    access,
    transport: cluster.hub.transport(),
    signaling: cluster.signaling.signaling(),
    clock: nodeClock(),
  };
  const client = await openClientIn(machine, environment, { onFault: (error) => faults.push(error), ...given });
  return { client, faults, [Symbol.asyncDispose]: () => client.stop() };
}

function hostOf(cluster: Cluster, client: BankClient): Opened {
  const host = cluster.running().find(({ node }) => node.id === client.member);
  if (host === undefined) throw new Error('the client works through nobody');
  return host;
}

test('a client proposes, asks and watches through a member, and is none', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  await using opened = await clientOf(cluster);
  const { client } = opened;
  await client.ready;
  expect(await client.propose({ type: 'add', amount: 5 })).toBe(5);
  expect(await client.query('balance')).toBe(5);
  const seen: unknown[] = [];
  const watching = client.watch('owner', 'A1', (owner, { index }) => seen.push([owner, index > 0]));
  await cluster.leader().node.propose({ type: 'book', seat: 'A1', name: 'ann' });
  const detailed = await client.proposeDetailed({ type: 'book', seat: 'A1', name: 'bob' }, { id: 'mine' });
  expect(detailed).toMatchObject({ result: false, replayed: false });
  expect(await client.proposeDetailed({ type: 'book', seat: 'A1', name: 'bob' }, { id: 'mine' })).toMatchObject({
    result: false,
    index: detailed.index,
    replayed: true,
  });
  await cluster.leader().node.until(() => JSON.stringify(seen.at(-1)) === JSON.stringify(['ann', true]));
  watching();
  await cluster.leader().node.propose({ type: 'note', text: 'x' });
  expect(await client.query('owner', 'A1', { consistency: 'local' })).toBe('ann');
  // Neither in the configuration, nor in anybody's way.
  for (const { node } of cluster.running()) {
    expect(node.config.members.map(({ id }) => id)).not.toContain(client.id);
    expect(node.config.members).toHaveLength(3);
  }
  expect(client.pending()).toEqual([]);
});

test('it sees what anybody was told before, also through a member that was behind', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  await using opened = await clientOf(cluster);
  const { client } = opened;
  await client.ready;
  for (let i = 1; i <= 20; i++) {
    await cluster.leader().node.propose({ type: 'add', amount: 1 });
    expect(await client.query('balance')).toBe(i);
  }
});

test('its member dies in the middle: every write is applied once, and the watch goes on through another', async () => {
  await using cluster = new Cluster();
  await cluster.of(3);
  await using opened = await clientOf(cluster);
  const { client } = opened;
  await client.ready;
  await client.propose({ type: 'note', text: 'first' });
  let seen = 0;
  client.watch('balance', (balance) => {
    seen = balance;
  });
  const host = hostOf(cluster, client);
  // It hears what the client writes; its answers are lost.
  cluster.hub.block(host.node.id, client.id);
  const names = Array.from({ length: 200 }, (_, i) => `w${i}`);
  const writes = names.map((text) => client.propose({ type: 'note', text }, { timeoutMs: 30_000 }));
  await host.node.until((_, { log }) => log.length > 1);
  cluster.crash(host);
  await Promise.all(writes);
  expect(client.member).not.toBe(host.node.id);
  cluster.hub.heal();
  const [left] = cluster.running();
  const log = await left?.node.read((state) => [...state.log], { timeoutMs: 30_000 });
  expect([...(log ?? [])].sort()).toEqual(['first', ...names].sort());
  await left?.node.propose({ type: 'add', amount: 7 }, { timeoutMs: 30_000 });
  await left?.node.until(() => seen === 7, { timeoutMs: 30_000 });
}, 60_000);

test('a member that says goodbye is left at once, and one without a majority for another', async () => {
  await using cluster = new Cluster();
  await cluster.of(5);
  await using opened = await clientOf(cluster);
  const { client } = opened;
  await client.ready;
  const first = hostOf(cluster, client);
  await first.node.stop();
  expect(await client.propose({ type: 'add', amount: 1 }, { timeoutMs: 30_000 })).toBe(1);
  const second = hostOf(cluster, client);
  expect(second.node.id).not.toBe(first.node.id);
  // It is cut off from the others, not from the client.
  const others = cluster.running().filter((one) => one !== second);
  cluster.hub.partition(
    [second.node.id],
    others.map(({ node }) => node.id),
  );
  expect(await client.query('balance', { timeoutMs: 30_000 })).toBe(1);
  expect(others.map(({ node }) => node.id)).toContain(client.member);
}, 60_000);

test('what a handler refuses, what there is no query for and what fails in one is told', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  await using opened = await clientOf(cluster, { callTimeoutMs: 5_000 });
  const { client } = opened;
  await client.ready;
  expect(await failure(client.propose({ type: 'refuse' }))).toMatchObject({ code: 'handler-failed' });
  const query = client.query.bind(client) as (name: unknown, ...rest: unknown[]) => Promise<unknown>;
  expect(await failure(query('nope'))).toMatchObject({ code: 'unknown-command' });
  expect(await failure(query('balance', { consistency: 'lease' }))).toMatchObject({ code: 'invalid-argument' });
  expect(await failure(query('owner', () => 1))).toMatchObject({ code: 'invalid-argument' });
  const propose = client.propose.bind(client) as (command: unknown, options?: unknown) => Promise<unknown>;
  expect(await failure(propose({ type: 'nope' }))).toMatchObject({ code: 'unknown-command' });
  expect(await failure(propose({ type: 'add', amount: 1 }, { timeout: 5 }))).toMatchObject({ code: 'invalid-argument' });
  expect(await failure(client.query('balance', { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
  expect(() => client.watch('nope' as 'balance', () => {})).toThrow(expect.objectContaining({ code: 'unknown-command' }));
});

test('stopped, or without anybody, every call ends; a listener that throws is told and heard again', async () => {
  await using cluster = new Cluster();
  await using lost = await clientOf(cluster);
  expect(await failure(lost.client.propose({ type: 'add', amount: 1 }, { timeoutMs: 100 }))).toMatchObject({ code: 'no-leader' });
  expect(await failure(lost.client.whenReady({ timeoutMs: 100 }))).toMatchObject({ code: 'not-a-member' });
  const waiting = [
    failure(lost.client.query('balance')),
    failure(lost.client.propose({ type: 'add', amount: 1 })),
    failure(lost.client.whenReady()),
  ];
  await lost.client.stop();
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'stopped' });
  expect(await failure(lost.client.query('balance'))).toMatchObject({ code: 'stopped' });
  await cluster.of(1);
  await using opened = await clientOf(cluster);
  let told = 0;
  opened.client.watch('balance', () => {
    told++;
    throw new Error('mine');
  });
  const { node } = cluster.leader();
  await node.until(() => told === 1);
  await node.propose({ type: 'add', amount: 1 });
  await node.until(() => told === 2);
  expect(opened.faults.every(({ code }) => code === 'handler-failed')).toBe(true);
});

test('of a secret room only who knows it is served; an invite is counted, and a reader’s writes are refused', async () => {
  const access = await accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined });
  await using cluster = new Cluster();
  const members: Opened[] = [];
  for (let i = 0; i < 3; i++) members.push(await cluster.open({ access }));
  await cluster.voters(3);
  await using stranger = await clientOf(cluster, {
    access: {
      ...(await accessBy({ kind: 'secret', secret: createSecret('test'), at: undefined })),
      rendezvous: access.rendezvous,
    },
  });
  expect(await failure(stranger.client.whenReady({ timeoutMs: 10_000 }))).toMatchObject({ code: 'wrong-secret' });
  await using known = await clientOf(cluster, { access });
  expect(await known.client.propose({ type: 'add', amount: 3 })).toBe(3);
  const invite = await cluster.leader().node.membership.invite({ role: 'reader', uses: 1 });
  const byInvite = await accessBy(parseRoomLink(invite.link));
  await using reader = await clientOf(cluster, { access: byInvite });
  expect(await reader.client.query('balance', { timeoutMs: 30_000 })).toBe(3);
  expect(await failure(reader.client.propose({ type: 'add', amount: 1 }))).toMatchObject({
    code: 'not-authorized',
    mayHaveApplied: false,
  });
  await using second = await clientOf(cluster, { access: byInvite });
  expect(await failure(second.client.whenReady({ timeoutMs: 10_000 }))).toMatchObject({ code: 'invite-used' });
  // Put out, it is not heard any more.
  await cluster
    .leader()
    .node.membership.expel(known.client.id)
    .catch(() => {});
}, 60_000);

test('the application’s hook is asked of clients by their role, and handlers see who they are', async () => {
  await using cluster = new Cluster();
  await cluster.of(1, { authorize: ({ role }, { kind }) => kind !== 'command' || role !== 'client' });
  await using opened = await clientOf(cluster);
  expect(await failure(opened.client.propose({ type: 'add', amount: 1 }))).toMatchObject({ code: 'not-authorized' });
  expect(await opened.client.query('balance')).toBe(0);
});

test('one that floods its member is told to wait; the others are served', async () => {
  await using cluster = new Cluster();
  await cluster.of(1);
  await using opened = await clientOf(cluster);
  await using other = await clientOf(cluster);
  await opened.client.ready;
  const { engine, node } = hostOf(cluster, opened.client);
  const answers: string[] = [];
  const body = encodeClientQuestion({ kind: 'watch', name: 'balance', input: Uint8Array.of(0xc0), atLeast: 10 ** 9, seen: -1 });
  for (let i = 0; i < CALLS_PER_GUEST_MAX + 5; i++)
    engine.duties.hosting.onCall(opened.client.id, body, (_bytes, error) => answers.push(error?.code ?? 'done'));
  await node.until(() => answers.length > 0);
  expect(answers).toEqual(Array.from({ length: 5 }, () => 'busy'));
  expect(await other.client.propose({ type: 'add', amount: 1 })).toBe(1);
  // What nobody sends who is honest is answered with a code, by whatever name.
  for (const bytes of [
    new Uint8Array(0),
    Uint8Array.of(0x91, 1),
    encodeClientQuestion({ kind: 'propose', data: [Uint8Array.of(9)] }),
  ]) {
    const told = await new Promise((resolve) => {
      try {
        engine.duties.hosting.onCall(other.client.id, bytes, (_body, error) => resolve(error?.code));
      } catch (error) {
        resolve((error as RaftError).code);
      }
    });
    expect(told).toBe('message-invalid');
  }
  expect(node.role).toBe('leader');
});
