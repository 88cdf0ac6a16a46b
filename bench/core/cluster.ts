/** Voters in one process: memory logs, immediate delivery, messages as objects or as bytes. */

import { EMPTY_CONF } from '../../src/core/conf/conf-change.ts';
import { type ConfigInput, makeConfig } from '../../src/core/config.ts';
import { seededRandom } from '../../src/core/random.ts';
import { RawNode } from '../../src/core/raw-node.ts';
import type { ConfState, Entry, Index, LogReader, Message, Ready, SnapshotMeta, Term } from '../../src/core/types.ts';
import { decodePeerMessage, encodePeerMessage, type LinkEnds } from '../../src/wire/codec.ts';

/** A log in an array; what is older than `keep` entries is dropped now and then, as compaction does. */
class ArrayLog implements LogReader {
  kept: Entry[] = [];
  #base: Index = 0;
  #baseTerm: Term = 0;
  readonly #conf: ConfState;
  readonly #keep: number;

  constructor(conf: ConfState, keep: number) {
    this.#conf = conf;
    this.#keep = keep;
  }

  firstIndex(): Index {
    return this.#base + 1;
  }

  lastIndex(): Index {
    return this.#base + this.kept.length;
  }

  term(index: Index): Term | 'unavailable' {
    return index === this.#base ? this.#baseTerm : (this.kept[index - this.#base - 1]?.term ?? 'unavailable');
  }

  entries(from: Index, to: Index): readonly Entry[] {
    return this.kept.slice(from - this.#base - 1, to - this.#base - 1);
  }

  snapshot(): SnapshotMeta {
    return { index: this.#base, term: this.#baseTerm, conf: this.#conf, data: undefined };
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const first = entries[0] as Entry;
    const place = first.index - this.#base - 1;
    if (place < this.kept.length) this.kept.length = place;
    for (let i = 0; i < entries.length; i++) this.kept.push(entries[i] as Entry);
    if (this.kept.length > 2 * this.#keep) this.#compact();
  }

  #compact(): void {
    const drop = this.kept.length - this.#keep;
    this.#baseTerm = (this.kept[drop - 1] as Entry).term;
    this.#base += drop;
    this.kept = this.kept.slice(drop);
  }
}

export interface ClusterOptions {
  readonly voters: number;
  /** Messages cross the wire codec, as they do between tabs. */
  readonly wire: boolean;
  readonly config: Partial<ConfigInput>;
  /** Entries each log keeps, at least. */
  readonly keep: number;
  /** Every node, the leader's included, applies every entry. */
  readonly apply: (node: number, entry: Entry) => void;
  /** The first node has applied some: who waited for that may propose again. */
  readonly done: () => void;
}

export class Cluster {
  readonly nodes: RawNode[] = [];
  readonly #logs: ArrayLog[] = [];
  readonly #byId = new Map<string, number>();
  readonly #wire: boolean;
  readonly #apply: ClusterOptions['apply'];
  readonly #done: ClusterOptions['done'];
  /** Messages on their way, by receiver. */
  readonly #inboxes: Message[][] = [];
  /** What is being read is emptied and used again: an environment's queues need not be made anew for every message. */
  readonly #read: Message[][] = [];
  /** By sender, then by receiver: what the two ends of a link know of it, as between linked nodes. */
  readonly #ends: LinkEnds[][] = [];
  messages = 0;
  bytes = 0;

  constructor({ voters, wire, config, keep, apply, done }: ClusterOptions) {
    this.#wire = wire;
    this.#apply = apply;
    this.#done = done;
    const ids = Array.from({ length: voters }, (_, i) => `node-${String(i).padStart(12, '0')}`);
    const conf: ConfState = { ...EMPTY_CONF, voters: ids };
    ids.forEach((id, i) => {
      const log = new ArrayLog(conf, keep);
      this.#logs.push(log);
      this.#byId.set(id, i);
      this.#inboxes.push([]);
      this.#read.push([]);
      const hardState = { term: 0, vote: '', commit: 0 };
      this.nodes.push(new RawNode(makeConfig({ id, random: seededRandom(i), ...config }), log, { hardState, conf, applied: 0 }));
    });
    for (const self of ids) this.#ends.push(ids.map((peer) => ({ self, peer })));
    (this.nodes[0] as RawNode).campaign();
    this.settle();
  }

  /** Until nobody has anything to do. */
  settle(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (let i = 0; i < this.nodes.length; i++) {
        const node = this.nodes[i] as RawNode;
        const inbox = this.#inboxes[i] as Message[];
        if (inbox.length > 0) {
          busy = true;
          this.#inboxes[i] = this.#read[i] as Message[];
          this.#read[i] = inbox;
          for (let k = 0; k < inbox.length; k++) node.step(inbox[k] as Message);
          while (inbox.length > 0) inbox.pop();
        }
        while (node.hasReady()) {
          busy = true;
          this.#work(i, node, node.ready());
        }
      }
    }
  }

  #work(i: number, node: RawNode, ready: Ready): void {
    this.#send(i, ready.messages);
    (this.#logs[i] as ArrayLog).append(ready.entries);
    if (ready.mark !== undefined) node.persisted(ready.mark);
    const after = ready.messagesAfterPersist;
    for (let k = 0; k < after.length; k++) {
      const message = after[k] as Message;
      if (message.to === node.id) node.step(message);
    }
    this.#send(i, after);
    const { committedEntries } = ready;
    if (committedEntries.length === 0) return;
    for (let k = 0; k < committedEntries.length; k++) this.#apply(i, committedEntries[k] as Entry);
    node.applied((committedEntries[committedEntries.length - 1] as Entry).index);
    if (i === 0) this.#done();
  }

  #send(from: number, messages: readonly Message[]): void {
    for (let k = 0; k < messages.length; k++) {
      const message = messages[k] as Message;
      const to = this.#byId.get(message.to) as number;
      if (to === from) continue;
      this.messages++;
      (this.#inboxes[to] as Message[]).push(this.#wire ? this.#cross(message, from, to) : message);
    }
  }

  #cross(message: Message, from: number, to: number): Message {
    const bytes = encodePeerMessage({ kind: 'raft', group: 0, message }, this.#ends[from]?.[to]);
    this.bytes += bytes.length;
    const decoded = decodePeerMessage(bytes, this.#ends[to]?.[from]);
    if (decoded.kind !== 'raft') throw new Error('not a raft message');
    return decoded.message;
  }
}
