/**
 * The one owner of snapshots on their way (ch. 5), of both halves and both purposes:
 *
 *   follow   the core's: a follower lacks what the leader's log no longer holds. The core decides whether to take it.
 *   resync   asked for by a member whose state has gone wrong, or that cannot make one (a keeper), whatever its log holds. It
 *            takes the place of the member's own, and the rest of its log is applied to it.
 *
 * There is at most one transfer to a member, and one to this node. One for `resync` takes the place of one for `follow`, which
 * may show an older state than the member has asked about; one for `follow` waits for the `resync`, which serves as well.
 */
import type { NodeId, SnapshotMeta, SnapshotRequest } from '../../core/types.ts';
import type { NodeStore, StagedSnapshot, StoredSnapshot } from '../../storage/storage.ts';
import type { SnapshotAck, SnapshotChunk, SnapshotOffer } from '../../wire/peer-message.ts';
import type { Clock } from '../ports/clock.ts';
import { memberIds } from './configuration.ts';
import type { LogView } from './log-cache.ts';
import type { SnapshotMaker } from './snapshot-maker.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSender } from './snapshot-sender.ts';

export interface TransferParts {
  readonly self: NodeId;
  readonly store: NodeStore;
  readonly view: LogView;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly maker: Pick<SnapshotMaker, 'takeNow'>;
}

export interface TransferHooks {
  sendMessage(peer: NodeId, message: SnapshotOffer | SnapshotChunk | SnapshotAck): boolean;
  /** What a snapshot of this very moment stands for. */
  metaNow(): SnapshotMeta;
  /** A snapshot for that member has arrived there, or has not: the core may be waiting for it. */
  onSent(peer: NodeId, ok: boolean, sent: StoredSnapshot | undefined): void;
  /** The receiver is at work: the core should not give it up. */
  onProgress(peer: NodeId): void;
  /** One for `follow` is stored: the core decides whether to take it, by way of takeStaged. */
  onFollow(request: SnapshotRequest): void;
  /** One for `resync` is stored. */
  onResync(staged: StagedSnapshot): void;
  /** Not the end of anything but a transfer. */
  onFault(error: unknown): void;
}

export class SnapshotTransfers {
  readonly #parts: TransferParts;
  readonly #hooks: TransferHooks;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  /** A snapshot is being taken for these, to resync with. */
  readonly #preparing = new Set<NodeId>();
  #stopped = false;

  constructor(parts: TransferParts, hooks: TransferHooks) {
    const { store, view, clock } = parts;
    this.#parts = parts;
    this.#hooks = hooks;
    this.#receiver = new SnapshotReceiver(store, clock, {
      sendAck: (peer, ack) => void hooks.sendMessage(peer, ack),
      lowestResync: () => view.firstIndex() - 1,
      onFollow: (request) => hooks.onFollow(request),
      onResync: (staged) => hooks.onResync(staged),
      onFault: (error) => hooks.onFault(error),
    });
    this.#sender = new SnapshotSender(store, clock, {
      send: (peer, message) => hooks.sendMessage(peer, message),
      onEnd: (peer, ok, sent) => hooks.onSent(peer, ok, sent),
      onProgress: (peer) => hooks.onProgress(peer),
    });
  }

  /** A verified message of a transfer. */
  onMessage(peer: NodeId, message: SnapshotOffer | SnapshotChunk | SnapshotAck): void {
    if (message.kind === 'snapshot-offer') this.#receiver.onOffer(peer, message);
    else if (message.kind === 'snapshot-chunk') this.#receiver.onChunk(peer, message);
    else this.#sender.onAck(peer, message);
  }

  /**
   * The core wants `request.to` to have a snapshot, to follow. One from before it was a member is of no use to it: a newer one
   * is taken, and the core, told that this one has not arrived, asks again.
   */
  sendToFollow(request: SnapshotRequest): void {
    if (memberIds(request.snapshot.conf).includes(request.to)) return this.#sender.start(request, 'follow');
    const again = (): void => this.#hooks.onSent(request.to, false, undefined);
    this.#takeNow(again, again);
  }

  /** The leader's part of a resync: a snapshot of now, for the member that asked; one at a time, however often it asks. */
  sendToResync(peer: NodeId, term: number): void {
    if (this.#preparing.has(peer) || this.#sender.isSending(peer, 'resync')) return;
    this.#preparing.add(peer);
    const { self: from } = this.#parts;
    const taken = (): void => {
      this.#preparing.delete(peer);
      this.#sender.start({ type: 'snapshot-request', from, to: peer, term, snapshot: this.#hooks.metaNow() }, 'resync');
    };
    this.#takeNow(taken, () => this.#preparing.delete(peer));
  }

  #takeNow(then: () => void, failed: () => void): void {
    const unlessStopped = (act: () => void) => (): void => {
      if (!this.#stopped) act();
    };
    this.#parts.maker
      .takeNow(() => this.#hooks.metaNow())
      .then(unlessStopped(then), (error: unknown) => {
        this.#hooks.onFault(error);
        unlessStopped(failed)();
      });
  }

  /**
   * The next snapshot of this leader's replaces this node's state; what was awaited before is not any more. `onFailed` is
   * called, once, when it is clear that none comes: another may be asked for.
   */
  awaitResync(leader: NodeId, onFailed: () => void): void {
    this.#receiver.awaitResync(leader, onFailed);
  }

  /** It was asked for, and the answer was no. */
  giveUpResync(): void {
    this.#receiver.giveUpResync();
  }

  /** Something is on its way to this node. */
  get isReceiving(): boolean {
    return this.#receiver.isReceiving;
  }

  /** The staged snapshot that the core has accepted. */
  takeStaged(meta: SnapshotMeta): StagedSnapshot | undefined {
    return this.#receiver.takeStaged(meta);
  }

  /** What was asked of a leader that leads no longer does not come. */
  leaderChanged(): void {
    this.#receiver.giveUpResync();
  }

  /** Who leads no longer sends no state. */
  leadershipLost(): void {
    this.#sender.abort();
  }

  linkClosed(peer: NodeId): void {
    this.#sender.abort(peer);
  }

  tick(): void {
    this.#sender.tick();
    this.#receiver.tick();
  }

  stop(): void {
    this.#stopped = true;
    this.#sender.abort();
    this.#receiver.stop();
  }
}
