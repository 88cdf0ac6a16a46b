/**
 * Well-formed messages of every kind that a peer can send, near enough to what the cluster is doing to matter if somebody
 * acts on them: of terms and indexes about where the leader is, in the name of the sender and of others.
 */
import { EMPTY_CONF } from '../../core/conf/conf-change.ts';
import { type Entry, type Message, type MessageType, makeEntry, NO_BYTES, type NodeId } from '../../core/types.ts';
import { encodeMember, MEMBER_DEFAULTS } from '../../runtime/member/configuration.ts';
import { encodeChange, encodeJoin, encodeProposal } from '../../wire/bodies.ts';
import type { CallMethod, Hello, PeerMessage } from '../../wire/peer-message.ts';
import { PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from '../../wire/peer-message.ts';
import { KINDS, METHODS, RAFT_TYPE_NAMES, REFUSAL_REASONS } from '../../wire/tables.ts';
import type { Prng } from '../prng.ts';

/** What whoever listens to the cluster can know of it. */
export interface Overheard {
  readonly clusterId: string;
  readonly term: number;
  readonly lastIndex: number;
  readonly ids: readonly NodeId[];
}

/** Everything that there is to say, by name. */
export const SAID: readonly string[] = [
  ...KINDS.filter((kind) => kind !== 'raft' && kind !== 'call'),
  ...RAFT_TYPE_NAMES,
  ...METHODS.filter((method) => method !== undefined),
];

/** The name of what a message says. */
export function nameOf(message: PeerMessage): string {
  if (message.kind === 'raft') return message.message.type;
  return message.kind === 'call' ? message.method : message.kind;
}

/** Nobody honest says these, so that a link is dropped for them: a careful intruder does not. */
const FORBIDDEN: ReadonlySet<string> = new Set(['snapshot-request', 'propose-request', 'transfer-request']);

export class HostileMessages {
  readonly #random: Prng;
  readonly #self: NodeId;
  #calls = 0;

  constructor(random: Prng, self: NodeId) {
    this.#random = random;
    this.#self = self;
  }

  hello(clusterId: string): Hello {
    return {
      kind: 'hello',
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION_MAX,
      nodeId: this.#self,
      bootNonce: `${this.#self}-boot`,
      clusterId,
      epoch: clusterId === '' ? 0 : 1,
      machineVersion: 1,
      name: this.#self,
    };
  }

  /** Anything, to `peer`. `careful`: nothing that only a forger says, so that it goes on being heard. */
  next(peer: NodeId, known: Overheard, careful: boolean): PeerMessage {
    const random = this.#random;
    // Half of all is of the algorithm, which has the most to break.
    const kind = random.chance(0.5) ? 'raft' : random.pick(KINDS);
    switch (kind) {
      case 'hello':
        return this.hello(random.pick([known.clusterId, '', `not ${known.clusterId}`]));
      case 'raft':
        return { kind, group: 0, message: this.#raft(peer, known, careful) };
      case 'call':
        return this.#call(known, careful);
      case 'reply':
        return { kind, id: random.between(1, 40), error: null, body: this.#bytes() };
      case 'snapshot-offer': {
        const request = this.#raftOf('snapshot-request', peer, known, careful);
        if (request.type !== 'snapshot-request') throw new Error('not what was asked for');
        return { kind, transfer: random.between(1, 9), request, bytes: 3, digest: '00' };
      }
      case 'snapshot-chunk':
        return { kind, transfer: random.between(1, 9), sequence: random.below(3), last: random.chance(0.5), data: this.#bytes() };
      case 'snapshot-ack':
        return { kind, transfer: random.between(1, 9), next: random.below(3), refused: random.chance(0.5) };
      case 'goodbye':
        return { kind, reason: random.pick(['stop', 'pagehide', 'leave', 'removed'] as const) };
      case 'presence':
        return { kind, ttlMs: random.between(1, 1_000), data: random.chance(0.3) ? null : this.#bytes() };
      default:
        return {
          kind: 'refusal',
          reason: random.pick(REFUSAL_REASONS),
          message: 'This node was removed from the cluster; it is of epoch 9.',
        };
    }
  }

  #raft(peer: NodeId, known: Overheard, careful: boolean): Message {
    const types = careful ? RAFT_TYPE_NAMES.filter((type) => !FORBIDDEN.has(type)) : RAFT_TYPE_NAMES;
    return this.#raftOf(this.#random.pick(types), peer, known, careful);
  }

  /** Unless it is careful, now and then in the name of another. */
  #raftOf(type: MessageType, peer: NodeId, known: Overheard, careful: boolean): Message {
    const random = this.#random;
    const from = !careful && random.chance(0.1) ? random.pick(known.ids) : this.#self;
    // A member that raises terms has no leader last, and is believed: that costs availability, and proves nothing more.
    const term = Math.max(1, known.term + random.between(-1, careful ? 0 : 2));
    const ends = { from, to: peer, term };
    const index = Math.max(0, known.lastIndex + random.between(-3, 3));
    const reject = random.chance(0.3);
    switch (type) {
      case 'append-request':
        return { ...ends, type, prevIndex: index, prevTerm: term, commit: index + 1, entries: [this.#entry(index + 1, term)] };
      case 'append-response':
        return { ...ends, type, index, reject, hintIndex: reject ? Math.max(0, index - 1) : 0, hintTerm: 0, commit: index };
      case 'heartbeat-request':
        return { ...ends, type, commit: index, round: random.below(20) };
      case 'heartbeat-response':
        return { ...ends, type, round: random.below(200) };
      case 'vote-request': {
        const transfer = random.chance(0.5);
        const vote = {
          lastIndex: index,
          lastTerm: Math.min(term, known.term),
          priority: 9,
          ...this.#commit(index, term, careful),
        };
        return { ...ends, type, pre: random.chance(0.5), transfer, ...vote };
      }
      case 'vote-response':
        return { ...ends, type, pre: random.chance(0.5), reject, ...this.#commit(index, term, careful || !reject) };
      case 'snapshot-request':
        return {
          ...ends,
          type,
          snapshot: { index: index + 5, term, conf: { ...EMPTY_CONF, voters: [this.#self] }, data: undefined },
        };
      case 'transfer-request':
        return { ...ends, type, target: this.#self };
      case 'proxy-vote':
        return { ...ends, type, lastIndex: known.lastIndex, lastTerm: Math.min(term, known.term), sealed: true };
      case 'timeout-now':
      case 'transfer-refused':
        return { ...ends, type };
      case 'propose-request':
        return { ...ends, type, entries: [this.#entry(0, 0)] };
      case 'read-index-request':
        return { ...ends, type, context: `x${random.below(9)}` };
      default:
        return { ...ends, type: 'read-index-response', context: `r${random.below(9)}`, index, reject };
    }
  }

  /** What a member's vote says to be committed is believed (commitInVotes): a careful one says nothing. */
  #commit(index: number, term: number, silent: boolean): { readonly commit: number; readonly commitTerm: number } {
    return silent ? { commit: 0, commitTerm: 0 } : { commit: index, commitTerm: term };
  }

  #entry(index: number, term: number): Entry {
    return makeEntry(index, term, 'normal', 0, this.#random.chance(0.5) ? NO_BYTES : this.#bytes(), undefined);
  }

  #call(known: Overheard, careful: boolean): PeerMessage {
    const methods = METHODS.filter((method) => method !== undefined);
    const method = this.#random.pick(methods);
    this.#calls += 1;
    return { kind: 'call', id: this.#calls, method, body: this.#body(method, known, careful) };
  }

  /** What a member asks for is its right: a careful one says nothing there that could be meant. */
  #body(method: CallMethod, known: Overheard, careful: boolean): Uint8Array {
    if (method === 'propose') return encodeProposal([this.#bytes()]);
    if (careful || this.#random.chance(0.3)) return this.#bytes();
    const voter = this.#random.pick(known.ids);
    if (method === 'membership') {
      const steps = [{ op: 'remove' as const, id: voter, context: undefined }];
      return encodeChange({ steps, transition: 'auto', ifVersion: 0 });
    }
    // It wants no vote: whoever is given one is trusted with it.
    const wants = { ...MEMBER_DEFAULTS, wants: 'learner' as const, replaces: voter };
    return method === 'join'
      ? encodeJoin({ nodeId: this.#random.pick([voter, 'x-other', '']), context: encodeMember(wants) })
      : this.#bytes();
  }

  #bytes(): Uint8Array {
    return Uint8Array.from({ length: this.#random.between(1, 24) }, () => this.#random.below(256));
  }
}
