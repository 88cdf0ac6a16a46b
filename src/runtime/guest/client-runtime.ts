/** A client, wired: links and their proof, one member at a time, the ordinary writes with that member as their leader. */
import { RaftError } from '../../core/errors.ts';
import { type Index, makeEntry, NO_BYTES, type NodeId } from '../../core/types.ts';
import type { Signaling } from '../../signaling/signaling.ts';
import type { Applied } from '../../state/replicated-state.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Access } from '../../trust/access.ts';
import type { TrustGate } from '../../trust/links/gate.ts';
import { clientName } from '../../trust/roles.ts';
import { decodeWritten, encodeClientQuestion } from '../../wire/client-bodies.ts';
import type { Hello } from '../../wire/peer-message.ts';
import { PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../wire/peer-message.ts';
import { Proposals } from '../client/proposals.ts';
import { Writes } from '../client/writes.ts';
import { Discovery } from '../duties/discovery.ts';
import type { InboxView } from '../peers/inbox.ts';
import { Peers } from '../peers/peers.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProposalBatch } from '../ports/seam.ts';
import { Hosts } from './hosts.ts';
import { Questions } from './questions.ts';
import { appliedOf } from './written.ts';

/** Of its deadlines and of what waits for a member, in ms. */
const TICK_MS = 50;
/** A member that has not answered a proposal for so long is asked again, or another is, in ms. */
const PROPOSE_ANSWER_MS = 5_000;
/** After so long without a member that takes it, the refusal of those that do not is the answer, in ms. */
const HOPELESS_AFTER_MS = 3_000;
/** It belongs to no cluster, and has heard of no other secret than its own. */
const NOBODYS = { clusterId: '', epoch: 0, secret: { epoch: 0, commitment: NO_BYTES } } as const;
/** What the log says comes without its entry. */
const NO_ENTRY = makeEntry(0, 0, 'normal', 0, NO_BYTES, undefined);

export interface ClientParts {
  readonly id: NodeId;
  readonly bootNonce: string;
  readonly access: Access | undefined;
  readonly room: string;
  readonly name: string;
  /** With the proof under its links. */
  readonly transport: Transport;
  readonly gate: TrustGate | undefined;
  readonly signaling: Signaling;
  readonly clock: Clock;
  readonly machineVersion: number;
  readonly callTimeoutMs: number;
  readonly pendingCallsMax: number;
  readonly onFault: (error: RaftError) => void;
}

export class ClientRuntime {
  readonly parts: ClientParts;
  readonly writes: Writes;
  readonly questions: Questions;
  readonly hosts: Hosts;
  readonly #peers: Peers;
  readonly #proposals: Proposals;
  readonly #discovery: Discovery;
  readonly #waiters = new Set<() => void>();
  #ticking: { stop(): void } | undefined;
  #woken = false;
  #seen: Index = 0;
  #refused: { readonly error: RaftError; readonly atMs: number } | undefined;
  #ended: RaftError | undefined;

  constructor(parts: ClientParts) {
    const { id, bootNonce, clock, transport, signaling, machineVersion, pendingCallsMax } = parts;
    this.parts = parts;
    this.#peers = new Peers(id, transport, clock);
    this.#discovery = new Discovery(signaling);
    this.hosts = new Hosts(this.#peers, clock, () => this.#onHost());
    this.questions = new Questions(this.hosts, clock, (host, body, timeoutMs, done) =>
      this.#peers.call(host, 'client', body, timeoutMs, (result) => done(result.body, result.error)),
    );
    this.#proposals = new Proposals({
      leadership: () => {
        const { host, generation } = this.hosts;
        return host === undefined ? undefined : { leaderId: host, term: generation, isSelf: false };
      },
      propose: (batch) => this.#propose(batch),
      wake: () => this.#wake(),
    });
    this.writes = new Writes(
      { id: clientName(id), bootNonce, bootCount: 0 },
      machineVersion,
      pendingCallsMax,
      clock,
      this.#proposals,
    );
    this.#attach();
  }

  get ended(): RaftError | undefined {
    return this.#ended;
  }

  /** The greatest index that this client has seen: nothing older is shown to it, whoever answers. */
  get seen(): Index {
    return this.#seen;
  }

  saw(index: Index): void {
    if (index > this.#seen) this.#seen = index;
  }

  #attach(): void {
    const nothing = (): void => {};
    const { gate } = this.parts;
    this.#peers.attach({
      hello: () => this.#hello(),
      judge: () => undefined,
      view: this.#view(),
      onPeer: () => this.#later(),
      onGoodbye: (peer) => {
        if (peer === this.hosts.host) this.hosts.failed(peer, new RaftError('stopped', 'The member said goodbye.'));
      },
      onCall: (_peer, _call, reply) => reply(NO_BYTES, new RaftError('not-a-member', 'This is a client.')),
      onRefused: nothing,
      onNotMember: nothing,
      onRaft: nothing,
      onSnapshotOffer: nothing,
      onSnapshotChunk: nothing,
      onSnapshotAck: nothing,
      onPresence: nothing,
      onTrace: nothing,
      onUnsendable: (error) => this.parts.onFault(error),
    });
    gate?.attach(
      { ...NOBODYS, memberKey: () => undefined, isRevoked: () => false, invite: () => undefined },
      {
        onProven: nothing,
        onFault: (error) => this.parts.onFault(error),
        onRefused: (_peer, { error }) => this.#onRefused(error),
      },
    );
  }

  /** What says most is kept: another client, which knows of no invite, calls every one of them invalid. */
  #onRefused(error: RaftError): void {
    if (error.retryable) return;
    const { atMs } = this.#refused ?? { atMs: this.parts.clock.monotonicMs() };
    if (this.#refused === undefined || error.code !== 'invite-invalid') this.#refused = { error, atMs };
  }

  /** As of who belongs to no cluster: it knows nobody's rank, and listens to nobody but in answers. */
  #view(): InboxView {
    return {
      speaker: (peer) => (this.#peers.get(peer)?.fits === true ? 'newcomer' : 'stranger'),
      term: 0,
      knownTerm: 0,
      lastIndex: 0,
      leaderId: '',
    };
  }

  #hello(): Hello {
    const { id, bootNonce, machineVersion, name } = this.parts;
    const versions = { versionMin: PROTOCOL_VERSION_MIN, versionMax: PROTOCOL_VERSION_MAX };
    return { kind: 'hello', ...versions, nodeId: id, bootNonce, clusterId: '', epoch: 0, machineVersion, name };
  }

  /** Errors: webrtc-unavailable, room-invalid. */
  async start(): Promise<void> {
    const { id, transport, clock, access, room, bootNonce, onFault } = this.parts;
    const handlers = {
      onMessage: (peer: NodeId, bytes: Uint8Array) => this.#peers.onMessage(peer, bytes),
      onLink: (peer: NodeId, state: 'connecting' | 'open' | 'closed') => this.#peers.onLink(peer, state),
      onFault,
    };
    await transport.start(id, handlers, this.#discovery);
    this.#ticking = clock.startTicks(TICK_MS, () => this.#tick());
    const entry = { room: access?.rendezvous ?? room, nodeId: id, bootNonce, clusterId: undefined, mayFound: false };
    const nothing = (): void => {};
    await this.#discovery.enter(entry, { onGrant: nothing, onCluster: nothing, onState: () => this.#askWaiters() });
  }

  #tick(): void {
    if (this.#ended !== undefined) return;
    this.#peers.tick();
    this.hosts.look();
    this.writes.tick();
    this.questions.tick();
    this.#askWaiters();
    this.#wake();
  }

  /** Not at once: the peer whose link this is told of is not judged yet. */
  #later(): void {
    this.parts.clock.soon(() => {
      if (this.#ended === undefined) this.hosts.look();
    });
  }

  #onHost(): void {
    if (this.hosts.host !== undefined) this.#refused = undefined;
    this.questions.pump();
    this.#wake();
    this.#askWaiters();
  }

  #wake(): void {
    if (this.#woken || this.#ended !== undefined) return;
    this.#woken = true;
    this.parts.clock.soon(() => {
      this.#woken = false;
      // Its journal has no disk: what is not answered is forgotten with this page.
      if (this.#ended === undefined) this.writes.flush();
    });
  }

  #propose({ ticket, leadership, data }: ProposalBatch): void {
    const host = leadership.leaderId;
    const body = encodeClientQuestion({ kind: 'propose', data });
    this.#peers.call(host, 'client', body, PROPOSE_ANSWER_MS, (result) => {
      const written = result.error ?? writtenIn(data, result.body);
      if (!RaftError.is(written)) {
        this.hosts.answered(host);
        this.#proposals.onAnswer(ticket, undefined);
        for (const applied of written) this.#onWritten(applied);
        return;
      }
      const isTriedAgain = this.hosts.failed(host, written);
      // Whether it arrived nobody can say: it is sent again under its number.
      const told =
        isTriedAgain && !written.retryable ? new RaftError('link-failed', written.message, { cause: written }) : written;
      this.#proposals.onAnswer(ticket, told);
      this.#wake();
    });
  }

  #onWritten(applied: Applied): void {
    if (applied.kind === 'command') this.saw(applied.index);
    this.writes.onApplied(NO_ENTRY, applied);
  }

  /** Resolves when a member takes it. Errors: timeout, aborted, stopped, and what hinders it. */
  whenHosted(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.parts;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    return new Promise((resolve, reject) => {
      const end = (error: RaftError | undefined): void => {
        this.#waiters.delete(ask);
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => end(new RaftError('aborted', 'The call was aborted.', { mayHaveApplied: false }));
      const ask = (): void => {
        if (this.#ended !== undefined) return end(this.#ended);
        if (this.hosts.host !== undefined) return end(undefined);
        const now = clock.monotonicMs();
        if (this.#refused !== undefined && now - this.#refused.atMs >= HOPELESS_AFTER_MS) return end(this.#refused.error);
        if (now >= deadlineMs) end(this.#hindrance());
      };
      this.#waiters.add(ask);
      signal?.addEventListener('abort', onAbort, { once: true });
      ask();
    });
  }

  #hindrance(): RaftError {
    if (this.#refused !== undefined) return this.#refused.error;
    const { state, error } = this.#discovery;
    if (state === 'open') return new RaftError('not-a-member', 'Nobody in this room belongs to a cluster and takes this client.');
    const code = error?.code === 'signaling-refused' ? 'signaling-refused' : 'signaling-unreachable';
    return new RaftError(code, 'The signaling server cannot be reached.', { cause: error });
  }

  #askWaiters(): void {
    for (const ask of [...this.#waiters]) ask();
  }

  async stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const error = new RaftError('stopped', 'The client was stopped.');
    this.#peers.goodbye('leave');
    this.#ended = error;
    this.#ticking?.stop();
    this.writes.stop('stopped', error.message);
    this.questions.stop(error);
    this.#peers.stop(error);
    this.#askWaiters();
    await this.parts.transport.stop().catch(() => {});
    await this.#discovery.close().catch(() => {});
  }
}

function writtenIn(data: readonly Uint8Array[], body: Uint8Array): Applied[] | RaftError {
  try {
    return appliedOf(data, decodeWritten(body));
  } catch (error) {
    return RaftError.is(error) ? error : new RaftError('message-invalid', String(error));
  }
}
