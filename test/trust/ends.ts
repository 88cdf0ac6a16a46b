/** Two ends of a channel for the tests of the handshake: nodes with a standing of their own, a clock that is moved by hand, a wire that can be attacked. */
import type { NodeId } from '../../src/core/types.ts';
import { Handshake, type HandshakeFailure, type HandshakeResult, type ProvenPeer } from '../../src/trust/handshake/handshake.ts';
import type { ChannelBinding } from '../../src/trust/handshake/keys.ts';
import type { End } from '../../src/trust/handshake/messages.ts';
import type { HandshakeOptions } from '../../src/trust/handshake/offer.ts';
import { createKeyPair, type Identity, identityOf } from '../../src/trust/identity.ts';
import { type InviteTerms, type IssuedInvite, issueInvite, type PreparedInvite } from '../../src/trust/invite.ts';
import { InviteLedger, type TrustCommand, type TrustOutcome } from '../../src/trust/ledger.ts';
import { ResumeCache } from '../../src/trust/resume.ts';
import type { MemberRole } from '../../src/trust/roles.ts';
import { createSecret, type PreparedSecret, prepareSecret, type RoomSecret } from '../../src/trust/secret.ts';

export const ROOM = 'kitchen';
export const CLUSTER = 'cluster-1';
export const NOW_MS = 1_800_000_000_000;

export class HandClock {
  nowMs = 0;
  wall = NOW_MS;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  monotonicMs(): number {
    return this.nowMs;
  }
  wallMs(): number {
    return this.wall;
  }
  after(delayMs: number, run: () => void): { stop(): void } {
    const timer = { atMs: this.nowMs + delayMs, run };
    this.#timers.push(timer);
    return {
      stop: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }
  get waiting(): number {
    return this.#timers.length;
  }
  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { run } of due) run();
  }
}

/** A node: its identity, what it holds, and the cluster as it knows it. */
export class TestNode {
  readonly identity: Identity;
  readonly clock = new HandClock();
  readonly resume = new ResumeCache();
  secret: PreparedSecret | undefined;
  invite: PreparedInvite | undefined;
  clusterId = '';
  epoch = 0;
  members = new Map<NodeId, Uint8Array>();
  ledger = new InviteLedger();

  constructor(identity: Identity) {
    this.identity = identity;
  }

  get id(): NodeId {
    return this.identity.id;
  }

  options(end: End, peer: NodeId, binding: ChannelBinding | undefined): HandshakeOptions {
    const { identity, secret, invite, resume, clusterId, epoch, clock } = this;
    const standing = {
      memberKey: (id: NodeId) => this.members.get(id),
      isRevoked: (id: NodeId) => this.ledger.isRevoked(id),
      invite: (id: string) => this.ledger.invite(id, this.clock.wall),
    };
    return { identity, end, peer, room: ROOM, binding, secret, invite, resume, standing, clusterId, epoch, clock };
  }
}

export async function newIdentity(): Promise<Identity> {
  return identityOf(await createKeyPair(false));
}

export interface NodeTraits {
  readonly secret?: RoomSecret | undefined;
  readonly cluster?: string;
}

export async function newNode({ secret, cluster = '' }: NodeTraits = {}): Promise<TestNode> {
  const node = new TestNode(await newIdentity());
  node.secret = secret === undefined ? undefined : await prepareSecret(secret);
  node.clusterId = cluster;
  return node;
}

/** So many members of one cluster that know each other and share a ledger; with a secret unless said otherwise. */
export async function newCluster(size: number, secret: RoomSecret | 'no secret' = createSecret(ROOM)): Promise<TestNode[]> {
  const nodes = await Promise.all(
    Array.from({ length: size }, () => newNode({ secret: secret === 'no secret' ? undefined : secret, cluster: CLUSTER })),
  );
  const members = new Map(nodes.map(({ id, identity }) => [id, identity.publicKey]));
  const ledger = new InviteLedger();
  for (const node of nodes) Object.assign(node, { members: new Map(members), ledger });
  return nodes;
}

export function applyTo(
  ledger: InviteLedger,
  command: TrustCommand,
  by: NodeId,
  roles: Readonly<Record<NodeId, MemberRole>>,
  timeMs = NOW_MS,
): TrustOutcome {
  return ledger.apply(command, { clusterId: CLUSTER, by, timeMs, roleOf: (id) => roles[id] });
}

/** An invite of a member, taken in by the ledger. */
export async function inviteBy(member: TestNode, terms: Partial<InviteTerms> = {}): Promise<IssuedInvite> {
  const whole = { role: 'voter', uses: 1, expiresMs: NOW_MS + 60_000, ...terms } as const;
  const invite = await issueInvite(member.identity, CLUSTER, whole, NOW_MS);
  const { error } = applyTo(member.ledger, { kind: 'invite', ...invite }, member.id, { [member.id]: 'voter' });
  if (error !== undefined) throw error;
  return invite;
}

/** What becomes of a message on the wire: nothing, itself, something else, several. */
export type Tap = (from: End, message: Uint8Array, count: number) => readonly Uint8Array[];

export interface Seen {
  proven: ProvenPeer | undefined;
  failure: HandshakeFailure | undefined;
  /** The other end has closed the channel. */
  closed: boolean;
  readonly sent: Uint8Array[];
}

export interface Wired {
  readonly dialler: Handshake;
  readonly answerer: Handshake;
  readonly seen: Readonly<Record<End, Seen>>;
  /** Both results, once both have one and nothing is under way. */
  settled(): Promise<Readonly<Record<End, HandshakeResult>>>;
}

export interface Wiring {
  readonly tap?: Tap;
  readonly bindings?: Readonly<Record<End, ChannelBinding | undefined>>;
  readonly expected?: Readonly<Record<End, NodeId>>;
}

const FINGERPRINTS = { dialler: new Uint8Array(32).fill(1), answerer: new Uint8Array(32).fill(2) };
export const HONEST_BINDINGS: Readonly<Record<End, ChannelBinding>> = {
  dialler: { own: FINGERPRINTS.dialler, peer: FINGERPRINTS.answerer },
  answerer: { own: FINGERPRINTS.answerer, peer: FINGERPRINTS.dialler },
};

/** Links two nodes. As a link does it, an end that fails closes the channel behind what it sent. */
export function wire(dialler: TestNode, answerer: TestNode, wiring: Wiring = {}): Wired {
  const { tap = (_from, message) => [message], bindings = HONEST_BINDINGS } = wiring;
  const expected = wiring.expected ?? { dialler: answerer.id, answerer: dialler.id };
  const seen: Record<End, Seen> = {
    dialler: { proven: undefined, failure: undefined, closed: false, sent: [] },
    answerer: { proven: undefined, failure: undefined, closed: false, sent: [] },
  };
  const ends: Partial<Record<End, Handshake>> = {};
  const start = (end: End, node: TestNode): Handshake => {
    const other: End = end === 'dialler' ? 'answerer' : 'dialler';
    return Handshake.start(node.options(end, expected[end], bindings[end]), {
      send: (message) => {
        const count = seen[end].sent.push(message) - 1;
        for (const arriving of tap(end, message, count)) queueMicrotask(() => ends[other]?.onBytes(arriving));
      },
      onProven: (peer) => {
        seen[end].proven = peer;
      },
      onFailed: (failure) => {
        seen[end].failure = failure;
        queueMicrotask(() => {
          seen[other].closed = true;
          ends[other]?.close();
        });
      },
    });
  };
  ends.dialler = start('dialler', dialler);
  ends.answerer = start('answerer', answerer);
  const handshakes = { dialler: ends.dialler, answerer: ends.answerer };
  const settled = async (): Promise<Readonly<Record<End, HandshakeResult>>> => {
    const [a, b] = await Promise.all([handshakes.dialler.result, handshakes.answerer.result]);
    return { dialler: a, answerer: b };
  };
  return { ...handshakes, seen, settled };
}

/** Waits for something that happens in later tasks; WebCrypto answers from other threads. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Both ends know why the other does not talk to them. */
export async function bothFailed({ seen }: Wired): Promise<void> {
  await until(() => seen.dialler.failure !== undefined && seen.answerer.failure !== undefined);
}

/** The channel is over for both, whether or not one of them was told why. */
export async function bothOver({ seen }: Wired): Promise<void> {
  const isOver = ({ failure, closed, proven }: Seen) => failure !== undefined || (closed && proven !== undefined);
  await until(() => isOver(seen.dialler) && isOver(seen.answerer));
}
