/** Token buckets: so much at once, so much per second after that. Bounded in number; the one least recently used is forgotten first. */

export interface BucketSize {
  /** Tokens of a full bucket. */
  readonly burst: number;
  readonly perSecond: number;
}

export class Bucket {
  readonly #size: BucketSize;
  #tokens: number;
  #atMs: number;

  constructor(size: BucketSize, nowMs: number) {
    this.#size = size;
    this.#tokens = size.burst;
    this.#atMs = nowMs;
  }

  /** False when there are not so many left; then none are taken. */
  take(count: number, nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Takes them even where there are not so many: what is missing has to be waited for. */
  charge(count: number): void {
    this.#tokens -= count;
  }

  /** Until nothing is missing: ms. */
  debtMs(nowMs: number): number {
    this.#fill(nowMs);
    return Math.max(0, (-this.#tokens / this.#size.perSecond) * 1000);
  }

  #fill(nowMs: number): void {
    const { burst, perSecond } = this.#size;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) * perSecond) / 1000);
    this.#atMs = nowMs;
  }
}

export class Buckets {
  readonly #size: BucketSize;
  readonly #keysMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(size: BucketSize, keysMax: number) {
    this.#size = size;
    this.#keysMax = keysMax;
  }

  take(key: string, count: number, nowMs: number): boolean {
    return this.of(key, nowMs).take(count, nowMs);
  }

  of(key: string, nowMs: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) bucket = new Bucket(this.#size, nowMs);
    else this.#buckets.delete(key);
    this.#buckets.set(key, bucket); // the most recently used is the last
    const eldest = this.#buckets.keys().next();
    if (this.#buckets.size > this.#keysMax && eldest.done !== true) this.#buckets.delete(eldest.value);
    return bucket;
  }
}
