/** Opening a node from its parts: the one path behind `raft.enter`, `create`, `join` and `open`, in a page, in Node, in a test. */
import { RaftError } from '../core/errors.ts';
import type { NodeId } from '../core/types.ts';
import type { ByteNode, RaftNode } from '../runtime/api/api.ts';
import { Emitter } from '../runtime/api/emitter.ts';
import { MIN_COPIES_RANGE, type NodeOptions, VOTERS_TARGET_RANGE } from '../runtime/api/options.ts';
import { DEVICE_CHARACTERS_MAX, NAME_CHARACTERS_MAX, SETTINGS_DEFAULTS } from '../runtime/member/configuration.ts';
import { Node } from '../runtime/node/public-node.ts';
import { type BuildNode, oneThread, type Runtime } from '../runtime/node/runtime.ts';
import { requireInteger } from '../runtime/ports/require-integer.ts';
import { ROOM_NAME_PATTERN } from '../signaling/protocol.ts';
import { KeeperMachine, keeper } from '../state/keeper.ts';
import type { ByteMachine, Machine } from '../state/state-machine.ts';
import { BytesMachine, TypedMachine } from '../state/typed-machine.ts';
import type { Handlers, Queries, StateMachine } from '../state/types.ts';
import { retiredBecause } from '../storage/retired.ts';
import type { NodeStore, StoreFault } from '../storage/storage.ts';
import { withInvite } from '../trust/access.ts';
import { identityOf } from '../trust/identity.ts';
import { TrustGate } from '../trust/links/gate.ts';
import { proveSuccession } from '../trust/succession.ts';
import { acquireIdentity, type HeldIdentity } from './node-identity.ts';
import { sayUnheard } from './unheard.ts';

/** What a node is opened with, and how its two sides are put together. Default: in one thread. */
export interface OpenNodeOptions extends NodeOptions {
  readonly build?: BuildNode | undefined;
}

/** A running node and what drives it. */
export interface OpenedNode<N> {
  readonly node: N;
  readonly engine: Runtime;
}

type TypedDefinition = StateMachine<unknown, Handlers<unknown>, Queries<unknown>>;

/**
 * Takes an identity and starts the node. Resolves before there is a leader (see RaftNode.ready).
 * Errors: room-invalid, invalid-argument, webrtc-unavailable, storage-unavailable, storage-newer, storage-blocked,
 * corrupt, quota, rejected, version-mismatch, aborted.
 */
export function openNode<M extends ByteMachine>(
  machine: M,
  options: OpenNodeOptions,
  signal?: AbortSignal,
): Promise<OpenedNode<ByteNode<M>>>;
export function openNode<S, C extends Handlers<S>, Q extends Queries<S>>(
  machine: StateMachine<S, C, Q>,
  options: OpenNodeOptions,
  signal?: AbortSignal,
): Promise<OpenedNode<RaftNode<S, C, Q>>>;
export async function openNode(
  machine: TypedDefinition | ByteMachine,
  options: OpenNodeOptions,
  signal?: AbortSignal,
): Promise<OpenedNode<unknown>> {
  checkOptions(options);
  throwIfAborted(signal);
  const tried: Tried = { lost: undefined };
  try {
    return await openOnce(machine, options, options.mode === 'create', signal, tried);
  } catch (error) {
    const isOver = RaftError.is(error, 'corrupt') || RaftError.is(error, 'epoch-mismatch');
    const rejoins = isOver && options.onCorrupt !== 'refuse' && (options.mode === 'enter' || options.mode === 'join');
    if (!rejoins) throw error;
    // What cannot be verified is never served and never votes again: a new node comes in its place.
    const replaces = tried.lost ?? options.preferred;
    const opened = await openOnce(machine, { ...options, preferred: undefined, replaces }, true, signal, tried);
    options.clock.soon(() => opened.engine.emitter.emit('fault', { error }));
    return opened;
  }
}

/** What an opening came upon. */
interface Tried {
  /** The identity that could not be opened. */
  lost: NodeId | undefined;
}

async function openOnce(
  machine: TypedDefinition | ByteMachine,
  options: OpenNodeOptions,
  fresh: boolean,
  signal: AbortSignal | undefined,
  tried: Tried,
): Promise<OpenedNode<unknown>> {
  let engine: Runtime | undefined;
  let early: StoreFault | undefined;
  const onFault = (fault: StoreFault): void => {
    if (engine === undefined) early = fault;
    else engine.onStoreFault(fault);
  };
  const { access } = options;
  const request = {
    room: access?.shelf ?? options.room,
    preferred: options.preferred,
    favoured: options.favoured,
    fresh,
    onFault,
    bootWitness: options.bootWitness,
    onUnreadable: (id: NodeId) => {
      tried.lost ??= id;
    },
  };
  const held = access === undefined ? undefined : await acquireIdentity(options.storage, request);
  const store = held?.store ?? (await options.storage.acquire(request));
  tried.lost = store.identity.nodeId;
  try {
    await refuseToInvent(store, options);
    await refuseRetired(store);
    throwIfAborted(signal);
    const emitter = new Emitter((error) => engine?.application.reportListenerError(error), sayUnheard(options.room));
    const settings = {
      ...SETTINGS_DEFAULTS,
      machineVersion: machine.version ?? 1,
      votersTarget: options.votersTarget ?? SETTINGS_DEFAULTS.votersTarget,
      minCopies: options.minCopies ?? SETTINGS_DEFAULTS.minCopies,
      sessionsMax: options.tuning.sessionsMax,
      sessionTtlMs: options.tuning.sessionTtlMs,
      digestEveryEntries: options.tuning.digestEveryEntries,
    };
    const { build = oneThread } = options;
    engine = build(await gated(options, held), store, await toMachine(machine), settings, emitter);
    await engine.start();
    if (early !== undefined) engine.onStoreFault(early);
    // What the room or the storage said while it opened may have ended it: nobody is handed a dead node.
    if (engine.ended !== undefined) throw engine.ended;
    throwIfAborted(signal);
    return { node: new Node(engine.parts), engine };
  } catch (error) {
    await (engine === undefined ? store.close() : engine.stop('stop')).catch(() => {});
    throw error;
  }
}

/** With the proof under every link, and the member's own key. Errors: invite-invalid, invite-expired, clock-skew. */
async function gated(options: OpenNodeOptions, held: HeldIdentity | undefined): Promise<NodeOptions> {
  const { access, clock, transport } = options;
  if (held === undefined || access === undefined) return options;
  const { cluster } = await held.store.load();
  const gate = new TrustGate(held.identity, cluster === undefined ? await withInvite(access, clock.wallMs()) : access, clock);
  return { ...options, ...(await successionOf(options, held)), gate, transport: gate.wrap(transport) };
}

/** In whose place it comes, with the proof of it. Without the lost identity's key in nobody's: then the autopilot's time decides. */
async function successionOf(
  { replaces, storage, access }: NodeOptions,
  { identity }: HeldIdentity,
): Promise<Pick<NodeOptions, 'replaces' | 'succession'>> {
  const nobody = { replaces: undefined, succession: undefined };
  if (replaces === undefined || access === undefined) return nobody;
  try {
    const pair = await storage.leftKey?.(access.shelf, replaces);
    if (pair === undefined) return nobody;
    const lost = await identityOf(pair, replaces);
    return { replaces, succession: await proveSuccession(lost, access.room, identity.publicKey) };
  } catch {
    return nobody;
  }
}

function checkOptions(options: NodeOptions): void {
  if (!ROOM_NAME_PATTERN.test(options.room)) {
    throw new RaftError(
      'room-invalid',
      'A room name has 1 to 64 letters, digits, dots, dashes or underscores, and starts with a letter or digit.',
    );
  }
  if (options.name.length > NAME_CHARACTERS_MAX)
    throw new RaftError('invalid-argument', `name takes at most ${NAME_CHARACTERS_MAX} characters.`);
  if (options.device !== undefined && (typeof options.device !== 'string' || options.device.length > DEVICE_CHARACTERS_MAX))
    throw new RaftError('invalid-argument', `device is a text of at most ${DEVICE_CHARACTERS_MAX} characters.`);
  requireInteger('priority', options.priority, 0, 100);
  if (options.suffrage !== 'voter' && options.suffrage !== 'learner')
    throw new RaftError('invalid-argument', `suffrage is 'voter' or 'learner', got ${String(options.suffrage)}.`);
  if (options.votersTarget !== undefined) requireInteger('votersTarget', options.votersTarget, ...VOTERS_TARGET_RANGE);
  if (options.minCopies !== undefined) requireCopies(options.minCopies, options.votersTarget ?? SETTINGS_DEFAULTS.votersTarget);
}

/** What a cluster has gone on without is kept, and takes no part. Errors: epoch-mismatch, corrupt. */
async function refuseRetired(store: NodeStore): Promise<void> {
  const why = retiredBecause(await store.load());
  if (why === undefined) return;
  const code = why.startsWith('epoch-mismatch') ? 'epoch-mismatch' : 'corrupt';
  throw new RaftError(
    code,
    `The node ${store.identity.nodeId} of this device takes part no more (${why}). What it holds is kept.`,
  );
}

/** So many copies are made only by so many voters. Errors: invalid-argument. */
function requireCopies(minCopies: number, votersTarget: number): void {
  requireInteger('minCopies', minCopies, ...MIN_COPIES_RANGE);
  const most = Math.floor(votersTarget / 2) + 1;
  if (minCopies > most)
    throw new RaftError(
      'invalid-argument',
      `${votersTarget} voters make ${most} copies before a command is acknowledged, not ${minCopies}: raise votersTarget.`,
    );
}

/** `open` is for what this device already holds: it never makes a new identity. */
async function refuseToInvent(store: NodeStore, options: NodeOptions): Promise<void> {
  if (options.mode !== 'open') return;
  const { cluster } = await store.load();
  if (cluster !== undefined) return;
  await store.wipe();
  throw new RaftError('rejected', 'This device holds no identity of this room to open.');
}

async function toMachine(machine: TypedDefinition | ByteMachine): Promise<Machine> {
  if (machine === keeper) return new KeeperMachine();
  if (!('apply' in machine)) return new TypedMachine(machine);
  const bytes = new BytesMachine(machine);
  await bytes.keepInitial();
  return bytes;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new RaftError('aborted', 'Opening the node was aborted.', { mayHaveApplied: false });
}
