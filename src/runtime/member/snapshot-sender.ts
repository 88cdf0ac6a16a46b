/**
 * The sending half of a snapshot's transfer (ch. 5): offers it, then sends chunks only as far ahead as the
 * receiver has stored, on the bulk lane, so that heartbeats never wait behind it.
 */
import type { NodeId, SnapshotRequest } from '../../core/types.ts';
import type { NodeStore, StoredSnapshot } from '../../storage/storage.ts';
import type { SnapshotAck, SnapshotChunk, SnapshotOffer } from '../../wire/peer-message.ts';
import type { Clock } from '../ports/clock.ts';

/** Bytes of one chunk on a link. */
export const SNAPSHOT_CHUNK_BYTES: number = 64 * 1024;
/** Chunks sent ahead of the receiver's acknowledgement. */
export const SNAPSHOT_WINDOW_CHUNKS = 8;
/** A transfer without any progress for so long, in ms, has failed. Storing a chunk counts as progress, applying does not matter. */
export const SNAPSHOT_STALL_MS = 15_000;

/** What a snapshot is sent for: snapshot-transfers.ts says what either means. */
export type Purpose = 'follow' | 'resync';

export interface SenderHooks {
  send(peer: NodeId, message: SnapshotOffer | SnapshotChunk): boolean;
  /** How it ended, for the core's progress and for events. */
  onEnd(peer: NodeId, ok: boolean, snapshot: StoredSnapshot | undefined): void;
  /** The receiver is at work: the core should not give it up. */
  onProgress(peer: NodeId): void;
}

interface Transfer {
  readonly peer: NodeId;
  readonly purpose: Purpose;
  readonly number: number;
  readonly snapshot: StoredSnapshot;
  readonly chunks: AsyncIterator<Uint8Array>;
  /** Next chunk to send, and the lowest the receiver has not stored. */
  sent: number;
  acked: number;
  /** Number of the last chunk, once it is known. */
  last: number | undefined;
  progressMs: number;
  reading: boolean;
}

export class SnapshotSender {
  readonly #store: NodeStore;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #hooks: SenderHooks;
  readonly #transfers = new Map<NodeId, Transfer>();
  /** Storage is being asked for its snapshot, for these. */
  readonly #starting = new Map<NodeId, Purpose>();
  #nextNumber = 1;

  constructor(store: NodeStore, clock: Pick<Clock, 'monotonicMs'>, hooks: SenderHooks) {
    this.#store = store;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  isSending(peer: NodeId, purpose: Purpose): boolean {
    return (this.#transfers.get(peer)?.purpose ?? this.#starting.get(peer)) === purpose;
  }

  /** `request.to` is to have the latest snapshot. A transfer under way serves as well, but not one to follow for a resync. */
  start(request: SnapshotRequest, purpose: Purpose): void {
    const peer = request.to;
    const underWay = this.#transfers.get(peer)?.purpose ?? this.#starting.get(peer);
    if (underWay === 'resync' || underWay === purpose) return;
    this.#end(peer, false);
    this.#starting.set(peer, purpose);
    this.#store.snapshot().then(
      (snapshot) => this.#started(request, purpose, snapshot),
      () => this.#started(request, purpose, undefined),
    );
  }

  #started(request: SnapshotRequest, purpose: Purpose, snapshot: StoredSnapshot | undefined): void {
    const peer = request.to;
    // Ended meanwhile, or started anew for a resync.
    if (this.#starting.get(peer) !== purpose) return;
    this.#starting.delete(peer);
    if (snapshot === undefined) this.#hooks.onEnd(peer, false, undefined);
    else this.#offer(request, purpose, snapshot);
  }

  #offer(request: SnapshotRequest, purpose: Purpose, snapshot: StoredSnapshot): void {
    const number = this.#nextNumber++;
    const chunks = rechunk(snapshot.chunks(), SNAPSHOT_CHUNK_BYTES)[Symbol.asyncIterator]();
    this.#transfers.set(request.to, {
      peer: request.to,
      purpose,
      number,
      snapshot,
      chunks,
      sent: 0,
      acked: 0,
      last: undefined,
      progressMs: this.#clock.monotonicMs(),
      reading: false,
    });
    // A newer snapshot than the core knew of serves as well.
    const message: SnapshotOffer = {
      kind: 'snapshot-offer',
      transfer: number,
      request: { ...request, snapshot: snapshot.meta },
      bytes: snapshot.bytes,
      digest: snapshot.digest,
    };
    if (!this.#hooks.send(request.to, message)) this.#end(request.to, false);
  }

  onAck(peer: NodeId, ack: SnapshotAck): void {
    const transfer = this.#transfers.get(peer);
    if (transfer === undefined || transfer.number !== ack.transfer) return;
    if (ack.refused) return this.#end(peer, false);
    transfer.progressMs = this.#clock.monotonicMs();
    transfer.acked = Math.max(transfer.acked, ack.next);
    this.#hooks.onProgress(peer);
    if (transfer.last !== undefined && transfer.acked > transfer.last) return this.#end(peer, true);
    void this.#pumpChunks(transfer);
  }

  /** Reads and sends chunks while the window allows; one reader per transfer. Never rejects. */
  async #pumpChunks(transfer: Transfer): Promise<void> {
    if (transfer.reading) return;
    transfer.reading = true;
    try {
      while (
        this.#transfers.get(transfer.peer) === transfer &&
        transfer.last === undefined &&
        transfer.sent < transfer.acked + SNAPSHOT_WINDOW_CHUNKS
      ) {
        const next = await transfer.chunks.next();
        const last = next.done === true;
        const data = last ? new Uint8Array(0) : next.value;
        const skip = transfer.sent < transfer.acked;
        const sequence = transfer.sent++;
        if (last) transfer.last = sequence;
        // Below what the receiver already holds (a transfer that is resumed) nothing is sent again.
        if (skip && !last) continue;
        if (!this.#hooks.send(transfer.peer, { kind: 'snapshot-chunk', transfer: transfer.number, sequence, last, data }))
          this.#end(transfer.peer, false);
      }
    } catch {
      this.#end(transfer.peer, false);
    } finally {
      transfer.reading = false;
    }
  }

  tick(): void {
    const stalled = this.#clock.monotonicMs() - SNAPSHOT_STALL_MS;
    for (const transfer of [...this.#transfers.values()]) if (transfer.progressMs < stalled) this.#end(transfer.peer, false);
  }

  /** A link closed, or leadership is over. */
  abort(peer?: NodeId): void {
    for (const id of peer === undefined ? [...this.#transfers.keys(), ...this.#starting.keys()] : [peer]) this.#end(id, false);
  }

  #end(peer: NodeId, ok: boolean): void {
    const transfer = this.#transfers.get(peer);
    this.#transfers.delete(peer);
    const starting = this.#starting.delete(peer);
    if (transfer === undefined) {
      if (starting) this.#hooks.onEnd(peer, false, undefined);
      return;
    }
    // What reads the snapshot for it may hold a file open, or a transaction.
    void Promise.resolve(transfer.chunks.return?.()).catch(() => {});
    this.#hooks.onEnd(peer, ok, transfer.snapshot);
  }
}

/** The same bytes in pieces of `size`, so that a piece's number says where it lies. */
export async function* rechunk(chunks: AsyncIterable<Uint8Array>, size: number): AsyncIterable<Uint8Array> {
  let held = new Uint8Array(size);
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + size - length);
      held.set(part, length);
      length += part.length;
      at += part.length;
      if (length < size) continue;
      yield held;
      held = new Uint8Array(size);
      length = 0;
    }
  }
  if (length > 0) yield held.subarray(0, length);
}
