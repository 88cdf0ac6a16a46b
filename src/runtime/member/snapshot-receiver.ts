/**
 * The receiving half of a snapshot's transfer (ch. 5): chunks go to storage as they come; when all are
 * durable and their digest is right, the core is told. What was stored before a link broke is kept for the
 * next offer of the same snapshot.
 */
import type { Index, NodeId, SnapshotMeta, SnapshotRequest } from '../../core/types.ts';
import type { NodeStore, SnapshotWriter, StagedSnapshot } from '../../storage/storage.ts';
import type { SnapshotAck, SnapshotChunk, SnapshotOffer } from '../../wire/peer-message.ts';
import type { Clock } from '../ports/clock.ts';
import { type Purpose, SNAPSHOT_STALL_MS, SNAPSHOT_WINDOW_CHUNKS } from './snapshot-sender.ts';

/** Greatest snapshot that is taken, in bytes; a larger offer is refused. */
export const SNAPSHOT_BYTES_MAX: number = 2 * 1024 * 1024 * 1024;

/** A resync of which nothing came for so long, in ms, does not come: the leader takes its snapshot first, then sends it. */
export const RESYNC_STALL_MS: number = 2 * SNAPSHOT_STALL_MS;

export interface ReceiverHooks {
  sendAck(peer: NodeId, ack: SnapshotAck): void;
  /** The lowest index of a snapshot that the log here can be applied to. */
  lowestResync(): Index;
  /** One for `follow` is stored: the core decides whether to take it, by way of takeStaged. */
  onFollow(request: SnapshotRequest): void;
  /** One for `resync` is stored. */
  onResync(staged: StagedSnapshot): void;
  onFault(error: unknown): void;
}

interface Incoming {
  peer: NodeId;
  purpose: Purpose;
  transfer: number;
  request: SnapshotRequest;
  readonly digest: string;
  readonly bytes: number;
  writer: SnapshotWriter | undefined;
  next: number;
  received: number;
  /** Storage works one chunk after the other. */
  queue: Promise<void>;
  failed: boolean;
  /** Chunks that storage has not taken yet. */
  queued: number;
}

/** This node has asked its leader for its state. */
interface AwaitedResync {
  readonly leader: NodeId;
  readonly onFailed: () => void;
  /** When the asking, or the latest of what came, was. */
  progressMs: number;
}

export class SnapshotReceiver {
  readonly #store: NodeStore;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #hooks: ReceiverHooks;
  #incoming: Incoming | undefined;
  #staged: StagedSnapshot | undefined;
  #awaited: AwaitedResync | undefined;

  constructor(store: NodeStore, clock: Pick<Clock, 'monotonicMs'>, hooks: ReceiverHooks) {
    this.#store = store;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  get isReceiving(): boolean {
    return this.#incoming !== undefined;
  }

  onOffer(peer: NodeId, offer: SnapshotOffer): void {
    const purpose: Purpose = this.#awaited?.leader === peer ? 'resync' : 'follow';
    // An older one would leave a hole between it and the log.
    const tooOld = purpose === 'resync' && offer.request.snapshot.index < this.#hooks.lowestResync();
    if (offer.bytes > SNAPSHOT_BYTES_MAX || tooOld)
      return this.#hooks.sendAck(peer, { kind: 'snapshot-ack', transfer: offer.transfer, next: 0, refused: true });
    this.#noteProgress(purpose);
    const current = this.#incoming;
    if (current !== undefined && !current.failed && sameSnapshot(current, offer)) {
      current.purpose = purpose;
      current.peer = peer;
      current.transfer = offer.transfer;
      current.request = offer.request;
      void current.queue.then(() => this.#ack(current, false));
      return;
    }
    this.#discard();
    const incoming: Incoming = {
      peer,
      purpose,
      transfer: offer.transfer,
      request: offer.request,
      digest: offer.digest,
      bytes: offer.bytes,
      writer: undefined,
      next: 0,
      received: 0,
      queue: Promise.resolve(),
      failed: false,
      queued: 0,
    };
    this.#incoming = incoming;
    this.#work(incoming, async () => {
      incoming.writer = await this.#store.stageSnapshot(offer.request.snapshot);
      this.#ack(incoming, false);
    });
  }

  onChunk(peer: NodeId, chunk: SnapshotChunk): void {
    const incoming = this.#incoming;
    if (incoming === undefined || incoming.peer !== peer || incoming.transfer !== chunk.transfer) return;
    // An honest sender is at most a window ahead of what was acknowledged: another may be on its way after a resume.
    if (incoming.queued >= 2 * SNAPSHOT_WINDOW_CHUNKS) return this.#refuse(incoming);
    incoming.queued++;
    this.#noteProgress(incoming.purpose);
    // The wire's bytes are a view on a whole message: storage gets its own.
    const data = chunk.data.slice();
    this.#work(incoming, () => this.#storeChunk(incoming, chunk.sequence, chunk.last, data));
  }

  async #storeChunk(incoming: Incoming, sequence: number, last: boolean, data: Uint8Array): Promise<void> {
    incoming.queued--;
    if (sequence !== incoming.next || incoming.writer === undefined) return this.#ack(incoming, false);
    incoming.received += data.length;
    if (incoming.received > incoming.bytes) throw new RangeError('more bytes than offered');
    if (data.length > 0) await incoming.writer.write(data);
    incoming.next++;
    if (last) await this.#complete(incoming, incoming.writer);
    this.#ack(incoming, false);
  }

  async #complete(incoming: Incoming, writer: SnapshotWriter): Promise<void> {
    const staged = await writer.finish(incoming.digest);
    if (this.#incoming === incoming) this.#incoming = undefined;
    if (incoming.purpose === 'resync') {
      this.#awaited = undefined;
      return this.#hooks.onResync(staged);
    }
    this.#letGo();
    this.#staged = staged;
    this.#hooks.onFollow(incoming.request);
  }

  /** See SnapshotTransfers.awaitResync. */
  awaitResync(leader: NodeId, onFailed: () => void): void {
    this.giveUpResync();
    this.#awaited = { leader, onFailed, progressMs: this.#clock.monotonicMs() };
  }

  /** None comes any more, or it is of no use. */
  giveUpResync(): void {
    const awaited = this.#awaited;
    if (awaited === undefined) return;
    this.#awaited = undefined;
    if (this.#incoming?.purpose === 'resync') this.#discard();
    awaited.onFailed();
  }

  #noteProgress(purpose: Purpose): void {
    if (purpose === 'resync' && this.#awaited !== undefined) this.#awaited.progressMs = this.#clock.monotonicMs();
  }

  tick(): void {
    if (this.#awaited !== undefined && this.#awaited.progressMs < this.#clock.monotonicMs() - RESYNC_STALL_MS)
      this.giveUpResync();
  }

  /** The staged snapshot that the core has accepted. */
  takeStaged(meta: SnapshotMeta): StagedSnapshot | undefined {
    const staged = this.#staged;
    if (staged === undefined || staged.meta.index !== meta.index || staged.meta.term !== meta.term) return undefined;
    this.#staged = undefined;
    return staged;
  }

  /** The member ends: nothing that has come is of use any more. */
  stop(): void {
    this.#awaited = undefined;
    this.#discard();
    this.#letGo();
  }

  /** A finished snapshot that the core has not taken leaves the disk. */
  #letGo(): void {
    const staged = this.#staged;
    this.#staged = undefined;
    if (staged !== undefined) this.#store.discardStaged(staged).catch(() => {});
  }

  #discard(): void {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming === undefined) return;
    incoming.failed = true;
    void incoming.queue.then(() => incoming.writer?.abort()).catch(() => {});
  }

  #work(incoming: Incoming, task: () => Promise<void>): void {
    incoming.queue = incoming.queue.then(async () => {
      if (incoming.failed) return;
      try {
        await task();
      } catch (error) {
        incoming.failed = true;
        this.#ack(incoming, true);
        if (this.#incoming === incoming) this.#incoming = undefined;
        if (incoming.purpose === 'resync') this.giveUpResync();
        await incoming.writer?.abort().catch(() => {});
        this.#hooks.onFault(error);
      }
    });
  }

  #refuse(incoming: Incoming): void {
    this.#discard();
    this.#ack(incoming, true);
  }

  #ack(incoming: Incoming, refused: boolean): void {
    this.#hooks.sendAck(incoming.peer, { kind: 'snapshot-ack', transfer: incoming.transfer, next: incoming.next, refused });
  }
}

function sameSnapshot(incoming: Incoming, offer: SnapshotOffer): boolean {
  const { snapshot } = offer.request;
  const held = incoming.request.snapshot;
  return held.index === snapshot.index && held.term === snapshot.term && incoming.digest === offer.digest;
}
