/** What the simulator asks of a disk, whatever is modelled: one that holds values, or one that holds bytes. */
import type { NodeId } from '../../core/types.ts';
import type { AcquireRequest, NodeStore } from '../../storage/storage.ts';
import type { VirtualProcess } from './process.ts';

export interface DiskFaults {
  readonly writeMs: readonly [min: number, max: number];
  readonly readMs: readonly [min: number, max: number];
  /** Chance of a write to take seconds. */
  readonly slow: number;
  /** Chance of a transaction to fail, with one of these codes. */
  readonly fail: number;
  readonly failCodes: readonly ('quota' | 'storage')[];
  /** Chance that what waits is folded into one transaction. */
  readonly fold: number;
}

export interface DiskCounts {
  writes: number;
  failed: number;
  slow: number;
  lostAtCrash: number;
  keptAtCrash: number;
  undone: number;
}

/** `process`: the tab died. `power`: the machine did, and what was relaxed may be gone. */
export type CrashKind = 'process' | 'power';

export interface SimDisk {
  readonly nodeId: NodeId;
  faults: DiskFaults;
  readonly counts: DiskCounts;
  /** Called before each transaction takes effect, with its number: where a crash can be put. */
  onBoundary: ((disk: SimDisk, boundary: number) => void) | undefined;
  /** What a crash keeps of the writes on their way: a part of them from the first on, or all, or none. */
  keepsAtCrash: 'some' | 'all' | 'none';
  open(process: VirtualProcess, request: AcquireRequest): NodeStore;
  crash(kind: CrashKind): void;
  /** Another disk that holds the same, and goes on by itself. */
  copy(): SimDisk;
  wipe(): void;
  /** Turns over one bit of what is stored; false where there are no bits, or nothing is stored. */
  flip(): boolean;
}
