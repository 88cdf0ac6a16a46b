/** Wrong uses, each tried as a stranger would: each ends in a coded sentence that says what was wrong, and none hangs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineStateMachine, type OpenOptions, RaftError, raft } from '../../src/index.ts';
import { type BankNode, bank, Cluster } from '../runtime/cluster.ts';

/** As a page without types would call it. */
// biome-ignore lint/suspicious/noExplicitAny: wrong on purpose
type Loose = any;

interface Wrong {
  readonly what: string;
  readonly code: string;
  readonly says: RegExp;
}

async function refusal(run: () => unknown): Promise<RaftError> {
  try {
    await run();
  } catch (error) {
    if (RaftError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function expectRefused(error: RaftError, { code, says }: Wrong): void {
  expect(error.code).toBe(code);
  expect(error.message).toMatch(says);
  expect(error.mayHaveApplied).toBe(false);
}

const options = (given: object): OpenOptions => ({ signaling: 'ws://localhost:1', ...given }) as OpenOptions;
const enter = (given: object) => (): unknown => raft.enter('a-room', bank, options(given));
const loose = raft as Loose;

const opening: readonly (Wrong & { readonly run: () => unknown })[] = [
  {
    what: 'a typo in an option',
    run: enter({ signalling: 'ws://x' }),
    code: 'invalid-argument',
    says: /signalling.*Did you mean signaling\?/,
  },
  {
    what: 'an option that never was',
    run: enter({ foo: 1 }),
    code: 'invalid-argument',
    says: /no open option named foo.*signaling, name/,
  },
  {
    what: 'another word for suffrage',
    run: enter({ suffrage: 'voters', storage: 'memory' }),
    code: 'invalid-argument',
    says: /suffrage.*voters/,
  },
  {
    what: 'a link that does not exist',
    run: enter({ link: 'webrtc', storage: 'memory' }),
    code: 'invalid-argument',
    says: /link named webrtc.*simple-peer, native/,
  },
  {
    what: 'a storage spelled its own way',
    run: enter({ storage: 'indexedDB' }),
    code: 'invalid-argument',
    says: /storage named indexedDB.*Did you mean indexeddb/,
  },
  { what: 'a storage that is none', run: enter({ storage: {} }), code: 'invalid-argument', says: /storage is one of.*an object/ },
  {
    what: 'a tuning name',
    run: enter({ tuning: { electionTimeout: 1 }, storage: 'memory' }),
    code: 'invalid-argument',
    says: /electionTimeout/,
  },
  {
    what: 'an autopilot name',
    run: enter({ autopilot: { off: true }, storage: 'memory' }),
    code: 'invalid-argument',
    says: /autopilot option named off/,
  },
  {
    what: 'signaling without a scheme',
    run: enter({ signaling: 'localhost:8340', storage: 'memory' }),
    code: 'invalid-argument',
    says: /signaling|URL/i,
  },
  { what: 'no room at all', run: () => loose.enter(), code: 'room-invalid', says: /A room name is a text, got undefined/ },
  { what: 'a number for a room', run: () => loose.enter(42, bank), code: 'room-invalid', says: /got 42/ },
  {
    what: 'swapped arguments',
    run: () => loose.enter(bank, 'a-room'),
    code: 'room-invalid',
    says: /got an object.*raft\.enter\('a-room', machine/,
  },
  {
    what: 'one object of everything',
    run: () => loose.enter({ room: 'a', machine: bank }),
    code: 'room-invalid',
    says: /got an object/,
  },
  {
    what: 'no machine',
    run: () => loose.enter('a-room'),
    code: 'invalid-argument',
    says: /defineStateMachine makes, got undefined/,
  },
  {
    what: 'options in the place of the machine',
    run: () => loose.enter('a-room', { signaling: 'ws://x' }),
    code: 'invalid-argument',
    says: /needs initial as a function/,
  },
  {
    what: 'a first state that is no function',
    run: () => loose.enter('a-room', { initial: { n: 0 }, commands: {} }),
    code: 'invalid-argument',
    says: /initial.*got an object/,
  },
  {
    what: 'commands that are none',
    run: () => loose.enter('a-room', { initial: () => ({}), commands: { add: 3 } }),
    code: 'invalid-argument',
    says: /'add' must be a function, got 3/,
  },
  {
    what: 'a byte machine without restore',
    run: () => loose.enter('a-room', { apply: () => {}, snapshot: () => {} }),
    code: 'invalid-argument',
    says: /needs restore/,
  },
  {
    what: 'options that are a text',
    run: () => loose.enter('a-room', bank, 'wss://x'),
    code: 'invalid-argument',
    says: /options must be an object, got 'wss/,
  },
  {
    what: 'a room name with a blank',
    run: () => raft.enter('a room', bank, options({ storage: 'memory' })),
    code: 'room-invalid',
    says: /1 to 64/,
  },
  { what: 'outside a page', run: () => raft.enter('a-room', bank), code: 'invalid-argument', says: /Outside a page/ },
];

test.each(opening)('opening with $what', async (wrong) => {
  expectRefused(await refusal(wrong.run), wrong);
});

const calls: readonly (Wrong & { readonly run: (node: Loose) => unknown })[] = [
  {
    what: 'a listener for no event',
    run: (node) => node.on('leaderChange', () => {}),
    code: 'invalid-argument',
    says: /no event named leaderChange/,
  },
  {
    what: 'an event nearly right',
    run: (node) => node.on('leaders', () => {}),
    code: 'invalid-argument',
    says: /Did you mean leader\?/,
  },
  {
    what: 'an event without a listener',
    run: (node) => node.on('leader'),
    code: 'invalid-argument',
    says: /listener must be a function, got undefined/,
  },
  {
    what: 'subscribing without a listener',
    run: (node) => node.subscribe(() => 1, undefined),
    code: 'invalid-argument',
    says: /listener must be a function/,
  },
  {
    what: 'subscribing to a name',
    run: (node) => node.subscribe('balance', () => {}),
    code: 'invalid-argument',
    says: /select must be a function, got 'balance'/,
  },
  {
    what: 'timeout for timeoutMs',
    run: (node) => node.propose({ type: 'add', amount: 1 }, { timeout: 5 }),
    code: 'invalid-argument',
    says: /no call option named timeout.*timeoutMs/,
  },
  {
    what: 'another word for a consistency',
    run: (node) => node.read(() => 1, { consistency: 'strong' }),
    code: 'invalid-argument',
    says: /consistency named strong.*linearizable/,
  },
  {
    what: 'a consistency without its options',
    run: (node) => node.read(() => 1, 'local'),
    code: 'invalid-argument',
    says: /options must be an object, got 'local'/,
  },
  {
    what: 'a consistency with half its words',
    run: (node) => node.read(() => 1, { consistency: { maxStale: 5 } }),
    code: 'invalid-argument',
    says: /maxStaleMs/,
  },
  {
    what: 'reading without a selector',
    run: (node) => node.read(),
    code: 'invalid-argument',
    says: /select must be a function, got undefined/,
  },
  { what: 'reading a name', run: (node) => node.read('n'), code: 'invalid-argument', says: /select must be a function, got 'n'/ },
  { what: 'peeking without a selector', run: (node) => node.peek(), code: 'invalid-argument', says: /select must be a function/ },
  {
    what: 'a batch that is one command',
    run: (node) => node.batch({ type: 'add', amount: 1 }),
    code: 'invalid-argument',
    says: /array of commands, got an object/,
  },
  { what: 'a command by its name', run: (node) => node.propose('add'), code: 'invalid-argument', says: /got 'add'/ },
  { what: 'no command', run: (node) => node.propose(), code: 'invalid-argument', says: /like \{ type: 'add'.*got undefined/ },
  {
    what: 'commands in an array',
    run: (node) => node.propose([{ type: 'add' }]),
    code: 'invalid-argument',
    says: /got an array/,
  },
  {
    what: 'a command without a type',
    run: (node) => node.propose({ amount: 1 }),
    code: 'invalid-argument',
    says: /its name as 'type'/,
  },
  {
    what: 'a command nearly right',
    run: (node) => node.propose({ type: 'ad' }),
    code: 'unknown-command',
    says: /Did you mean add\?/,
  },
  {
    what: 'a function in a command',
    run: (node) => node.propose({ type: 'note', text: () => 1 }),
    code: 'invalid-argument',
    says: /text is a function/,
  },
  {
    what: 'a number for an id',
    run: (node) => node.propose({ type: 'add', amount: 1 }, { id: 7 }),
    code: 'invalid-argument',
    says: /id must be a text, got 7/,
  },
  {
    what: 'a command of two megabytes',
    run: (node) => node.propose({ type: 'note', text: 'x'.repeat(2_000_000) }),
    code: 'too-large',
    says: /at most 1048576 bytes/,
  },
  { what: 'a query that does not exist', run: (node) => node.query('balanced'), code: 'unknown-command', says: /balanced/ },
  {
    what: 'an invite for nobody',
    run: (node) => node.membership.invite({ role: 'owner' }),
    code: 'invalid-argument',
    says: /role is one of .*owner|role named owner/,
  },
  {
    what: 'an invite of an open room',
    run: (node) => node.membership.invite(),
    code: 'invalid-argument',
    says: /open room needs no invites/,
  },
  {
    what: 'an invite that is taken back by its link',
    run: (node) => node.membership.revokeInvite('#room=kitchen&invite=x'),
    code: 'invalid-argument',
    says: /32 hex digits/,
  },
  {
    what: 'a new secret of an open room',
    run: (node) => node.membership.rotateSecret(),
    code: 'invalid-argument',
    says: /Only a room that has a secret/,
  },
  {
    what: 'a new secret with an option that never was',
    run: (node) => node.membership.rotateSecret({ secret: 'mine' }),
    code: 'invalid-argument',
    says: /no .*option named secret/,
  },
  {
    what: 'waiting for a truth',
    run: (node) => node.until(true),
    code: 'invalid-argument',
    says: /predicate must be a function, got true/,
  },
  { what: 'leading without work', run: (node) => node.whileLeader(), code: 'invalid-argument', says: /run must be a function/ },
  {
    what: 'a typo when stopping',
    run: (node) => node.stop({ leaves: true }),
    code: 'invalid-argument',
    says: /Did you mean leave\?/,
  },
  {
    what: 'promoting nobody',
    run: (node) => node.membership.promote('nobody'),
    code: 'config-invalid',
    says: /nobody is not a member/,
  },
  {
    what: 'removing nobody',
    run: (node) => node.membership.remove('nobody'),
    code: 'config-invalid',
    says: /nobody is not a member/,
  },
];

describe('a node that runs', () => {
  const cluster = new Cluster();
  let node: BankNode;
  beforeAll(async () => {
    node = (await cluster.open()).node;
    await node.ready;
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  test.each(calls)('is asked with $what', async (wrong) => {
    const before = node.peek(({ balance }) => balance);
    expectRefused(await refusal(() => wrong.run(node)), wrong);
    // It has done no harm.
    expect(await node.propose({ type: 'add', amount: 2 })).toBe(before + 2);
  });

  test('and one that has stopped says so', async () => {
    await node.stop();
    const stopped: Wrong = { what: '', code: 'stopped', says: /stopped/ };
    expectRefused(await refusal(() => node.propose({ type: 'add', amount: 1 })), stopped);
    expectRefused(await refusal(() => node.read(() => 1)), stopped);
    expectRefused(await refusal(() => node.until(() => false)), stopped);
    expectRefused(await refusal(() => node.whenReady()), stopped);
  });
});

describe('a first state', () => {
  const machine = (initial: () => unknown): Loose =>
    defineStateMachine<unknown>()({ initial, commands: { set: (_state, { to }: { to: number }) => to } });
  const shared = { list: [] };
  const wrong: readonly (Wrong & { readonly initial: () => unknown })[] = [
    { what: 'that is a number', initial: () => 0, code: 'invalid-argument', says: /made a number.*change in place/ },
    { what: 'that is a promise', initial: () => Promise.resolve({}), code: 'invalid-argument', says: /made a promise/ },
    { what: 'that is shared', initial: () => shared, code: 'invalid-argument', says: /same object twice/ },
    {
      what: 'with a part that is shared',
      initial: () => ({ list: shared.list }),
      code: 'invalid-argument',
      says: /same object twice/,
    },
  ];
  test.each(wrong)('$what', async (row) => {
    await using cluster = new Cluster();
    expectRefused(await refusal(() => cluster.open({ machine: machine(row.initial) })), row);
  });
});

describe('ready', () => {
  const tuning = { electionTimeoutMs: [20, 40], heartbeatMs: 5 } as const;

  test('without signaling it ends with what hinders, and comes about when that is over', async () => {
    await using cluster = new Cluster();
    cluster.signaling.down();
    const { node } = await cluster.open({ tune: tuning });
    const error = await refusal(() => node.whenReady({ timeoutMs: 50 }));
    expect(error).toMatchObject({ code: 'signaling-unreachable', retryable: true, mayHaveApplied: false });
    expect(error.message).toMatch(/cannot reach the signaling server/);
    cluster.signaling.restore();
    await node.whenReady();
  });

  test('of a node that nobody takes in it says so', async () => {
    await using cluster = new Cluster();
    const { node } = await cluster.open({ mode: 'join' });
    expect(await refusal(() => node.whenReady({ timeoutMs: 50 }))).toMatchObject({ code: 'not-a-member' });
  });

  test('without a majority it says who is silent', async () => {
    await using cluster = new Cluster();
    const [first, second] = await cluster.of(2);
    cluster.crash(first as NonNullable<typeof first>);
    const { disk } = second as NonNullable<typeof second>;
    cluster.crash(second as NonNullable<typeof second>);
    const back = await cluster.open({ disk, mode: 'open' });
    const error = await refusal(() => back.node.whenReady({ timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'no-leader' });
    expect(error.message).toMatch(/1 of the 2 voters/);
  });
});

test('an error of a write has the id under which it can be tried again', async () => {
  await using cluster = new Cluster();
  const nodes = await cluster.of(2);
  const { node } = nodes[0] as { node: BankNode };
  for (const other of nodes.slice(1)) cluster.crash(other);
  const error = await refusal(() => node.propose({ type: 'add', amount: 1 }, { id: 'gift-1', timeoutMs: 50 }));
  expect(error).toMatchObject({ id: 'gift-1' });
});
