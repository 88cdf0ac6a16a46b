/** How much of everything a connection and its address may ask for: see limits.ts for each limit and what happens beyond it. */
import { Bucket, type BucketSize, Buckets } from './buckets.ts';
import {
  ADDRESS_BYTE_RATE,
  ADDRESSES_MAX,
  BYTE_RATE,
  CONNECTION_RATE,
  HELLO_RATE,
  MESSAGES_BURST_MAX,
  MESSAGES_PER_SECOND,
  NEW_ROOM_RATE,
  PAIR_RATE,
  PAIRS_MAX,
  UNREAD_SIGNAL_COST,
} from './limits.ts';

export interface QuotaOptions {
  readonly messagesBurstMax?: number | undefined;
  readonly connectionRate?: BucketSize | undefined;
  readonly helloRate?: BucketSize | undefined;
  readonly newRoomRate?: BucketSize | undefined;
}

/** Of all addresses. Keys are those of limitKey. */
export class AddressQuotas {
  readonly #connections: Buckets;
  readonly #hellos: Buckets;
  readonly #newRooms: Buckets;
  readonly #bytes = new Buckets(ADDRESS_BYTE_RATE, ADDRESSES_MAX);

  constructor(options: QuotaOptions) {
    this.#connections = new Buckets(options.connectionRate ?? CONNECTION_RATE, ADDRESSES_MAX);
    this.#hellos = new Buckets(options.helloRate ?? HELLO_RATE, ADDRESSES_MAX);
    this.#newRooms = new Buckets(options.newRoomRate ?? NEW_ROOM_RATE, ADDRESSES_MAX);
  }

  mayConnect(key: string, nowMs: number): boolean {
    return this.#connections.take(key, 1, nowMs);
  }

  mayGreet(key: string, toNewRoom: boolean, nowMs: number): boolean {
    return this.#hellos.take(key, 1, nowMs) && (!toNewRoom || this.#newRooms.take(key, 1, nowMs));
  }

  maySend(key: string, bytes: number, nowMs: number): boolean {
    return this.#bytes.take(key, bytes, nowMs);
  }
}

/** Of one connection. */
export class SenderQuota {
  readonly #messages: Bucket;
  readonly #bytes: Bucket;
  readonly #pairs = new Buckets(PAIR_RATE, PAIRS_MAX);

  constructor(options: QuotaOptions, nowMs: number) {
    const burst = options.messagesBurstMax ?? MESSAGES_BURST_MAX;
    this.#messages = new Bucket({ burst, perSecond: MESSAGES_PER_SECOND }, nowMs);
    this.#bytes = new Bucket(BYTE_RATE, nowMs);
  }

  maySend(bytes: number, nowMs: number): boolean {
    return this.#messages.take(1, nowMs) && this.#bytes.take(bytes, nowMs);
  }

  maySignal(to: string, nowMs: number): boolean {
    return this.#pairs.take(to, 1, nowMs);
  }

  /** It has signalled to somebody who does not read. */
  paysForSlowReader(): void {
    this.#messages.charge(UNREAD_SIGNAL_COST);
  }
}
